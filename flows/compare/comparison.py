"""The flow `compare`: runs what is missing, then lays the runs beside each other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas
from prefect import flow
from prefect.artifacts import create_table_artifact

from flows import settings as places
from flows.compare.folders import comparison_folder, member_folder
from flows.console import Stages
from flows.pipeline.artifacts import key_of
from flows.pipeline.member import run_member
from flows.pipeline.work import Work
from flows.processes.workers import Parent, run_tasks
from flows.tracking import VARIANT, Mirror
from rnnkit.data.prepare import data_sha256
from rnnkit.evaluation.comparison.members import Member, members
from rnnkit.evaluation.comparison.table import TABLE, Groups, table
from rnnkit.evaluation.finalize import network_name
from rnnkit.params import Experiment
from rnnkit.report.comparison import rows, sentences, write_comparison_report
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics, process_settings
from rnnkit.runtime.files import sha256_json

STOP = "stop"  # a file in the comparison's folder: the workers are to leave off


class ComparisonFailed(RuntimeError):
    """A run of a comparison failed."""


@flow(name="compare", flow_run_name="{experiment.name}", log_prints=False)
def compare_variants(experiment: Experiment, home: Path, workers: int) -> str:
    """Variants x seeds of one params file, in parallel, into one table.

    Args:
        experiment: with variants or seeds.
        home: the output folder.
        workers: how many runs at once.

    Returns:
        the comparison's folder.

    Raises:
        ComparisonFailed: a run failed; the others are finished.
        Busy: another process is making this very comparison.
    """
    settings = places.read(home)
    each = members(experiment)
    runs = [member_folder(member, settings) for member in each]
    names = [member.variant for member in each]
    folder = comparison_folder(settings, experiment.name, runs, names)
    if folder.status == "finished":
        return str(folder.path)
    with folder.lock(), Stages() as stages:
        work = Work(experiment, settings, folder, stages)
        (folder.path / STOP).unlink(missing_ok=True)
        facts = {**numerics.fingerprint(), **process_settings.settle()}
        folder.create(experiment, facts)
        with work.marked():
            _run_all(work, each, runs, workers, facts)
            groups: dict[str, list[RunFolder]] = {}
            for member, run in zip(each, runs, strict=True):
                groups.setdefault(member.variant, []).append(run)
            _conclude(work, groups, table(groups))
    return str(folder.path)


@flow(name="compare runs", log_prints=False)
def compare_runs(runs: list[str], home: Path) -> str:
    """Finished runs, made at any time, in one table; those that differ by their seed are one row.

    Args:
        runs: their folders; the first one's variant is the reference.
        home: the output folder.

    Returns:
        the comparison's folder.
    """
    settings = places.read(home)
    folders = [RunFolder(Path(run)) for run in runs]
    groups = grouped(folders)
    experiment = folders[0].experiment
    folder = comparison_folder(settings, experiment.name, folders)
    if folder.status == "finished":
        return str(folder.path)
    found = table(groups)  # what cannot be compared leaves nothing behind
    with folder.lock(), Stages() as stages:
        work = Work(experiment, settings, folder, stages)
        folder.create(experiment, numerics.fingerprint())
        with work.marked():
            _conclude(work, groups, found)
    return str(folder.path)


def grouped(runs: Sequence[RunFolder]) -> Groups:
    """Runs by what they are but for their seed, called by their network where that is enough."""
    found: dict[str, list[RunFolder]] = {}
    for run in runs:
        same = run.experiment.replace({"seed": 0}).model_dump(mode="json")
        found.setdefault(sha256_json(same), []).append(run)
    names = [network_name(members[0].experiment) for members in found.values()]
    if len(set(names)) < len(names):
        names = [
            f"{name} ({members[0].id})" for name, members in zip(names, found.values(), strict=True)
        ]
    return dict(zip(names, found.values(), strict=True))


def _run_all(
    work: Work,
    each: Sequence[Member],
    runs: Sequence[RunFolder],
    workers: int,
    facts: dict[str, Any],
) -> None:
    """Runs what is not finished, shown on the screen and in MLflow while it goes on."""
    epochs = sum(member.experiment.train.epochs for member in each)
    stage = work.stages.begin("compare", total=epochs)
    waiting = []
    for member, run in zip(each, runs, strict=True):
        if run.status != "finished":
            mine = member.experiment
            sha256 = data_sha256(mine.data, mine.task)
            run.create(mine, {**facts, "data": sha256, "date": "", "again": 0})
            waiting.append(run)
    mirrors: dict[str, Mirror] = {}

    def show(last: bool = False) -> None:
        def bring(parent: Mirror) -> None:
            for member, run in zip(each, runs, strict=True):
                _bring(work, parent, member, run, mirrors)

        work.track(bring, last=last)
        done = [_epochs(member, run) for member, run in zip(each, runs, strict=True)]
        finished = sum(run.status == "finished" for run in runs)
        work.stages.show(stage, sum(done), f"{finished}/{len(runs)} runs")

    stop, parent = work.folder.path / STOP, Parent.here()
    tasks = [
        (
            run_member,
            {
                "folder": str(run.path),
                "home": str(work.settings.home),
                "stop": str(stop),
                "parent": parent,
            },
        )
        for run in waiting
    ]
    if tasks and not run_tasks(work.settings, min(workers, len(tasks)), tasks, show, stop):
        raise ComparisonFailed(
            "a worker died, as processes do that the system kills for memory; "
            "the same command goes on, with --workers 1 perhaps"
        )
    show(last=True)
    for member, run in zip(each, runs, strict=True):
        if run.status != "finished":
            failed = run.records("failed")
            why = failed[-1]["reason"] if failed else "it was interrupted"
            raise ComparisonFailed(f"{member.variant}, seed {member.experiment.seed}: {why}")
    work.stages.end(stage, f"{len(runs)}/{len(runs)} runs")


def _bring(
    work: Work, parent: Mirror, member: Member, run: RunFolder, mirrors: dict[str, Mirror]
) -> None:
    """Brings a member to MLflow as far as it is."""
    lines = run.records()
    if not lines:
        return
    if run.id not in mirrors:
        mirrors[run.id] = Mirror(work.tracker, run, parent, {VARIANT: member.variant})
    mirror, last = mirrors[run.id], lines[-1]["kind"]
    if mirror.is_closed(lines):
        return
    if last == "finished" and run.status == "finished":
        mirror.finish("finished")
    elif last in ("failed", "interrupted"):
        mirror.finish("failed" if last == "failed" else "interrupted")
    else:
        mirror.advance()


def _epochs(member: Member, run: RunFolder) -> int:
    """How many of a member's epochs are done; all of them once it is finished."""
    lines = run.records()
    if lines and lines[-1]["kind"] == "finished":
        return member.experiment.train.epochs
    return sum(line["kind"] == "epoch" for line in lines)


def _conclude(work: Work, groups: Groups, found: pandas.DataFrame) -> None:
    """The table, the page and the run in MLflow."""
    stage = work.stages.begin("lay side by side", total=None)
    place = work.folder.path
    found.to_parquet(place / TABLE)
    write_comparison_report(place, groups, found)
    work.folder.finish({"runs": {name: [run.id for run in runs] for name, runs in groups.items()}})
    work.finish("finished")
    create_table_artifact(
        table=rows(found),
        key=key_of(work.experiment.name, "comparison"),
        description=" ".join(sentences(found)),
    )
    work.stages.end(stage, f"{len(found)} variants")
