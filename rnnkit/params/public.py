"""Paths of public data sets in params: `public:SET/FILE`, independent of the set's location.

Other paths are user files, relative to the working folder. rnnkit.data lists the files of a set and
the folders to search.
"""

from collections.abc import Set
from typing import Any

from rnnkit.params.block import Block

PUBLIC = "public:"
NEW_KEYS = frozenset({"normalization", "lower", "upper", "interval"})
"""Keys that older versions lack. Hashes leave them out where they are null, so that ids stay."""
UNHASHED_KEYS = frozenset({"checkpoint_seconds"})
"""Keys that change no result; hashes leave them out."""
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
                if key not in UNHASHED_KEYS and (inner is not None or key not in NEW_KEYS)
            }
        if isinstance(value, list):
            return [visit(inner) for inner in value]
        return hashed_path(value) if isinstance(value, str) else value

    values: dict[str, Any] = visit(block.model_dump(mode="json", exclude=set(leave_out)))
    return values
