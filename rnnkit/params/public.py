"""Paths of public data sets in params: `public:SET/FILE`, independent of the set's location.

Other paths are user files, relative to the working folder. rnnkit.data lists the files of a set and
the folders to search.
"""

from collections.abc import Mapping, Set
from typing import Any

from rnnkit.params.block import Block
from rnnkit.params.tune import Tune

PUBLIC = "public:"
NEW_KEYS: Mapping[str, Any] = {
    "normalization": None,
    "segment": 1,
    "channels": "together",
    "channel_embedding": 0,
    "head_dropout": None,
    "lower": None,
    "upper": None,
    "interval": None,
    "kernel": "auto",
}
"""Key that older versions lack -> default. Hashes leave it out where it has that, so that ids
stay."""
UNHASHED_KEYS = frozenset({"checkpoint_seconds"})
"""Keys that change no result; hashes leave them out."""
STUDY_KEYS = frozenset({"sampler", "pruner", "seeds", "retrain"})
"""Keys of `tune` that decide what a study is. The others let it grow: its trials, its ranges, what
confirms its best ones; or they change no result."""
OLDER = "../shared/data/"
"""Folder of all sets in older params. Hashes use this form."""


def hashed_path(path: str) -> str:
    """A path in the form used for hashes: both names of a public file give the same run id.

    >>> hashed_path("public:lm_ptb/ptb.train.txt")
    '../shared/data/lm_ptb/ptb.train.txt'
    >>> hashed_path("my/texts.txt")
    'my/texts.txt'
    """
    return OLDER + path.removeprefix(PUBLIC) if path.startswith(PUBLIC) else path


def hashed_params(block: Block, leave_out: Set[str] = frozenset()) -> dict[str, Any]:
    """Values of a resolved block in the form used for hashes."""

    def visit(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: visit(inner)
                for key, inner in value.items()
                if key not in UNHASHED_KEYS and (key not in NEW_KEYS or inner != NEW_KEYS[key])
            }
        if isinstance(value, list):
            return [visit(inner) for inner in value]
        return hashed_path(value) if isinstance(value, str) else value

    values: dict[str, Any] = visit(block.model_dump(mode="json", exclude=set(leave_out)))
    return values


def hashed_study(tune: Tune) -> dict[str, Any]:
    """What makes a study another one, in the form used for hashes: method and searched keys.

    More trials, other workers and other ranges of the same keys belong to the same study.
    """
    values = {key: value for key, value in hashed_params(tune).items() if key in STUDY_KEYS}
    values["search"] = sorted(tune.search)
    return values | ({"reproducible": True} if tune.reproducible else {})


def hashed_sweep_of_before(tune: Tune) -> dict[str, Any] | None:
    """A whole `tune` block as versions hashed it whose studies could not grow; None if it has keys
    that they lack."""
    values = hashed_params(tune)
    added = {key: values.pop(key) for key in ("confirm", "confirm_seeds", "reproducible")}
    steps = [space.pop("step", None) for space in values["search"].values()]
    is_new = any(added[key] for key in ("confirm", "reproducible")) or any(steps)
    return None if is_new else values
