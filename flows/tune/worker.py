"""A worker: takes trials from the study until none is left, and writes only folders.

A trial is held by a lock on its folder for as long as its worker lives. One that is running in the
study and not held was left by a worker that died: the next worker resumes it.
"""

import fcntl
import statistics
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain

import optuna
from optuna.trial import TrialState

from flows import settings
from flows.pipeline.steps import Run
from flows.processes.workers import Parent, settle
from flows.tune.earlier import has_ended
from flows.tune.ranges import with_ranges
from flows.tune.recorded import RecordedTrials, sampler_attributes
from flows.tune.sampler import suggest
from flows.tune.study import (
    grid_points,
    is_failing,
    is_finished,
    load_study,
    refuse_contradiction,
)
from flows.tune.study_database import StudyDamaged, StudyError, study_access
from flows.tune.trials import DAMAGED, STOP, end_of, trainings, trial_folder
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.params.data import Data
from rnnkit.runs.run_folder import Busy, RunFolder
from rnnkit.runtime import files
from rnnkit.runtime.disk import disk_error
from rnnkit.tasks import prepare
from rnnkit.training.state import Epoch
from rnnkit.training.train_into import Stopped, train_into

WAIT_SECONDS = 0.1
"""Between two looks whether a reproducible sweep may begin its next trial."""


def work_on_trials(run: Run, parent: Parent, before: int) -> None:
    """Takes trials until there are no more to begin.

    Args:
        before: how many trials had ended when the sweep was started.
    """
    settle(parent)
    run = replace(run, experiment=with_ranges(run.folder))
    try:
        study = load_study(run.experiment, run.folder, settings.read(run.home))
        sweep = Sweep(run, study, before)
        while not sweep.stopped:
            with ExitStack() as held:
                taken = sweep.take(held)
                if taken is None:
                    break
                sweep.attempt(*taken)
    except StudyDamaged as damage:  # the parent makes it again and starts new workers
        files.write_atomic(run.folder.path / "trials" / DAMAGED, f"{damage}\n")


class Sweep:
    """A worker's part of a sweep, over the study that all workers share."""

    def __init__(self, run: Run, study: optuna.Study, before: int) -> None:
        assert run.experiment.tune is not None
        self.folder, self.experiment, self.tune = run.folder, run.experiment, run.experiment.tune
        self.study, self.before, self._run = study, before, run
        self._recorded = RecordedTrials(run.folder, run.experiment)
        self._points = grid_points(run.experiment)
        self._prepared: tuple[Data, Prepared] | None = None

    @property
    def stopped(self) -> bool:
        """Whether the parent has asked the workers to stop, or one of them met a damaged study."""
        trials = self.folder.path / "trials"
        return (trials / STOP).exists() or (trials / DAMAGED).exists()

    def take(self, held: ExitStack) -> tuple[optuna.Trial, RunFolder] | None:
        """The next trial, held: one that was left in the middle, or a new one; None: no more.

        Waits where a reproducible sweep may not begin the next one yet.

        Raises:
            StudyError: the study cannot be read, or contradicts the trials' folders.
        """
        while not self.stopped:
            with study_access(), (self.folder.path / "trials" / "turn").open("a") as turn:
                fcntl.flock(turn, fcntl.LOCK_EX)  # one worker at a time asks
                refuse_contradiction(self.study, self._recorded, self._points)
                left, running = self._left(held)
                if left is not None:
                    return left
                if is_failing(self.study, self.before) or not self._wanted(running):
                    return None
                if self._may_begin():
                    return self._new(held)
            time.sleep(WAIT_SECONDS)
        return None

    def _left(self, held: ExitStack) -> tuple[tuple[optuna.Trial, RunFolder] | None, int]:
        """A trial that was left in the middle, held, if there is one; and how many others run."""
        running = 0
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            place = trial_folder(self.folder, trial.number)
            try:
                held.enter_context(place.lock())
            except Busy:
                running += 1
                continue
            if self._state(trial.number) != TrialState.RUNNING:
                held.close()  # ended since the list was made
                continue
            if end_of(place.records()) in (None, "interrupted"):
                return (optuna.Trial(self.study, trial._trial_id), place), running
            self.tell(trial.number, place)  # its worker died before it reported the end
            held.close()
        return None, running

    def _new(self, held: ExitStack) -> tuple[optuna.Trial, RunFolder]:
        """A new trial, held, with its values: in turn, so that no two workers try one point."""
        new = self.study.ask()
        place = trial_folder(self.folder, new.number)
        held.enter_context(place.lock())
        suggest(new, self.experiment)
        return new, place

    def _may_begin(self) -> bool:
        """Whether all trials have ended that the next one's values and pruning follow from."""
        if not self.tune.reproducible:
            return True
        trials = self.study.get_trials(deepcopy=False)
        waiting = [trial.number for trial in trials if trial.state == TrialState.WAITING]
        number = min(waiting, default=len(trials))
        return has_ended(self.study, number, self.tune.workers)

    def _state(self, number: int) -> TrialState:
        """How a trial stands now; while its folder is held here, no other process changes it."""
        return self.study.get_trials(deepcopy=False)[number].state

    def _wanted(self, running: int) -> bool:
        waiting = self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        if self.tune.sampler.kind == "grid":
            return bool(waiting)
        kept = (TrialState.COMPLETE, TrialState.PRUNED)
        done = self.study.get_trials(deepcopy=False, states=kept)
        if len(done) + running >= self.tune.trials:
            return False
        return not is_finished(self.study, self.experiment, self.before)

    def attempt(self, trial: optuna.Trial, place: RunFolder) -> None:
        """Trains a trial from where it stands; its end goes to its journal, then to the study."""
        begun = place.records("begun")
        values = begun[0]["values"] if begun else suggest(trial, self.experiment)
        try:
            experiment = self.experiment.replace({**values, "tune": None})
            refusal = None
        except ValueError as error:  # the rules refuse these values together
            experiment, refusal = self.experiment.replace({"tune": None}), error
        place.create(experiment, {"values": values})
        if not begun:
            with study_access():
                asked = self.study.get_trials(deepcopy=False)[trial.number]
            place.append("begun", values=values, attributes=sampler_attributes(asked))
        try:
            if refusal is not None:
                raise refusal
            self._train(trial, place, experiment)
        except Stopped:
            place.append("interrupted")
            return
        except StudyDamaged:  # the trial goes on later
            raise
        except (OSError, StudyError) as error:  # the values are not to blame
            raise disk_error(error, place.path) or error from None
        except Exception as error:  # one trial's failure is a result; the sweep goes on
            place.append("failed", reason=f"{type(error).__name__}: {error}")
            files.write_traceback(place.path)
        self.tell(trial.number, place)

    def _train(self, trial: optuna.Trial, place: RunFolder, experiment: Experiment) -> None:
        """Trains all seeds and writes how it ended.

        Raises:
            Stopped: the parent asks the workers to stop.
        """
        seeds, by_seed = self.tune.seeds, self.tune.pruner.kind == "wilcoxon"
        with study_access():
            reported = self.study.trials[trial.number].intermediate_values
        reports = Reports(trial, reported)
        known = {line["seed"]: line["value"] for line in place.records("seed")}
        values = []
        for k, (folder, training) in enumerate(trainings(place, experiment, seeds)):
            folder.create(training, {})
            records = train_into(folder, training, self._data(training), lambda: self.stopped)
            trained = (vars(record) for record in records if isinstance(record, Epoch))
            for epoch in chain(folder.records("epoch"), trained):
                last = epoch["last"] and k == seeds - 1
                value = float(epoch["valid"][training.monitored])
                step = k * training.train.epochs + epoch["epoch"]
                if not by_seed and reports.is_pruned(value, step, last):
                    place.append("pruned")
                    return
            values.append(self._value(folder))
            if seeds > 1 and training.seed not in known:
                place.append("seed", seed=training.seed, value=values[-1], monitor=training.monitor)
            if by_seed and reports.is_pruned(values[-1], k, k == seeds - 1):
                place.append("pruned")
                return
        spread = {"deviation": statistics.stdev(values)} if seeds > 1 else {}
        place.append("finished", value=sum(values) / len(values), **spread)

    def _value(self, folder: RunFolder) -> float:
        """The best value of the monitored metric in a finished training."""
        newest = folder.newest_checkpoint()
        assert newest is not None
        return float(newest[1]["best"])

    def tell(self, number: int, place: RunFolder) -> None:
        """Tells the study how a trial ended, as its journal has it."""
        last = place.records()[-1]
        with study_access():
            if last["kind"] == "finished":
                self.study.tell(number, float(last["value"]))
            else:
                state = TrialState.PRUNED if last["kind"] == "pruned" else TrialState.FAIL
                self.study.tell(number, state=state)

    def _data(self, experiment: Experiment) -> Prepared:
        """A trial's data; they are the same for all unless the search goes over them."""
        data = experiment.data
        if self._prepared is None or self._prepared[0] != data:
            sha256 = self._run.data if data == self.experiment.data else None
            self._prepared = data, prepare(data, experiment.task, self._run.home, sha256)
        return self._prepared[1]


class Reports:
    """The values of a trial in the study.

    A worker may die between the writing of an epoch, its report and the decision to prune: the next
    worker does what is missing, from the journal.

    Args:
        trial: the trial.
        reported: value by step, from workers before this one.
    """

    def __init__(self, trial: optuna.Trial, reported: Mapping[int, float]) -> None:
        self._trial, self._reported = trial, set(reported)

    def is_pruned(self, value: float, step: int, last: bool) -> bool:
        """Report a value, once; whether the trial is pruned after it. The last one never is."""
        with study_access():
            if step not in self._reported:
                self._trial.report(value, step)
                self._reported.add(step)
            return not last and step == max(self._reported) and self._trial.should_prune()
