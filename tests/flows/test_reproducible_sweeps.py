"""`tune.reproducible`: the same points, pruning and winner every time, with two workers."""

from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import optuna
import pytest
from optuna.trial import TrialState
from sweep_home import EXPERIMENT

from flows import settings as places
from flows.console import Stages
from flows.pipeline.monitor import Monitor
from flows.pipeline.steps import Run
from flows.processes import workers
from flows.processes.workers import Processes
from flows.tune import sweep as sweeps
from flows.tune import worker
from flows.tune.earlier import EarlierPruner, earlier_trials, has_ended
from flows.tune.study import load_study, open_study, pruner
from flows.tune.trials import epochs_done, trial_folders
from rnnkit.data.prepare import data_sha256
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import prepare

REPRODUCIBLE = EXPERIMENT.replace(
    {"tune.reproducible": True, "tune.workers": 2, "tune.trials": 9, "train.epochs": 4}
)


class Killed(Exception):
    """The process that runs a sweep was killed."""


class Pool:
    """Two worker processes, which stay for the next sweep unless they are killed."""

    def __init__(self) -> None:
        self._processes: Processes | None = None

    def runner(self, *_: Any) -> Any:
        self._processes = self._processes or Processes(2)
        return nullcontext(self._processes)

    def kill(self) -> None:
        if self._processes is not None:
            self._processes.kill()
            self._processes.shutdown()
            self._processes = None


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    made = Pool()
    yield made
    made.kill()


def run_sweep(home: Path, experiment: Experiment, pool: Pool, kill_after: int = 0) -> Any:
    """What a sweep of two processes finds.

    Args:
        kill_after: all its processes are killed when its trials have done so many epochs.
    """
    home.mkdir(exist_ok=True)
    data = data_sha256(experiment.data, experiment.task)
    prepare(experiment.data, experiment.task, home, data)
    run = Run(experiment, RunFolder(home / "run"), home, data)
    run.folder.create(experiment, {})

    def watch(*_: Any) -> None:
        if kill_after and sum(map(epochs_done, trial_folders(run.folder))) >= kill_after:
            pool.kill()
            raise Killed

    settings = places.read(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "make_runner", pool.runner)
        patch.setattr(workers, "POLL_SECONDS", 0.02)
        patch.setattr(Monitor, "send_children", watch)
        unused: Any = None  # data for percentiles
        search = sweeps.sweep(
            run, unused, settings, Monitor(settings, run.folder, Stages()), Mock()
        )
    keys = ("number", "values", "state", "curve", "value")
    return search.values, [{key: record[key] for key in keys} for record in search.trials]


GRID = {"kind": "grid", "points": 3}


@pytest.mark.parametrize(
    "sampler",
    [
        {"kind": "tpe"},
        pytest.param({"kind": "random"}, marks=pytest.mark.slow),
        pytest.param(GRID, marks=pytest.mark.slow),
    ],
)
def test_two_workers_find_the_same_twice_also_after_a_kill(
    tmp_path: Path, pool: Pool, sampler: dict[str, Any]
) -> None:
    experiment = REPRODUCIBLE.replace({"tune.sampler": sampler})
    first = run_sweep(tmp_path / "a", experiment, pool)
    with pytest.raises(Killed):
        run_sweep(tmp_path / "b", experiment, pool, kill_after=8)
    assert run_sweep(tmp_path / "b", experiment, pool) == first
    states = [trial["state"] for trial in first[1]]
    assert states.count("complete") + states.count("pruned") == 9
    assert {"complete", "pruned"} == set(states)
    assert len({str(trial["values"]) for trial in first[1]}) == 9


def study_of(folder: Path, experiment: Experiment) -> optuna.Study:
    run = RunFolder(folder / "run")
    run.create(experiment, {})
    (run.path / "trials").mkdir(exist_ok=True)
    return open_study(experiment, run, places.read(folder))


def suggested(study: optuna.Study, experiment: Experiment) -> optuna.Trial:
    from flows.tune.sampler import suggest

    trial = study.ask()
    suggest(trial, experiment)
    return trial


@pytest.mark.parametrize("kind", ["random", "tpe", "gp", "cmaes"])
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_point_does_not_depend_on_how_the_trial_before_stands(tmp_path: Path, kind: str) -> None:
    """Of two workers, the other one may be in the middle of that trial, or through with it."""
    experiment = REPRODUCIBLE.replace({"tune.sampler.kind": kind})

    def points(folder: Path, is_slow: bool) -> list[dict[str, Any]]:
        folder.mkdir()
        study, trials = study_of(folder, experiment), []
        for number in range(9):
            trials.append(suggested(study, experiment))
            last = trials[-2:][0] if is_slow else trials[-1]
            if not is_slow or number:
                study.tell(last, (last.params["train.clip"] - 3) ** 2)
        return [trial.params for trial in trials]

    assert points(tmp_path / "a", is_slow=False) == points(tmp_path / "b", is_slow=True)


def test_a_trial_knows_results_of_those_below_and_points_of_those_between(tmp_path: Path) -> None:
    study = study_of(tmp_path, REPRODUCIBLE)
    for number in range(4):
        trial = suggested(study, REPRODUCIBLE)
        trial.report(0.5, 1)
        if number != 1:
            study.tell(trial, float(number))
    known = earlier_trials(study, 3, workers=2).get_trials()
    assert [trial.state.name for trial in known] == ["COMPLETE", "RUNNING", "RUNNING", "RUNNING"]
    assert [trial.value for trial in known] == [0.0, None, None, None]
    assert known[2].params == study.trials[2].params
    assert known[2].intermediate_values == {}
    assert known[3].params == {}
    assert has_ended(study, 2, workers=2)
    assert not has_ended(study, 3, workers=2)  # trial 1 goes on


def test_a_worker_waits_for_the_trials_that_the_next_one_follows_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of(tmp_path, REPRODUCIBLE)
    run = Run(REPRODUCIBLE, RunFolder(tmp_path / "run"), tmp_path, "")
    sweep = worker.Sweep(run, study, 0)
    with ExitStack() as first, ExitStack() as second, ExitStack() as third:
        taken = sweep.take(first)
        assert taken is not None
        assert sweep.take(second) is not None
        second.close()
        place = worker.trial_folder(run.folder, 1)
        place.append("begun", values=study.trials[1].params)
        place.append("finished", value=0.5)
        sweep.tell(1, place)
        waited = []

        def end_the_first(_: float) -> None:
            waited.append(1)
            taken[1].append("begun", values=study.trials[0].params)
            taken[1].append("finished", value=0.5)
            sweep.tell(0, taken[1])

        monkeypatch.setattr(worker, "time", SimpleNamespace(sleep=end_the_first))
        later = sweep.take(third)
        assert later is not None
        assert later[0].number == 2
        assert waited == [1]


def test_a_decision_to_prune_is_the_same_after_a_kill_between_report_and_decision(
    tmp_path: Path,
) -> None:
    """The pruner has kept its rung with the trial, and the worker died before it wrote the end."""
    experiment = REPRODUCIBLE.replace({"tune.sampler.kind": "random"})
    study, decisions = study_of(tmp_path, experiment), []
    for number in range(8):
        trial = suggested(study, experiment)
        is_pruned = False
        for step in range(1, 4):
            trial.report(float(number), step)
            is_pruned = trial.should_prune()
            again = load_study(experiment, RunFolder(tmp_path / "run"), places.read(tmp_path))
            resumed = optuna.Trial(again, trial._trial_id)
            assert resumed.should_prune() == is_pruned
            if is_pruned:
                break
        decisions.append(is_pruned)
        state = TrialState.PRUNED if is_pruned else TrialState.COMPLETE
        study.tell(trial, None if is_pruned else float(number), state)
    assert set(decisions) == {True, False}


def test_only_a_reproducible_study_prunes_by_the_earlier_trials() -> None:
    assert isinstance(pruner(REPRODUCIBLE), EarlierPruner)
    free = REPRODUCIBLE.replace({"tune.reproducible": False})
    assert isinstance(pruner(free), optuna.pruners.HyperbandPruner)
