"""One run of a comparison, in a worker process: from its params to its report."""

import time
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.processes.workers import Parent, settle
from rnnkit.evaluation.finalize import NOT_SEARCHED, conclude, gathered, predictions_of
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import files, numerics
from rnnkit.tasks import prepare
from rnnkit.training.loop import train_into


@task(name="member", cache_policy=NO_CACHE)
def run_member(folder: str, home: str, stop: str, parent: Parent) -> None:
    """Trains, evaluates and draws a run whose folder has its params; why it failed is in it.

    Args:
        stop: a file; the run is left off, to go on later, once it is there.
        parent: waits for the comparison.
    """
    settle(parent)
    run = RunFolder(Path(folder))
    if run.status == "finished":
        return
    with run.lock():
        try:
            _run(run, Path(home), Path(stop))
        except Exception as error:  # the comparison's other runs go on
            run.append("failed", reason=f"{type(error).__name__}: {error}")
            files.write_traceback(run.path)


def _run(run: RunFolder, home: Path, stop: Path) -> None:
    from rnnkit.report import draw
    from rnnkit.report.run import write_run_report

    experiment = run.experiment
    numerics.set_threads(experiment.train.threads)
    clock = time.perf_counter()
    prepared = prepare(experiment.data, experiment.task, home)
    run.append("prepared", sha256=prepared.sha256, source=str(prepared.facts["source"]))
    for _ in train_into(run, experiment, prepared):
        if stop.exists():
            run.append("interrupted")
            return
    seconds = {"train": round(time.perf_counter() - clock, 2)}
    result = conclude(run, experiment, prepared, home / "prepared")
    predictions = predictions_of(run)
    draw(run, experiment, prepared, predictions, [], {})
    seconds["evaluate and draw"] = round(time.perf_counter() - clock - seconds["train"], 2)
    result = gathered(result, prepared, seconds, NOT_SEARCHED)
    write_run_report(run, experiment, prepared, predictions, result, [])
    run.finish(result)
