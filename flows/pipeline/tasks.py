"""The steps of a run as tasks of its flow run, with what Prefect's pages show of them."""

from collections.abc import Callable
from typing import Any

from flows.pages import FlowRun, key_of
from flows.pipeline import steps
from flows.pipeline.steps import Run, Search
from rnnkit.data.prepare.encoded_split import SPLITS
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.training.state import Epoch


def prepare_data(run: Run, link: Callable[[], str], flow_run: FlowRun) -> tuple[Run, Prepared]:
    """Tokenise, embed, pad: from the source to tensors on disk; see `steps.prepare`.

    Args:
        link: the run's page in MLflow; empty where MLflow does not answer. Called in a thread.
    """
    with flow_run.task("prepare") as task:
        run, prepared = steps.prepare(run)
        task.log(f"run {run.folder.id} on {prepared.facts['source']}: {split_sizes(prepared)}")
        for note in prepared.notes:
            task.log(note)
        task.link(key_of(run.experiment.name, "mlflow"), link, "the run in MLflow")
    return run, prepared


def train_model(
    run: Run, prepared: Prepared, show: Callable[[int, str], object], flow_run: FlowRun
) -> str:
    """Trains in the run's folder.

    Args:
        show: called with each epoch's number and metrics once it is on disk.

    Returns:
        the last epoch's metrics.
    """
    train, name, metrics = run.experiment.train, run.experiment.name, ""
    with flow_run.task("train") as task:
        progress = task.progress(key_of(name, "train"), f"{name}: train")
        for epoch in steps.train(run, prepared):
            if not isinstance(epoch, Epoch):
                continue
            values = {f"valid/{name}": value for name, value in epoch.valid.items()}
            values["train/loss"] = epoch.train["loss"]
            shown = [name for name in ("train/loss", run.experiment.monitor) if name in values]
            metrics = ", ".join(f"{name} {values[name]:.4g}" for name in shown)
            show(epoch.epoch, metrics)
            mark = ", the best so far" if epoch.improved else ""
            task.log(f"epoch {epoch.epoch}/{train.epochs}: {metrics}{mark}, {epoch.seconds:.1f} s")
            progress.show(1.0 if epoch.last else epoch.epoch / train.epochs)
    return metrics


def evaluate_model(run: Run, prepared: Prepared, flow_run: FlowRun) -> dict[str, Any]:
    """Scores the best epoch's network on the test split, beside the baselines."""
    with flow_run.task("evaluate") as task:
        scores = steps.evaluate(run, prepared)
        shown = [metric for metric in scores["shown"] if metric in scores["test"]]
        rows = [(scores["network"], scores["test"]), *scores["baselines"].items()]
        task.table(
            key_of(run.experiment.name, "result"),
            [
                {"": network, **{metric: metrics.get(metric) for metric in shown}}
                for network, metrics in rows
            ],
            scores["verdict"],
        )
        task.log(f"epoch {scores['best_epoch']} on the test split: {scores['verdict']}")
    return scores


def draw_figures(run: Run, prepared: Prepared, search: Search, flow_run: FlowRun) -> int:
    """Draws the run's figures; returns how many there are."""
    with flow_run.task("draw") as task:
        figures = steps.draw(run, prepared, search)
        task.log(f"{len(figures)} figures in {run.folder.path / 'figures'}")
        return len(figures)


def write_report(
    run: Run, prepared: Prepared, result: dict[str, Any], search: Search, flow_run: FlowRun
) -> None:
    """`report.html`: the run on one page that stands alone."""
    with flow_run.task("report") as task:
        steps.report(run, prepared, result, search)
        task.log(f"{run.folder.path / 'report.html'}")


def split_sizes(prepared: Prepared) -> str:
    """How many items the splits have, in words."""
    counts = " / ".join(f"{len(prepared.splits[split]):,}" for split in SPLITS)
    return f"{counts} items in train / valid / test"
