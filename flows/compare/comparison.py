"""The flow `compare`: runs what is missing, then lays the runs beside each other."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas

from flows.compare import comparison_folder
from flows.compare.member import run_member
from flows.console import Stages
from flows.pages import FlowRun, key_of
from flows.pipeline.left_runs import claim
from flows.pipeline.monitor import Monitor
from flows.pipeline.steps import Run
from flows.processes.workers import Parent, run_tasks
from flows.settings import Settings
from flows.tracking.mirror import ENDS, VARIANT, End
from rnnkit.evaluation.comparison.members import members
from rnnkit.evaluation.comparison.table import TABLE, Groups, table
from rnnkit.params import Experiment
from rnnkit.params.public import hashed_params
from rnnkit.report.comparison import rows, sentences, write_comparison_report
from rnnkit.runs.identity import Identity
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics, process_settings
from rnnkit.runtime.files import sha256_json
from rnnkit.runtime.provenance import provenance

STOP = "stop"  # a file in the comparison's folder: ends the workers


class ComparisonFailed(RuntimeError):
    """A run of a comparison failed."""


def parameters_of(
    experiment: Experiment, settings: Settings, workers: int, identities: Sequence[Identity]
) -> dict[str, Any]:
    """What a comparison is made with, as Prefect's pages show it."""
    return {
        "experiment": experiment.model_dump(mode="json"),
        "home": str(settings.home),
        "workers": workers,
        "identities": [asdict(identity) for identity in identities],
    }


def compare_variants(
    experiment: Experiment,
    settings: Settings,
    flow_run: FlowRun,
    workers: int,
    identities: Sequence[Identity],
) -> None:
    """Variants x seeds of one params file, several runs at once, into one table.

    Args:
        flow_run: shows the comparison in Prefect's pages.

    Raises:
        ComparisonFailed: a run failed; the others are finished.
    """
    of_params = members(experiment)
    names = [member.variant for member in of_params]
    runs = [
        Run(m.experiment, RunFolder(settings.runs / i.run), settings.home, i.data)
        for m, i in zip(of_params, identities, strict=True)
    ]
    folder = comparison_folder(settings, experiment.name, [run.folder.id for run in runs], names)
    if folder.status == "finished":
        return
    with folder.lock(), Stages() as stages:
        (folder.path / STOP).unlink(missing_ok=True)
        facts = {**numerics.fingerprint(), **provenance(), **process_settings.settle()}
        folder.create(experiment, facts)
        claim(flow_run, settings, folder.id, experiment)
        monitor = Monitor(settings, folder, stages)
        with monitor.until_finished():
            for run in runs:
                if run.folder.status != "finished":
                    run_facts = {**facts, "data": run.data, "date": "", "again": 0}
                    run.folder.create(run.experiment, run_facts)
            _run_all(runs, names, settings, workers, folder.path / STOP, monitor, flow_run)
            groups: dict[str, list[RunFolder]] = {}
            for name, run in zip(names, runs, strict=True):
                groups.setdefault(name, []).append(run.folder)
            _conclude(folder, experiment.name, groups, table(groups), monitor, flow_run)


def compare_runs(runs: Sequence[str], settings: Settings, flow_run: FlowRun) -> None:
    """Finished runs, made at any time, in one table; those that differ by their seed are one row.

    Args:
        runs: their folders; the first one's variant is the reference.
        flow_run: shows the comparison in Prefect's pages.
    """
    folders = [RunFolder(Path(run)) for run in runs]
    groups = grouped(folders)
    experiment = folders[0].trained
    folder = comparison_folder(settings, experiment.name, [run.id for run in folders])
    if folder.status == "finished":
        return
    scores = table(groups)  # what cannot be compared leaves nothing behind
    with folder.lock(), Stages() as stages:
        folder.create(experiment, {**numerics.fingerprint(), **provenance()})
        claim(flow_run, settings, folder.id, experiment)
        monitor = Monitor(settings, folder, stages)
        with monitor.until_finished():
            _conclude(folder, experiment.name, groups, scores, monitor, flow_run)


def grouped(runs: Sequence[RunFolder]) -> Groups:
    """Runs by the params of their networks but for the seed, called by the network where that is
    enough; of a sweep these are the params that it chose."""
    groups: dict[str, list[RunFolder]] = {}
    for run in runs:
        same = hashed_params(run.trained.replace({"seed": 0}))
        groups.setdefault(sha256_json(same), []).append(run)
    names = [group[0].result["network"] for group in groups.values()]
    if len(set(names)) < len(names):
        names = [
            f"{name} ({group[0].id})" for name, group in zip(names, groups.values(), strict=True)
        ]
    return dict(zip(names, groups.values(), strict=True))


def _run_all(
    runs: Sequence[Run],
    names: Sequence[str],
    settings: Settings,
    workers: int,
    stop: Path,
    monitor: Monitor,
    flow_run: FlowRun,
) -> None:
    """Runs what is not finished, shown on the screen, in MLflow and Prefect while it goes on."""
    epochs = sum(run.experiment.train.epochs for run in runs)
    stage = monitor.stages.begin("compare", total=epochs)
    children = [(run.folder, {VARIANT: name}) for run, name in zip(runs, names, strict=True)]
    logged = {run.folder.id for run in runs if run.folder.status == "finished"}
    flow_run.log(f"{len(runs)} runs by {workers} workers; {len(logged)} are finished already")

    def show() -> None:
        monitor.send_children(children, _end_of)
        for run, name in zip(runs, names, strict=True):
            if run.folder.id not in logged and run.folder.status == "finished":
                logged.add(run.folder.id)
                verdict = run.folder.result["verdict"]
                flow_run.log(f"{name}, seed {run.experiment.seed}: {run.folder.id}. {verdict}")
        finished = sum(run.folder.status == "finished" for run in runs)
        note = f"{finished}/{len(runs)} runs"
        monitor.stages.show(stage, sum(_epochs(run) for run in runs), note)

    parent = Parent.here()
    work = [
        (run_member, {"run": run, "stop": stop, "parent": parent})
        for run in runs
        if run.folder.status != "finished"
    ]
    follow = flow_run.follow("member", len(work))
    if work and not run_tasks(settings, min(workers, len(work)), work, show, stop, follow):
        raise ComparisonFailed(
            "a worker died, as processes do that the system kills for memory; "
            "the same command goes on, with --workers 1 perhaps"
        )
    show()
    for run, name in zip(runs, names, strict=True):
        if run.folder.status != "finished":
            failed = run.folder.records("failed")
            why = failed[-1]["reason"] if failed else "it was interrupted"
            raise ComparisonFailed(f"{name}, seed {run.experiment.seed}: {why}")
    monitor.stages.end(stage, f"{len(runs)}/{len(runs)} runs")


def _end_of(run: RunFolder, lines: Sequence[Mapping[str, Any]]) -> End | None:
    end = ENDS.get(lines[-1]["kind"])
    return None if end == "finished" and run.status != "finished" else end


def _epochs(run: Run) -> int:
    """How many of a run's epochs are done; all of them once it is finished."""
    lines = run.folder.records()
    if lines and lines[-1]["kind"] == "finished":
        return run.experiment.train.epochs
    return sum(line["kind"] == "epoch" for line in lines)


def _conclude(
    folder: RunFolder,
    name: str,
    groups: Groups,
    scores: pandas.DataFrame,
    monitor: Monitor,
    flow_run: FlowRun,
) -> None:
    stage = monitor.stages.begin("lay side by side", total=None)
    scores.to_parquet(folder.path / TABLE)
    write_comparison_report(folder.path, groups, scores)
    folder.finish({"runs": {name: [run.id for run in runs] for name, runs in groups.items()}})
    monitor.finish("finished")
    flow_run.table(key_of(name, "comparison"), rows(scores), " ".join(sentences(scores)))
    monitor.stages.end(stage, f"{len(scores)} variants")
