"""The steps of a run as Prefect tasks, with the tables, links and progress in Prefect's pages.

Prefect's own result cache is off: prepared data and run folders are the only caches. Pass prepared
data as `quote(prepared)`: otherwise Prefect searches them for results of other tasks, which takes
0.2 s at each call where there are 60,000 words and references.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import task
from prefect.artifacts import (
    create_link_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE

from flows.pipeline import steps
from flows.pipeline.steps import Run, Search
from flows.processes.workers import Parent, settle
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.runs.durations import LAST, Durations
from rnnkit.runtime import files, numerics
from rnnkit.training.state import Epoch
from rnnkit.training.train_into import train_into

UPDATE_SECONDS = 2.0  # seconds between two updates of a progress


def key_of(*names: str) -> str:
    """A key as Prefect wants it: small letters, digits and dashes.

    >>> key_of("PTB.small", "result")
    'ptb-small-result'
    """
    return re.sub(r"[^a-z0-9]+", "-", "-".join(names).lower()).strip("-")


class Progress:
    """The progress of a long task of an experiment, updated every few seconds."""

    def __init__(self, name: str, what: str) -> None:
        description = f"{name}: {what}"
        artifact = create_progress_artifact(0.0, key=key_of(name, what), description=description)
        assert isinstance(artifact, UUID)
        self._id, self._percent, self._time = artifact, 0.0, time.monotonic()

    def show(self, share: float) -> None:
        """How much is done, from 0 to 1."""
        now, percent = time.monotonic(), round(100 * share, 1)
        if percent == self._percent or (share < 1 and now - self._time < UPDATE_SECONDS):
            return
        update_progress_artifact(self._id, progress=percent)
        self._percent, self._time = percent, now


@task(name="prepare", cache_policy=NO_CACHE)
def prepare_data(run: Run, link: str) -> Prepared:
    """Tokenise, embed, pad: from the source to tensors on disk.

    Args:
        link: the run's page in MLflow; empty where MLflow does not answer.
    """
    prepared = steps.prepare(run)
    if link:
        key = key_of(run.experiment.name, "mlflow")
        create_link_artifact(link=link, link_text="the run in MLflow", key=key)
    return prepared


@task(name="train", cache_policy=NO_CACHE)
def train_model(run: Run, prepared: Prepared, show: Callable[[int, str], object]) -> str:
    """Trains in the run's folder.

    Args:
        show: called with each epoch's number and metrics once it is on disk. A task that yields
            its epochs would count as completed where the flow is interrupted.

    Returns:
        the last epoch's metrics.
    """
    train, metrics = run.experiment.train, ""
    progress = Progress(run.experiment.name, "train")
    for epoch in train_into(run.folder, run.experiment, prepared):
        if not isinstance(epoch, Epoch):
            continue
        values = {f"valid/{name}": value for name, value in epoch.valid.items()}
        values["train/loss"] = epoch.train["loss"]
        shown = [name for name in ("train/loss", train.monitor) if name in values]
        metrics = ", ".join(f"{name} {values[name]:.4g}" for name in shown)
        show(epoch.epoch, metrics)
        progress.show(1.0 if epoch.last else epoch.epoch / train.epochs)
    return metrics


@task(name="evaluate", cache_policy=NO_CACHE)
def evaluate_model(run: Run, prepared: Prepared) -> dict[str, Any]:
    """Scores the best epoch's network on the test split, beside the baselines."""
    scores = steps.evaluate(run, prepared)
    shown = [metric for metric in scores["shown"] if metric in scores["test"]]
    rows = [(scores["network"], scores["test"]), *scores["baselines"].items()]
    create_table_artifact(
        table=[
            {"": network, **{metric: metrics.get(metric) for metric in shown}}
            for network, metrics in rows
        ],
        key=key_of(run.experiment.name, "result"),
        description=scores["verdict"],
    )
    return scores


draw_figures = task(name="draw", cache_policy=NO_CACHE)(steps.draw)
write_report = task(name="report", cache_policy=NO_CACHE)(steps.report)


@task(name="member", cache_policy=NO_CACHE)
def run_member(run: Run, stop: Path, parent: Parent) -> None:
    """All steps of one run of a comparison, in a worker process; why it failed is in its folder.

    Args:
        stop: a file; once it is there the run is left off, to go on later.
        parent: waits for the comparison.
    """
    settle(parent)
    if run.folder.status == "finished":
        return
    with run.folder.lock():
        try:
            _run_alone(run, stop)
        except Exception as error:  # the comparison's other runs go on
            run.folder.append("failed", reason=f"{type(error).__name__}: {error}")
            files.write_traceback(run.folder.path)


def _run_alone(run: Run, stop: Path) -> None:
    numerics.set_threads(run.experiment.train.threads)
    durations = Durations(run.folder)
    durations.begin("train")
    prepared, search = steps.prepare(run), Search()
    for _ in train_into(run.folder, run.experiment, prepared):
        if stop.exists():
            run.folder.append("interrupted")
            return
    durations.begin("evaluate and draw")
    scores = steps.evaluate(run, prepared)
    steps.draw(run, prepared, search)
    durations.begin(LAST)
    result = steps.whole_result(scores, prepared, durations.seconds(), search)
    steps.report(run, prepared, result, search)
    run.folder.finish(result)
