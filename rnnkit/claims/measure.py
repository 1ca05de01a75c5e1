"""The trainings of a claim, one after the other in one process; what is finished is read again."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rnnkit.claims.claim import Training
from rnnkit.claims.scores import Score
from rnnkit.evaluation.finalize import NO_SWEEP, collect_result, finalize
from rnnkit.params import Experiment
from rnnkit.runs.identity import identify
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics
from rnnkit.tasks import prepare
from rnnkit.training.loop import Diverged
from rnnkit.training.train_into import NeverFinite, train_into

DIVERGED = "diverged"
"""A record of a journal: the training broke down, which is its result."""


def places(trainings: Sequence[Training], folder: Path) -> list[RunFolder]:
    """The folder of each training below a claim's, named by its run id.

    Raises:
        InputError: a file is missing.
    """
    identities = identify([training.experiment for training in trainings])
    return [RunFolder(folder / identity.run) for identity in identities]


def measured(
    trainings: Sequence[Training],
    runs: Sequence[RunFolder],
    home: Path,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Score]:
    """The score of each training, as soon as it is there.

    Args:
        runs: the folder of each, from `places`.
        home: the output folder, for prepared data.
        stop: asked between two steps.

    Raises:
        Stopped: `stop` said so; the next call goes on there.
    """
    for training, run in zip(trainings, runs, strict=True):
        if not is_measured(run):
            with run.lock():
                _train(training.experiment, run, home, stop)
        yield score_of(training, run)


def is_measured(run: RunFolder) -> bool:
    """Whether a training has come to its end, or broke down."""
    return run.status == "finished" or bool(run.records(DIVERGED))


def score_of(training: Training, run: RunFolder) -> Score:
    """What a training scored that `is_measured`."""
    place = training.condition, training.variant, training.experiment.seed
    if run.records(DIVERGED):
        return Score(*place, {}, False)
    result = run.result
    seconds = statistics.median(line["seconds"] for line in run.records("epoch"))
    costs = {"seconds": seconds} | {name: float(result[name]) for name in ("parameters", "epochs")}
    difference: Mapping[str, str] = result["difference"] or {}
    return Score(*place, {**result["test"], **costs}, difference.get("verdict") == "better")


def _train(experiment: Experiment, run: RunFolder, home: Path, stop: Callable[[], bool]) -> None:
    numerics.set_threads(experiment.train.threads)
    run.create(experiment, numerics.fingerprint())
    prepared = prepare(experiment.data, experiment.task, home)
    try:
        for _ in train_into(run, experiment, prepared, stop):
            pass
    except (Diverged, NeverFinite) as error:
        run.append(DIVERGED, reason=str(error))
        return
    scores = finalize(run, experiment, prepared, home / "prepared")
    run.finish(collect_result(scores, prepared, {}, NO_SWEEP))
