"""Confirms the best trials of a sweep: further seeds decide among them.

The best of many trials, each trained with one seed, is good by luck as well. A training that
confirms a trial is a run folder of its own, `trials/confirm/trial-0003/seed-1`.
"""

import statistics
from pathlib import Path
from typing import Any

from flows.pages import FlowRun
from flows.pipeline.monitor import Monitor
from flows.pipeline.steps import Run
from flows.processes.workers import Parent, run_tasks, settle
from flows.settings import Settings
from flows.tune.attempts import Attempts
from flows.tune.trials import STOP, confirmations, end_of, ranked, trial_folder
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import files
from rnnkit.runtime.disk import disk_error
from rnnkit.tasks import prepare
from rnnkit.training.train_into import Stopped, train_into


def confirm(
    run: Run,
    experiment: Experiment,
    records: list[dict[str, Any]],
    settings: Settings,
    monitor: Monitor,
    flow_run: FlowRun,
) -> list[dict[str, Any]]:
    """Train the best trials with further seeds, where the params ask for it.

    Args:
        experiment: with the search as ranges.
        records: of the trials.

    Returns:
        the trials; of those that were confirmed value, deviation and seeds are of all seeds. A
        trial that cannot be trained with one of them has failed. The others are `unconfirmed`.

    Raises:
        SweepFailed: workers died.
    """
    tune = experiment.tune
    assert tune is not None
    if tune.confirm is None:
        return records
    best = {record["number"] for record in ranked(records, experiment)[: tune.confirm]}
    trainings = {
        number: confirmations(trial_folder(run.folder, number), experiment) for number in best
    }
    every = [training for number in sorted(best) for training in trainings[number]]
    total = sum(training.train.epochs for _, training in every)
    stage = monitor.stages.begin("confirm", total=total)

    def show() -> None:
        finished = sum(_is_ended(folder) for folder, _ in every)
        note = f"{finished}/{len(every)} trainings of the best {len(best)} trials"
        monitor.stages.show(stage, _epochs(every), note)

    attempts, stop = Attempts(), run.folder.path / "trials" / STOP
    while left := [training for training in every if not _is_ended(training[0])]:
        work = [
            (
                train_confirmation,
                {"run": run, "parent": Parent.here(), "path": folder.path, "training": training},
            )
            for folder, training in left
        ]
        follow = flow_run.follow("confirm", len(left))
        if not run_tasks(settings, min(tune.workers, len(left)), work, show, stop, follow):
            attempts.failed(_epochs(every))
    monitor.stages.end(stage, f"the best {len(best)} trials with {tune.confirm_seeds} seeds each")
    return [
        _confirmed(record, [folder for folder, _ in trainings[record["number"]]])
        if record["number"] in best
        else {**record, "unconfirmed": True}
        for record in records
    ]


def train_confirmation(run: Run, parent: Parent, path: Path, training: Experiment) -> None:
    """Train one seed of a trial, in a worker, from where it stands; its end goes to its journal."""
    settle(parent)
    folder, stop = RunFolder(path), run.folder.path / "trials" / STOP
    with folder.lock():
        if _is_ended(folder):
            return
        folder.create(training, {})
        sha256 = run.data if training.data == run.experiment.data else None
        prepared = prepare(training.data, training.task, run.home, sha256)
        try:
            for _ in train_into(folder, training, prepared, stop.exists):
                pass
            newest = folder.newest_checkpoint()
            assert newest is not None
            folder.append("finished", value=float(newest[1]["best"]))
        except Stopped:
            folder.append("interrupted")
        except OSError as error:  # the training is not to blame
            raise disk_error(error, path) or error from None
        except Exception as error:
            folder.append("failed", reason=f"{type(error).__name__}: {error}")
            files.write_traceback(path)


def _is_ended(folder: RunFolder) -> bool:
    return end_of(folder.records()) in ("finished", "failed")


def _epochs(trainings: list[tuple[RunFolder, Experiment]]) -> int:
    return sum(len(folder.records("epoch")) for folder, _ in trainings)


def _confirmed(record: dict[str, Any], folders: list[RunFolder]) -> dict[str, Any]:
    """A trial over all its seeds."""
    epochs = [line for folder in folders for line in folder.records("epoch")]
    cost = {
        "epochs": record["epochs"] + len(epochs),
        "seconds": record["seconds"] + sum(line["seconds"] for line in epochs),
    }
    seeds = dict(record["seeds"])
    for folder in folders:
        end = folder.records()[-1]
        seed = folder.experiment.seed
        if end["kind"] == "failed":
            reason = f"seed {seed}: {end['reason']}"
            return {**record, **cost, "state": "failed", "reason": reason}
        seeds[seed] = float(end["value"])
    values = list(seeds.values())
    mean, deviation = statistics.mean(values), statistics.stdev(values)
    return {**record, **cost, "seeds": seeds, "value": mean, "deviation": deviation}
