"""Each library step as a Prefect task: a few lines, names, and what MLflow and the person see.

Prefect's own result cache is off: prepared data and run folders are the only caches.
"""

from collections.abc import Mapping
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.console import out
from flows.pipeline.artifacts import Progress, mlflow_link, result_table
from flows.pipeline.work import Work
from flows.tracking import Mirror
from rnnkit.data.prepare.part import PARTS
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.evaluation.finalize import conclude, predictions_of
from rnnkit.params import Experiment
from rnnkit.training.loop import Epoch, train_into


@task(name="prepare", cache_policy=NO_CACHE)
def prepare_data(work: Work) -> None:
    """Tokenise, embed, pad: from the source to tensors on disk."""
    stage = work.stages.begin("prepare", total=None)
    parts = work.prepared.parts
    counts = " / ".join(f"{len(parts[part]):,}" for part in PARTS)
    source = str(work.prepared.facts["source"])
    work.folder.append("prepared", sha256=work.prepared.sha256, source=source)
    if work.track(Mirror.advance):
        mlflow_link(work.experiment.name, work.mirror.link)
    work.stages.end(stage, f"{counts} items in train / valid / test")
    for note in work.prepared.notes:
        out.print(f"  {note}", markup=False)


@task(name="train", cache_policy=NO_CACHE)
def train_model(work: Work, experiment: Experiment, prepared: Prepared) -> None:
    """Trains in the run's own folder; every epoch is on disk and in MLflow before the next."""
    stage = work.stages.begin("train", total=experiment.train.epochs)
    progress = Progress(experiment.name, "train")
    note = ""
    for record in train_into(work.folder, experiment, prepared):
        if isinstance(record, Epoch):
            values = {"train/loss": record.train["loss"], experiment.train.monitor: None}
            values |= {f"valid/{name}": value for name, value in record.valid.items()}
            shown = ("train/loss", experiment.train.monitor)
            note = ", ".join(f"{k} {values[k]:.4g}" for k in shown if values[k] is not None)
            work.stages.show(stage, record.epoch, note)
            work.track(Mirror.advance)
            progress.show(1.0 if record.last else record.epoch / experiment.train.epochs)
    work.stages.end(stage, note)


@task(name="evaluate", cache_policy=NO_CACHE)
def evaluate_model(work: Work, experiment: Experiment) -> dict[str, Any]:
    """Scores the best epoch's network on the test part, beside the baselines."""
    stage = work.stages.begin("evaluate", total=None)
    result = conclude(work.folder, experiment, work.prepared, work.settings.home / "prepared")
    result_table(experiment.name, result)
    work.stages.end(stage, f"{len(work.prepared.parts['test']):,} items of the test part")
    return result


@task(name="draw", cache_policy=NO_CACHE)
def draw_figures(
    work: Work,
    experiment: Experiment,
    trials: list[dict[str, Any]],
    importance: Mapping[str, float],
) -> None:
    """The run's figures, as PNG files in its folder."""

    from rnnkit.report import draw

    stage = work.stages.begin("draw", total=None)
    predictions = predictions_of(work.folder)
    drawn = draw(work.folder, experiment, work.prepared, predictions, trials, importance)
    work.stages.end(stage, f"{len(drawn)} figures")


@task(name="report", cache_policy=NO_CACHE)
def write_report(
    work: Work, experiment: Experiment, trials: list[dict[str, Any]], result: dict[str, Any]
) -> None:
    """`report.html`: the run on one page that stands alone."""

    from rnnkit.report.run import write_run_report

    predictions = predictions_of(work.folder)
    write_run_report(work.folder, experiment, work.prepared, predictions, result, trials)
