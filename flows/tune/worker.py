"""A worker: takes trials from the study until none is left, and writes only folders.

A trial is held by a lock on its folder for as long as its worker lives. One that is running in the
study and not held was left by a worker that died: the next worker resumes it.
"""

import fcntl
import statistics
from contextlib import ExitStack
from dataclasses import replace

import optuna
from optuna.trial import TrialState
from prefect import task
from prefect.cache_policies import NO_CACHE

from flows import settings
from flows.pipeline.steps import Run
from flows.processes.workers import Parent, settle
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
from flows.tune.trials import DAMAGED, STOP, end_of, trainings, trial_folder, with_ranges
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.params.data import Data
from rnnkit.runs.run_folder import Busy, RunFolder
from rnnkit.runtime import files
from rnnkit.tasks import prepare
from rnnkit.training.loop import Epoch, train_into


@task(name="worker", cache_policy=NO_CACHE)
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

        Raises:
            StudyError: the study cannot be read, or contradicts the trials' folders.
        """
        with study_access(), (self.folder.path / "trials" / "turn").open("a") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)  # one worker at a time asks
            refuse_contradiction(self.study, self._recorded, self._points)
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
                    return optuna.Trial(self.study, trial._trial_id), place
                self.tell(trial.number, place)  # its worker died before it reported the end
                held.close()
            if is_failing(self.study, self.before) or not self._wanted(running):
                return None
            new = self.study.ask()
            place = trial_folder(self.folder, new.number)
            held.enter_context(place.lock())
            suggest(new, self.experiment)  # in turn, so that no two workers try one point
            return new, place

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
            if not self._train(trial, place, experiment):
                return
        except StudyError:  # no failure of the trial, which goes on later
            raise
        except Exception as error:  # one trial's failure is a result; the sweep goes on
            place.append("failed", reason=f"{type(error).__name__}: {error}")
            files.write_traceback(place.path)
        self.tell(trial.number, place)

    def _train(self, trial: optuna.Trial, place: RunFolder, experiment: Experiment) -> bool:
        """Trains all seeds and writes how it ended; False: it was interrupted."""
        seeds, by_seed = self.tune.seeds, self.tune.pruner.kind == "wilcoxon"
        with study_access():
            reported = self.study.trials[trial.number].intermediate_values
        known = {line["seed"]: line["value"] for line in place.records("seed")}
        values = []
        for k, (folder, training) in enumerate(trainings(place, experiment, seeds)):
            folder.create(training, {})
            for line in [] if by_seed else folder.records("epoch"):
                step, last = k * training.train.epochs + line["epoch"], line["last"]
                value = float(line["valid"][training.monitored])
                decides = not (last and k == seeds - 1)
                # A kill may come between the journal and the study.
                if step not in reported and self._prunes(trial, step, value, decides):
                    place.append("pruned")
                    return True
            for record in train_into(folder, training, self._data(training)):
                if self.stopped:
                    place.append("interrupted")
                    return False
                step = k * training.train.epochs + getattr(record, "epoch", 0)
                if not isinstance(record, Epoch) or by_seed or step in reported:
                    continue
                decides = not (record.last and k == seeds - 1)
                if self._prunes(trial, step, record.valid[training.monitored], decides):
                    place.append("pruned")
                    return True
            values.append(self._value(folder))
            if seeds > 1 and training.seed not in known:
                place.append(
                    "seed", seed=training.seed, value=values[-1], monitor=training.train.monitor
                )
            if not by_seed or k in reported:
                continue
            if self._prunes(trial, k, values[-1], k < seeds - 1):
                place.append("pruned")
                return True
        spread = {"deviation": statistics.stdev(values)} if seeds > 1 else {}
        place.append("finished", value=sum(values) / len(values), **spread)
        return True

    def _prunes(self, trial: optuna.Trial, step: int, value: float, decides: bool) -> bool:
        """Report a trial's metric; whether the pruner ends it, where it decides."""
        with study_access():
            trial.report(value, step)
            return decides and trial.should_prune()

    def _value(self, folder: RunFolder) -> float:
        """The best value of the monitored metric in a finished training."""
        newest = folder.newest_checkpoint()
        best = None if newest is None else newest[1]["best"]
        if best is None:
            raise ArithmeticError(f"{self.experiment.train.monitor} was never a finite number")
        return float(best)

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
