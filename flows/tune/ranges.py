"""The ranges that a sweep draws from, in a file beside its trials.

Percentiles became numbers there. A sweep that goes on with another search space has its study made
again from the trials that fit; the file says until when that is pending.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params.tune import Percentiles
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import files
from rnnkit.training.gradient_norms import norm_range

FILE = "search.json"


@dataclass(frozen=True)
class Ranges:
    """The content of the file."""

    ranges: Mapping[str, Any]
    """Params path -> space, without percentiles."""
    search: Mapping[str, Any] | None = None
    """The space as the params have it; None in files of earlier versions."""
    trials: int | None = None
    """Of the sweep; None in files of earlier versions."""
    first: int = 0
    """Number of the first trial that is drawn from these ranges."""
    pending: bool = False
    """Whether the study is yet to be made again."""

    @classmethod
    def read(cls, folder: RunFolder) -> Self | None:
        """The ranges of a sweep; None if they are missing or damaged."""
        try:
            content = files.read_json(folder.path / "trials" / FILE)
            sha256 = content.pop("sha256")
            hashed = content if "search" in content else content["ranges"]
            return cls(**content) if sha256 == files.sha256_json(hashed) else None
        except (InputError, FileNotFoundError, RecursionError, KeyError, TypeError, AttributeError):
            return None

    def write(self, folder: RunFolder) -> None:
        """Write the file, with the sha256 of its content."""
        content = asdict(self)
        content["sha256"] = files.sha256_json(content)
        files.write_json(folder.path / "trials" / FILE, content)

    def is_of(self, experiment: Experiment) -> bool:
        """Whether a study over these ranges is the one that the params ask for."""
        assert experiment.tune is not None
        same = self.search in (None, spaces(experiment))
        return same and self.trials in (None, experiment.tune.trials) and not self.pending

    def after(self) -> "Ranges":
        """The same once the study is made again."""
        return replace(self, pending=False)


def spaces(experiment: Experiment) -> dict[str, Any]:
    """The search space of the params, as JSON has it."""
    assert experiment.tune is not None
    return {path: space.model_dump(mode="json") for path, space in experiment.tune.search.items()}


def ranges_of(
    experiment: Experiment, prepared: Prepared, before: Ranges | None, first: int
) -> Ranges:
    """The ranges of the params; percentiles as before where they are the same.

    Args:
        before: of the sweep as it was; None: it begins.
        first: number of the first trial that is drawn from them.
    """
    assert experiment.tune is not None
    search, ranges = spaces(experiment), {}
    for path, space in experiment.tune.search.items():
        if not isinstance(space, Percentiles):
            ranges[path] = search[path]
        elif before is not None and (before.search or search).get(path) == search[path]:
            ranges[path] = before.ranges[path]
        else:
            ranges[path] = norm_range(experiment, prepared, space).model_dump(mode="json")
    changed = before is not None and before.search not in (None, search)
    since = first if changed else 0 if before is None else before.first
    return Ranges(ranges, search, experiment.tune.trials, since, before is not None)


def with_ranges(folder: RunFolder) -> Experiment:
    """A sweep's experiment, with percentiles as the ranges they became.

    Raises:
        InputError: the ranges were damaged after the sweep began.
    """
    stored = Ranges.read(folder)
    if stored is None:
        raise InputError(
            f"{folder.path / 'trials' / FILE}: must hold the ranges of the sweep as they were "
            "written; the same command writes them again"
        )
    return folder.experiment.replace({"tune.search": stored.ranges})
