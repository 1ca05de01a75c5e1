"""A run of a comparison, in a worker process that writes only the run's folder."""

from pathlib import Path

from flows.pipeline import steps
from flows.pipeline.steps import Run, Search
from flows.processes.workers import Parent, settle
from rnnkit.runs.durations import LAST, Durations
from rnnkit.runtime import files, numerics
from rnnkit.training.train_into import Stopped


def run_member(run: Run, stop: Path, parent: Parent) -> None:
    """All steps of one run; why it failed is in its folder.

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
        except Stopped:
            run.folder.append("interrupted")
        except Exception as error:  # the comparison's other runs go on
            run.folder.append("failed", reason=f"{type(error).__name__}: {error}")
            files.write_traceback(run.folder.path)


def _run_alone(run: Run, stop: Path) -> None:
    numerics.set_threads(run.experiment.train.threads)
    durations = Durations(run.folder)
    durations.begin("train")
    run, prepared = steps.prepare(run)
    search = Search()
    for _ in steps.train(run, prepared, stop.exists):
        pass
    durations.begin("evaluate and draw")
    scores = steps.evaluate(run, prepared)
    steps.draw(run, prepared, search)
    durations.begin(LAST)
    result = steps.whole_result(scores, prepared, durations.seconds(), search)
    steps.report(run, prepared, result, search)
    run.folder.finish(result)
