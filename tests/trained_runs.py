"""Runs without flows, for tests of what comes after a training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.evaluation.finalize import NO_SWEEP, collect_result, finalize
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import prepare
from rnnkit.training.train_into import train_into


class Trained(NamedTuple):
    """A finished run's folder, the data, and its result."""

    folder: RunFolder
    prepared: Prepared
    result: Mapping[str, Any]


def train_in(place: Path, experiment: Experiment, home: Path) -> Trained:
    """A finished run in a folder.

    Args:
        place: the run's folder.
        experiment: what is run.
        home: the output folder.
    """
    prepared = prepare(experiment.data, experiment.task, home)
    folder = RunFolder(place)
    folder.create(experiment, {})
    for _ in train_into(folder, experiment, prepared):
        pass
    result = finalize(folder, experiment, prepared, home / "prepared")
    result = collect_result(result, prepared, {}, NO_SWEEP)
    folder.finish(result)
    return Trained(folder, prepared, result)


def finish_in(home: Path, experiment: Experiment, name: str) -> Trained:
    """A finished run of that name among the runs of an output folder."""
    return train_in(home / "runs" / name, experiment, home)
