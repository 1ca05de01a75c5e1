"""What each step of a run does, from values to values; no Prefect and no MLflow here.

Weights, predictions and figures lie in the run's folder, which is the truth.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.evaluation.finalize import NO_SWEEP, collect_result, finalize, predictions_of
from rnnkit.params import Experiment
from rnnkit.params.block import FrozenDict
from rnnkit.runs.run_folder import PREPARED, RunFolder
from rnnkit.training.state import Epoch, Refused, Step


@dataclass(frozen=True)
class Run:
    """A run whose folder this process holds."""

    experiment: Experiment
    """Resolved; of a step after a sweep, with the best trial's values in place."""
    folder: RunFolder
    home: Path
    """The output folder."""
    data: str
    """SHA-256 of the prepared data."""


@dataclass(frozen=True)
class Search:
    """What a sweep found; empty without one."""

    values: Mapping[str, Any] = FrozenDict()
    """The best trial's, by params path."""
    trials: Sequence[dict[str, Any]] = ()
    """All of them, from `flows.tune.trials.trial_records`."""
    importance: Mapping[str, float] = FrozenDict()
    winner: RunFolder | None = None
    """The best trial's best training."""
    advice: Sequence[str] = ()
    """What to try next, a sentence each."""


def load_data(experiment: Experiment, sha256: str, home: Path) -> tuple[Experiment, Prepared]:
    """The data of an experiment, stored under their hash or built, and the experiment with the
    metric that it monitors on them; without that metric they are refused."""
    from rnnkit import tasks
    from rnnkit.training.evaluate import with_monitor

    prepared = tasks.prepare(experiment.data, experiment.task, home, sha256)
    return with_monitor(experiment, prepared), prepared


def prepare(run: Run) -> tuple[Run, Prepared]:
    """From the source to tensors on disk; the run's params with what the data decided."""
    experiment, prepared = load_data(run.experiment, run.data, run.home)
    run.folder.append(
        PREPARED,
        sha256=prepared.sha256,
        source=str(prepared.facts["source"]),
        monitor=experiment.train.monitor,
    )
    return replace(run, experiment=experiment), prepared


def train(
    run: Run, prepared: Prepared, stop: Callable[[], bool] = lambda: False
) -> Iterator[Step | Refused | Epoch]:
    """As `train_into` in the run's folder, measured for its diagnosis."""
    from rnnkit.diagnose.watch import Watch
    from rnnkit.training.train_into import train_into

    training = train_into(run.folder, run.experiment, prepared, stop)
    return Watch(run.folder, run.experiment, prepared).records(training)


def evaluate(run: Run, prepared: Prepared) -> dict[str, Any]:
    """Scores the best epoch's network on the test split, beside the baselines, and says why it
    learned or did not."""
    from rnnkit.diagnose.diagnosis import diagnose

    scores = finalize(run.folder, run.experiment, prepared, run.home / "prepared")
    predictions = predictions_of(run.folder)
    diagnosis = diagnose(run.folder, run.experiment, prepared, scores, predictions)
    return {**scores, **diagnosis}


def draw(run: Run, prepared: Prepared, search: Search) -> list[Path]:
    """The run's figures, as PNG files in its folder."""
    from rnnkit.report.run_figures import draw as draw_figures

    predictions = predictions_of(run.folder)
    return draw_figures(
        run.folder, run.experiment, prepared, predictions, [*search.trials], search.importance
    )


def report(run: Run, prepared: Prepared, result: dict[str, Any], search: Search) -> None:
    """`report.html`: the run on one page that stands alone."""
    from rnnkit.report.run import write_run_report

    predictions = predictions_of(run.folder)
    write_run_report(run.folder, run.experiment, prepared, predictions, result, [*search.trials])


def whole_result(
    scores: dict[str, Any], prepared: Prepared, seconds: dict[str, float], search: Search
) -> dict[str, Any]:
    """The whole result.json, from the scores of `evaluate` and the seconds of each step."""
    states = [trial["state"] for trial in search.trials]
    searched = {
        "tuned": dict(search.values),
        "trials": {state: states.count(state) for state in NO_SWEEP["trials"]},
        "importance": dict(search.importance),
        "advice": list(search.advice),
    }
    return collect_result(scores, prepared, seconds, searched)
