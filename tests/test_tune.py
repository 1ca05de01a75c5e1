"""A sweep's parts that need no processes: what is suggested, what is best, what a kill leaves."""

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from flows import settings as places
from flows.tune import study as studies
from flows.tune import trials, worker
from rnnkit.params import Experiment
from rnnkit.runfolder import RunFolder


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
    return studies.open_study(experiment, run, places.read(folder))


def test_a_key_that_takes_whole_numbers_gets_them_and_others_fractions(
    experiment: Experiment, tmp_path: Path
) -> None:
    study = study_of(experiment, tmp_path)
    for _ in range(5):
        values = studies.suggest(study.ask(), experiment)
        assert isinstance(values["model.depth"], int)
        assert isinstance(values["train.clip"], float)
        assert values["model.dropout"] in (0.0, 0.5)
        assert experiment.replace({**values, "tune": None}).model.depth == values["model.depth"]


def test_a_resumed_study_suggests_what_the_uninterrupted_one_would(
    experiment: Experiment, tmp_path: Path
) -> None:
    def suggested(folder: Path, interrupted: bool) -> list[dict[str, Any]]:
        found = []
        study = study_of(experiment, folder)
        for number in range(8):
            if interrupted and number == 5:
                study = study_of(experiment, folder)
            trial = study.ask()
            found.append(studies.suggest(trial, experiment))
            study.tell(trial, found[-1]["train.clip"])
        return found

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = suggested(tmp_path / "a", interrupted=False)
    assert first == suggested(tmp_path / "b", interrupted=True)
    assert len({values["train.clip"] for values in first}) == 8


def trial_folder(run: RunFolder, number: int, *kinds: str) -> RunFolder:
    folder = trials.trial_folder(run, number)
    folder.path.mkdir(parents=True)
    folder.append("begun", values={"train.clip": 1.0})
    for kind in kinds:
        more = {"valid": {"loss": 1.0 / (number + 1)}, "epoch": 1} if kind == "epoch" else {}
        folder.append(kind, **more, **({"value": 0.5} if kind == "finished" else {}))
    return folder


def test_trials_that_a_kill_left_open_are_released_and_ended_ones_are_told(
    experiment: Experiment, tmp_path: Path
) -> None:
    study = study_of(experiment, tmp_path)
    run = RunFolder(tmp_path / "run")
    for _ in range(4):
        study.ask()
    trial_folder(run, 0, "epoch", "finished")
    trial_folder(run, 1, "epoch", "pruned")
    cut = trial_folder(run, 2, "epoch")
    studies.release(study, run)
    states = [trial.state for trial in study.get_trials()]
    assert states == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.FAIL]
    assert study.get_trials()[0].value == 0.5
    assert cut.records()[-1]["kind"] == "interrupted"
    assert [r["number"] for r in trials.trial_records(run, experiment)] == [0, 1]


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
        ("none", optuna.pruners.NopPruner),
    ],
)
def test_each_kind_of_pruner_and_sampler_is_there(
    experiment: Experiment, tmp_path: Path, kind: str, pruner: type
) -> None:
    changed = experiment.replace({"tune.pruner.kind": kind, "tune.sampler.kind": "random"})
    study = study_of(changed, tmp_path)
    assert isinstance(study.pruner, pruner)
    assert 1 <= studies.suggest(study.ask(), changed)["train.clip"] <= 10


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
    run = RunFolder(tmp_path / "run")
    run.create(searching, {})
    study = studies.open_study(searching, run, places.read(tmp_path))
    worker._try(study.ask(), study, searching, run, prepared=None)
    (record,) = trials.trial_records(run, searching)
    assert record["state"] == "failed"
    assert "train.bptt: a backward direction" in record["reason"]
    assert record["values"] == {"model.bidirectional": True, "train.bptt": 5}
    assert study.trials[0].state == TrialState.FAIL
