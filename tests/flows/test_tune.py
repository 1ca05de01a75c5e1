"""A sweep's parts that need no processes: what is suggested, what is best, what a kill leaves."""

import copy
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import optuna
import pytest
from optuna.trial import TrialState

from flows import settings as places
from flows.console import Stages
from flows.pipeline.monitor import Monitor
from flows.pipeline.steps import Run
from flows.processes import workers
from flows.tune import sampler, trials, worker
from flows.tune import study as studies
from flows.tune import sweep as sweeps
from rnnkit.data.prepare import data_sha256
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params.tune import Percentiles
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import prepare
from rnnkit.training.gradient_norms import norm_range


@pytest.fixture
def experiment() -> Experiment:
    return Experiment.model_validate(
        {
            "name": "x",
            "task": {"kind": "tagging"},
            "data": {
                "source": {"kind": "builtin", "name": "python_tokens"},
                "tokenizer": {"kind": "characters"},
            },
            "train": {"monitor": "valid/loss"},
            "tune": {
                "trials": 12,
                "search": {
                    "train.clip": {"low": 1, "high": 10, "log": True},
                    "model.depth": {"low": 1, "high": 3},
                    "model.dropout": {"choices": [0.0, 0.5]},
                },
            },
        }
    )


def study_of(experiment: Experiment, folder: Path) -> optuna.Study:
    run = RunFolder(folder / "run")
    run.create(experiment, {})
    (run.path / "trials").mkdir(exist_ok=True)
    return studies.open_study(experiment, run, places.read(folder))


def test_a_key_that_takes_whole_numbers_gets_them_and_others_fractions(
    experiment: Experiment, tmp_path: Path
) -> None:
    study = study_of(experiment, tmp_path)
    for _ in range(5):
        values = sampler.suggest(study.ask(), experiment)
        assert isinstance(values["model.depth"], int)
        assert isinstance(values["train.clip"], float)
        assert values["model.dropout"] in (0.0, 0.5)
        assert experiment.replace({**values, "tune": None}).model.depth == values["model.depth"]


@pytest.mark.parametrize("kind", ["random", "tpe", "gp", "cmaes"])
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_range_with_a_step_gets_its_values_alone(
    experiment: Experiment, tmp_path: Path, kind: str
) -> None:
    search = {
        "model.hidden": {"low": 8, "high": 24, "step": 8},
        "model.dropout": {"low": 0.1, "high": 0.4, "step": 0.1},
    }
    stepped = experiment.replace({"tune.search": search, "tune.sampler.kind": kind})
    study, points = study_of(stepped, tmp_path), set()
    for _ in range(12):
        assert not studies.is_finished(study, stepped, 0)
        trial = study.ask()
        values = sampler.suggest(trial, stepped)
        points.add((values["model.hidden"], values["model.dropout"]))
        study.tell(trial, values["model.dropout"])
    assert points == {(h, d) for h in (8, 16, 24) for d in (0.1, 0.2, 0.3, 0.4)}
    assert studies.is_finished(study, stepped, 0)


def test_a_trial_killed_while_it_is_drawn_gets_the_same_point(
    experiment: Experiment, tmp_path: Path
) -> None:
    """Its worker wrote one value of three into the study."""
    points = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        study = study_of(experiment, tmp_path / name)
        for _ in range(3):
            sampler.suggest(study.ask(), experiment)
        trial = study.ask()
        if name == "b":
            trial.suggest_float("train.clip", 1, 10, log=True)
            again = studies.load_study(
                experiment, RunFolder(tmp_path / name / "run"), places.read(tmp_path / name)
            )
            trial = optuna.Trial(again, trial._trial_id)
        points.append(sampler.suggest(trial, experiment))
    assert points[0] == points[1]


def test_a_resumed_study_suggests_what_the_uninterrupted_one_would(
    experiment: Experiment, tmp_path: Path
) -> None:
    def suggested(folder: Path, interrupted: bool) -> list[dict[str, Any]]:
        found = []
        study = study_of(experiment, folder)
        for number in range(8):
            if interrupted and number == 5:
                study = studies.load_study(
                    experiment, RunFolder(folder / "run"), places.read(folder)
                )
            trial = study.ask()
            found.append(sampler.suggest(trial, experiment))
            study.tell(trial, found[-1]["train.clip"])
        return found

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = suggested(tmp_path / "a", interrupted=False)
    assert first == suggested(tmp_path / "b", interrupted=True)
    assert len({values["train.clip"] for values in first}) == 8


def trial_folder(
    run: RunFolder, number: int, *kinds: str, study: optuna.Study | None = None
) -> RunFolder:
    """A trial's folder, with the values that the study has for it."""
    folder = trials.trial_folder(run, number)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.append("begun", values=study.trials[number].params if study else {"train.clip": 1.0})
    for kind in kinds:
        more = {"valid": {"loss": 1.0 / (number + 1)}, "epoch": 1} if kind == "epoch" else {}
        folder.append(kind, **more, **({"value": 0.5} if kind == "finished" else {}))
    return folder


def hands(experiment: Experiment, folder: Path, before: int = 0) -> worker.Sweep:
    study = study_of(experiment, folder)
    data = data_sha256(experiment.data, experiment.task)
    run = Run(experiment, RunFolder(folder / "run"), folder, data)
    return worker.Sweep(run, study, before)


def test_ended_trials_that_a_kill_left_open_are_told_and_the_rest_goes_on(
    experiment: Experiment, tmp_path: Path
) -> None:
    sweep = hands(experiment, tmp_path)
    for _ in range(4):
        sampler.suggest(sweep.study.ask(), experiment)
    run = RunFolder(tmp_path / "run")
    trial_folder(run, 0, "epoch", "finished", study=sweep.study)
    trial_folder(run, 1, "epoch", "pruned", study=sweep.study)
    trial_folder(run, 2, "epoch", study=sweep.study)
    with ExitStack() as held, ExitStack() as other:
        taken = [sweep.take(held), sweep.take(other)]
        assert [trial.number for trial, _ in taken if trial] == [2, 3]
        new = sweep.take(ExitStack())  # both that were left are held now
        assert new is not None
        assert new[0].number == 4
    states = [trial.state for trial in sweep.study.get_trials()][:3]
    assert states == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING]
    assert sweep.study.get_trials()[0].value == 0.5
    assert [r["number"] for r in trials.trial_records(run, experiment)] == [0, 1]


def test_a_trial_that_is_told_between_the_list_and_the_lock_is_left_alone(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker ends its trial just after this one has seen it running."""
    sweep = hands(experiment, tmp_path)
    sampler.suggest(sweep.study.ask(), experiment)
    running = [copy.deepcopy(trial) for trial in sweep.study.get_trials()]
    trial_folder(RunFolder(tmp_path / "run"), 0, "epoch", "finished", study=sweep.study)
    sweep.study.tell(0, 0.5)
    now = sweep.study.get_trials

    def stale(deepcopy: bool = True, states: Any = None) -> Any:
        return running if states == (TrialState.RUNNING,) else now(deepcopy, states)

    monkeypatch.setattr(sweep.study, "get_trials", stale)
    with ExitStack() as held:
        taken = sweep.take(held)
    assert taken is not None
    assert taken[0].number == 1
    assert [trial.state for trial in now()] == [TrialState.COMPLETE, TrialState.RUNNING]


def test_failed_trials_do_not_count_and_five_in_a_row_end_the_sweep(
    experiment: Experiment, tmp_path: Path
) -> None:
    few = experiment.replace({"tune.trials": 1})
    sweep = hands(few, tmp_path)
    run = RunFolder(tmp_path / "run")
    for number in range(5):
        with ExitStack() as held:
            taken = sweep.take(held)
            assert taken is not None
            trial_folder(run, number, "failed", study=sweep.study)
            sweep.tell(number, taken[1])
    assert sweep.take(ExitStack()) is None
    assert studies.is_failing(sweep.study, before=0)
    again = hands(few, tmp_path, before=5)  # the same command, later: it tries again
    with ExitStack() as held:
        assert again.take(held) is not None


def test_the_best_trial_was_trained_to_its_end(experiment: Experiment, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.create(experiment, {})
    trial_folder(run, 0, "epoch", "finished")
    trial_folder(run, 1, "epoch", "finished")
    trial_folder(run, 2, "epoch", "pruned")
    trial_folder(run, 3, "failed")
    records = trials.trial_records(run, experiment)
    assert [r["state"] for r in records] == ["complete", "complete", "pruned", "failed"]
    best = trials.best_of(records, experiment)
    assert best is not None
    assert best["number"] == 1  # the lowest loss of those that are complete
    higher = experiment.replace({"train.monitor": "valid/accuracy"})
    best = trials.best_of(records, higher)
    assert best is not None
    assert best["number"] == 0
    assert trials.best_of(records[2:], experiment) is None


@pytest.mark.parametrize(
    ("kind", "pruner"),
    [
        ("hyperband", optuna.pruners.HyperbandPruner),
        ("median", optuna.pruners.MedianPruner),
        ("wilcoxon", optuna.pruners.WilcoxonPruner),
        ("none", optuna.pruners.NopPruner),
    ],
)
def test_each_kind_of_pruner_is_there(
    experiment: Experiment, tmp_path: Path, kind: str, pruner: type
) -> None:
    changed = experiment.replace({"tune.pruner.kind": kind, "tune.seeds": 5})
    assert isinstance(study_of(changed, tmp_path).pruner, pruner)


@pytest.mark.parametrize("kind", ["tpe", "random", "gp", "cmaes"])
def test_each_kind_of_sampler_stays_within_its_ranges_and_a_resumed_one_goes_on(
    experiment: Experiment, tmp_path: Path, kind: str
) -> None:
    search = {k: v for k, v in experiment.tune.search.items() if k != "model.dropout"}  # type: ignore[union-attr]
    changed = experiment.replace({"tune.sampler.kind": kind, "tune.search": search})

    def suggested(folder: Path, interrupted: bool) -> list[dict[str, Any]]:
        folder.mkdir()
        study, found = study_of(changed, folder), []
        for number in range(7):
            if interrupted and number == 6:
                run = RunFolder(folder / "run")
                study = studies.load_study(changed, run, places.read(folder))
            trial = study.ask()
            found.append(sampler.suggest(trial, changed))
            study.tell(trial, (found[-1]["train.clip"] - 3) ** 2)
        return found

    first = suggested(tmp_path / "a", interrupted=False)
    assert all(1 <= v["train.clip"] <= 10 and v["model.depth"] in (1, 2, 3) for v in first)
    assert len({v["train.clip"] for v in first}) == 7
    assert first == suggested(tmp_path / "b", interrupted=True)


def test_a_grid_is_walked_whole_in_a_drawn_order_and_once(
    experiment: Experiment, tmp_path: Path
) -> None:
    search = {
        "model.depth": {"low": 1, "high": 2},
        "train.clip": {"low": 1, "high": 4, "log": True},
        "model.dropout": {"choices": [0.0, 0.5]},
    }
    tune = {"trials": 12, "search": search, "sampler": {"kind": "grid", "points": 3}}
    changed = experiment.replace({"tune": tune})
    sweep = hands(changed, tmp_path)
    studies.enqueue_grid(sweep.study, changed)
    studies.enqueue_grid(sweep.study, changed)
    run, found = RunFolder(tmp_path / "run"), []
    for number in range(12):
        with ExitStack() as held:
            taken = sweep.take(held)
            assert taken is not None
            found.append(sampler.suggest(taken[0], changed))
            trial_folder(run, number, "finished", study=sweep.study)
            sweep.tell(number, taken[1])
    assert sweep.take(ExitStack()) is None
    points = {(v["model.depth"], round(v["train.clip"], 9), v["model.dropout"]) for v in found}
    assert points == {(d, c, o) for d in (1, 2) for c in (1, 2, 4) for o in (0.0, 0.5)}
    assert found != sorted(found, key=lambda v: (v["model.depth"], v["train.clip"]))


def test_a_key_with_a_condition_is_suggested_only_where_it_holds(
    experiment: Experiment, tmp_path: Path
) -> None:
    search = {
        "model.cell.activation": {"choices": ["tanh", "relu"], "when": {"model.cell.kind": "rnn"}},
        "model.cell.kind": {"choices": ["rnn", "gru"]},
    }
    changed = experiment.replace({"tune": {"trials": 9, "search": search}})
    study = study_of(changed, tmp_path)
    found = [sampler.suggest(study.ask(), changed) for _ in range(12)]
    assert {v["model.cell.kind"] for v in found} == {"rnn", "gru"}
    for values in found:
        assert ("model.cell.activation" in values) == (values["model.cell.kind"] == "rnn")
        assert changed.replace({**values, "tune": None}).model.cell.kind in ("rnn", "gru")


def test_importance_tells_which_key_decides(experiment: Experiment, tmp_path: Path) -> None:
    study = study_of(experiment, tmp_path)
    assert studies.importances(study) == {}
    for _ in range(12):
        trial = study.ask()
        study.tell(trial, sampler.suggest(trial, experiment)["model.depth"] * 1.0)
    shares = studies.importances(study)
    assert max(shares, key=lambda path: shares[path]) == "model.depth"
    assert sum(shares.values()) == pytest.approx(1)


def test_retraining_fixes_the_number_of_epochs(experiment: Experiment) -> None:
    last = trials.alone(experiment, {"train.clip": 2.0}, 7)
    assert (last.train.epochs, last.train.clip, last.tune) == (7, 2.0, None)
    assert last.train.early_stopping is None
    assert trials.alone(experiment, {}, None).train == experiment.train


def test_values_that_the_rules_refuse_together_fail_one_trial_and_not_the_sweep(
    experiment: Experiment, tmp_path: Path
) -> None:
    both = {"model.bidirectional": {"choices": [True]}, "train.bptt": {"choices": [5]}}
    searching = experiment.replace({"tune": {"trials": 1, "search": both}})
    sweep = hands(searching, tmp_path)
    with ExitStack() as held:
        taken = sweep.take(held)
        assert taken is not None
        sweep.attempt(*taken)
    run = RunFolder(tmp_path / "run")
    (record,) = trials.trial_records(run, searching)
    assert record["state"] == "failed"
    assert "train.bptt: a backward direction" in record["reason"]
    assert record["values"] == {"model.bidirectional": True, "train.bptt": 5}
    assert sweep.study.trials[0].state == TrialState.FAIL


SMALL = {
    "data.limit": 40,
    "model.hidden": 6,
    "model.representation.size": 4,
    "train.epochs": 3,
    "train.optimizer.learning_rate": 0.01,
    "tune.search": {"train.clip": {"low": 1, "high": 10, "log": True}},
    "tune.trials": 2,
}


def test_a_trial_of_several_seeds_is_worth_their_mean_and_the_best_is_adopted(
    experiment: Experiment, tmp_path: Path
) -> None:
    small = experiment.replace({**SMALL, "tune.seeds": 3, "tune.pruner.kind": "none"})
    sweep = hands(small, tmp_path)
    with ExitStack() as held:
        trial, place = sweep.take(held) or pytest.fail("no trial")
        sweep.attempt(trial, place)
    (record,) = trials.trial_records(RunFolder(tmp_path / "run"), small)
    seeds = {line["seed"]: line["value"] for line in place.records("seed")}
    assert set(seeds) == {0, 1, 2}
    assert record["value"] == pytest.approx(sum(seeds.values()) / 3)
    assert record["deviation"] > 0
    (finished,) = place.records("finished")
    assert finished["value"] == pytest.approx(record["value"])
    assert finished["deviation"] == pytest.approx(record["deviation"])
    assert len(record["curve"]) == 3
    assert sweep.study.trials[0].value == pytest.approx(record["value"])
    best = trials.best_training(place, small)
    assert best.path.name == f"seed-{min(seeds, key=lambda seed: seeds[seed])}"
    assert best.experiment.seed == int(best.path.name[-1])
    assert trials.epochs_done(place) == 9


def test_wilcoxon_prunes_a_trial_that_is_worse_at_each_seed(
    experiment: Experiment, tmp_path: Path
) -> None:
    small = experiment.replace(
        {
            **SMALL,
            "tune.seeds": 5,
            "tune.pruner.kind": "wilcoxon",
            "tune.search": {"train.optimizer.learning_rate": {"choices": [0.02, 1e-6]}},
            "tune.sampler.kind": "grid",
        }
    )
    sweep = hands(small, tmp_path)
    for rate in (0.02, 1e-6):
        sweep.study.enqueue_trial({"train.optimizer.learning_rate": rate})
    for _ in range(2):
        with ExitStack() as held:
            sweep.attempt(*(sweep.take(held) or pytest.fail("no trial")))
    records = trials.trial_records(RunFolder(tmp_path / "run"), small)
    assert [r["state"] for r in records] == ["complete", "pruned"]
    assert 1 < len(trials.trial_folder(RunFolder(tmp_path / "run"), 1).records("seed")) < 5


def test_an_interrupted_trial_goes_on_from_its_checkpoint_to_the_same_bits(
    experiment: Experiment, tmp_path: Path
) -> None:
    small = experiment.replace({**SMALL, "train.epochs": 6, "tune.pruner.kind": "none"})

    def values(folder: Path, stop_at: int) -> list[float]:
        folder.mkdir()
        sweep = hands(small, folder)
        stop = folder / "run" / "trials" / trials.STOP
        with ExitStack() as held:
            trial, place = sweep.take(held) or pytest.fail("no trial")
            if stop_at:
                report = trial.report

                def reporting(value: float, step: int) -> None:
                    report(value, step)
                    if step == stop_at:
                        stop.touch()

                trial.report = reporting  # type: ignore[method-assign]
            sweep.attempt(trial, place)
        if stop_at:
            assert place.records()[-1]["kind"] == "interrupted"
            assert sweep.study.trials[0].state == TrialState.RUNNING
            before = place.records("epoch")
            stop.unlink()
            with ExitStack() as held:
                again, same = sweep.take(held) or pytest.fail("no trial")
                assert (again.number, same.path) == (0, place.path)
                sweep.attempt(again, same)
            assert place.records("epoch")[: len(before)] == before
        assert sweep.study.trials[0].state == TrialState.COMPLETE
        assert sorted(sweep.study.trials[0].intermediate_values) == [1, 2, 3, 4, 5, 6]
        return [line["valid"]["loss"] for line in place.records("epoch")]

    whole = values(tmp_path / "a", stop_at=0)
    assert whole == values(tmp_path / "b", stop_at=3)


def test_percentiles_become_a_range_of_the_norms_that_an_epoch_meets(
    experiment: Experiment, tmp_path: Path
) -> None:
    space = Percentiles(percentiles=(10, 90))
    small = experiment.replace({**SMALL, "tune.search": {"train.clip": space}})
    prepared = prepare(small.data, small.task, tmp_path)
    found = norm_range(small, prepared, space)
    assert 0 < found.low < found.high < 100
    assert found.log
    wide = norm_range(small, prepared, Percentiles(percentiles=(0, 100)))
    assert wide.low <= found.low < found.high <= wide.high
    with pytest.raises(ValueError, match=r"are all about .* give low and high"):
        norm_range(
            small.replace({"train.batch_size": 4096}), prepared, Percentiles(percentiles=(0, 1))
        )


@pytest.mark.parametrize(("runner", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_a_task_runner_whose_package_is_missing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: str, package: str
) -> None:
    (tmp_path / "settings.yaml").write_text(f"runner: {runner}\n")
    monkeypatch.setitem(sys.modules, package, None)
    message = rf"runner: {runner} needs a package .*; pip install 'rnnkit\[{runner}\]'"
    with pytest.raises(InputError, match=message):
        workers.make_runner(places.read(tmp_path), 2)


def sweep_alone(
    monkeypatch: pytest.MonkeyPatch, experiment: Experiment, home: Path, run_tasks: Any
) -> None:
    monkeypatch.setattr(sweeps, "run_tasks", run_tasks)
    monkeypatch.setattr(Monitor, "send_children", lambda *_: None)  # no MLflow
    settings, run = places.read(home), Run(experiment, RunFolder(home / "run"), home, "")
    run.folder.create(experiment, {})
    data: Any = None  # only percentiles need them
    sweeps.sweep(run, data, settings, Monitor(settings, run.folder, Stages()), Mock())


def test_workers_that_die_again_and_again_end_the_sweep(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = []
    with pytest.raises(sweeps.SweepFailed, match="workers died 3 times without finishing an epoch"):
        sweep_alone(monkeypatch, experiment, tmp_path, lambda *_: deaths.append(1))
    assert len(deaths) == 3


def test_workers_that_die_but_get_on_are_started_again(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = []

    def dying(*_: Any) -> bool:
        rounds.append(1)
        run = RunFolder(tmp_path / "run")
        study = studies.load_study(experiment, run, places.read(tmp_path))
        sampler.suggest(study.ask(), experiment)
        trial_folder(run, len(rounds) - 1, "epoch", study=study)  # an epoch each time
        return len(rounds) == 6

    with pytest.raises(sweeps.SweepFailed, match="no trial finished; all were pruned"):
        sweep_alone(monkeypatch, experiment, tmp_path, dying)
    assert len(rounds) == 6


SMALL_SPACE = {
    "train.clip": {"choices": [1, 5]},
    "model.cell.kind": {"choices": ["rnn", "gru"]},
    "model.depth": {"low": 1, "high": 2, "when": {"model.cell.kind": "gru"}},
}
"""Six points: with an RNN two, with a GRU four."""
RANGES = {"model.hidden": {"low": 4, "high": 5}, "model.depth": {"low": 1, "high": 2}}
"""Four points."""


@pytest.mark.parametrize("kind", ["tpe", "gp", "cmaes", "random"])
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_no_point_is_drawn_twice_while_others_are_left(
    experiment: Experiment, tmp_path: Path, kind: str
) -> None:
    search: dict[str, Any] = RANGES if kind == "cmaes" else SMALL_SPACE
    count = 4 if kind == "cmaes" else 6
    changed = experiment.replace({"tune.search": search, "tune.sampler.kind": kind})
    study = study_of(changed, tmp_path)
    points = []
    for _ in range(count):
        assert not studies.is_finished(study, changed, 0)
        trial = study.ask()
        points.append(sampler.suggest(trial, changed))
        study.tell(trial, float(points[-1].get("train.clip", trial.number)))
    assert len({str(point) for point in points}) == count
    assert studies.is_finished(study, changed, 0)


def test_a_worker_takes_no_trial_of_a_finished_search_space(
    experiment: Experiment, tmp_path: Path
) -> None:
    search = {"train.clip": {"choices": [1, 5]}}
    sweep = hands(experiment.replace({"tune.search": search, "tune.trials": 3}), tmp_path)
    clips = []
    for _ in range(2):
        with ExitStack() as held:
            taken = sweep.take(held)
            assert taken is not None
            clips.append(taken[0].params["train.clip"])
            trial_folder(sweep.folder, taken[0].number, "finished", study=sweep.study)
            sweep.tell(taken[0].number, taken[1])
    assert sorted(clips) == [1, 5]
    with ExitStack() as held:
        assert sweep.take(held) is None


def test_a_point_that_failed_is_tried_again_by_a_resumed_sweep_alone(
    experiment: Experiment, tmp_path: Path
) -> None:
    changed = experiment.replace({"tune.search": {"train.clip": {"choices": [1, 5]}}})
    study = study_of(changed, tmp_path)
    for state, values in ((TrialState.FAIL, None), (TrialState.COMPLETE, [1.0])):
        trial = study.ask()
        sampler.suggest(trial, changed)
        study.tell(trial, values, state)
    assert studies.is_finished(study, changed, before=0)
    assert not studies.is_finished(study, changed, before=2)
    assert sampler.suggest(study.ask(), changed) == study.trials[0].params


def test_a_search_over_fractions_is_never_finished(experiment: Experiment, tmp_path: Path) -> None:
    assert not studies.is_finished(study_of(experiment, tmp_path), experiment, 0)
