"""Sweeps that grow: more trials, other ranges and confirmed trials in the same run folder."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sweep_home import EXPERIMENT, Home, data_prepared_once

from flows.tune import confirm, worker
from flows.tune import sweep as sweeps
from flows.tune.attempts import SweepFailed
from flows.tune.ranges import Ranges, ranges_of, with_ranges
from flows.tune.trials import best_of, confirmations, trial_folder, trial_records
from rnnkit.params import Experiment
from rnnkit.runs.growth import changes_of, lacking
from rnnkit.runs.identity import identify
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import files

CLIP, RATE = "train.clip", "train.optimizer.learning_rate"
UNPRUNED = EXPERIMENT.replace({"tune.pruner.kind": "none", "train.epochs": 1})


@pytest.fixture(scope="module", autouse=True)
def _prepared_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with data_prepared_once(tmp_path_factory.mktemp("data")):
        yield


def journals(home: Home) -> list[list[dict[str, Any]]]:
    return [RunFolder(path).records() for path in sorted(home.run.path.glob("trials/trial-*"))]


def searching(experiment: Experiment, **ends: Any) -> Experiment:
    """With other ends of the range of the clip threshold."""
    assert experiment.tune is not None
    space = {"log": True, **ends}
    rate = experiment.tune.search[RATE].model_dump()
    return experiment.replace({"tune.search": {CLIP: space, RATE: rate}})


def test_more_trials_go_on_where_the_first_ones_ended(tmp_path: Path) -> None:
    home = Home(tmp_path / "mlruns", UNPRUNED.replace({"tune.trials": 2}))
    home.sweep()
    before = journals(home)
    home.experiment = UNPRUNED.replace({"tune.trials": 4, "tune.workers": 2})
    search = home.sweep()
    assert journals(home)[:2] == before
    assert [record["state"] for record in search.trials] == ["complete"] * 4
    assert [line["changes"] for line in home.run.records("grown")] == [
        {"tune.trials": [2, 4], "tune.workers": [1, 2]}
    ]


def test_more_trials_go_on_after_a_kill_in_the_middle_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "mlruns", UNPRUNED.replace({"tune.trials": 3, "train.epochs": 2}))
    train_into = worker.train_into

    def killed(folder: RunFolder, *arguments: Any) -> Iterator[Any]:
        for record in train_into(folder, *arguments):
            yield record
            if folder.id == "trial-0001" and folder.records("epoch"):
                raise KeyboardInterrupt

    monkeypatch.setattr(worker, "train_into", killed)
    with pytest.raises(KeyboardInterrupt):
        home.sweep()
    monkeypatch.undo()
    before = journals(home)
    home.experiment = home.experiment.replace({"tune.trials": 5})
    search = home.sweep()
    assert [record["number"] for record in search.trials] == [0, 1, 2, 3, 4]
    assert [record["state"] for record in search.trials] == ["complete"] * 5
    assert journals(home)[0] == before[0]
    assert [len(record["curve"]) for record in search.trials] == [2] * 5


def test_a_narrowed_range_takes_over_the_trials_that_fit_and_says_how_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path / "mlruns", UNPRUNED)
    home.sweep()
    clips = [record["values"][CLIP] for record in trial_records(home.run, UNPRUNED)]
    middle = sorted(clips)[2]
    capsys.readouterr()
    home.experiment = searching(UNPRUNED, low=1, high=round(middle, 3) + 0.001)
    search = home.sweep()
    assert "3 of 5 trials lie in the changed search space and are taken over" in (
        capsys.readouterr().out
    )
    inside = [number for number, clip in enumerate(clips) if clip <= middle]
    assert [record["number"] for record in search.trials] == [*inside, 5, 6]
    assert all(record["values"][CLIP] <= middle + 0.002 for record in search.trials)
    best = best_of(search.trials, home.experiment)
    assert best is not None
    assert search.values == best["values"]


def test_a_range_that_is_widened_again_takes_over_all_trials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path / "mlruns", UNPRUNED.replace({"tune.trials": 3}))
    home.sweep()
    home.experiment = searching(home.experiment, low=9.9, high=10)
    home.sweep()
    assert len(journals(home)) >= 5
    capsys.readouterr()
    home.experiment = searching(home.experiment, low=0.5, high=20)
    search = home.sweep()
    count = len(journals(home))
    assert f"{count} of {count} trials lie in the changed" in capsys.readouterr().out
    assert len(search.trials) == count  # more than were asked for: none is tried


def test_the_study_of_changed_ranges_is_whole_after_a_kill_while_it_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "mlruns", UNPRUNED.replace({"tune.trials": 2}))
    home.sweep()
    home.experiment = searching(home.experiment, low=0.5, high=20)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sweeps, "remake_study", killed)
    with pytest.raises(KeyboardInterrupt):
        home.sweep()
    monkeypatch.undo()
    home.sweep()  # warnings are errors: no word of a damaged study
    stored = Ranges.read(home.run)
    assert stored is not None
    assert not stored.pending
    ranges = [content["distributions"][CLIP] for content in home.content()]
    assert all((space.low, space.high) == (0.5, 20) for space in ranges)


def test_other_choices_and_conditions_take_over_what_fits(tmp_path: Path) -> None:
    search: dict[str, Any] = {
        "model.cell.kind": {"choices": ["rnn", "gru"]},
        "model.cell.activation": {"choices": ["tanh", "relu"], "when": {"model.cell.kind": "rnn"}},
    }
    home = Home(tmp_path / "mlruns", UNPRUNED.replace({"tune.search": search, "tune.trials": 3}))
    first = home.sweep()
    assert len(first.trials) == 3
    search["model.cell.kind"] = {"choices": ["rnn", "lstm"]}
    home.experiment = home.experiment.replace({"tune.search": search})
    kinds = [record["values"]["model.cell.kind"] for record in home.sweep().trials]
    assert sorted(kinds) == ["lstm", "rnn", "rnn"]


def test_a_grid_grows_by_the_points_that_are_left(tmp_path: Path) -> None:
    grid = {"kind": "grid", "points": 3}
    home = Home(tmp_path / "mlruns", UNPRUNED.replace({"tune.sampler": grid, "tune.trials": 2}))
    first = [record["values"] for record in home.sweep().trials]
    home.experiment = home.experiment.replace({"tune.trials": 4})
    second = [record["values"] for record in home.sweep().trials]
    assert second[:2] == first
    assert len({str(values) for values in second}) == 4
    home.experiment = searching(home.experiment, low=1, high=100).replace({"tune.trials": 9})
    third = home.sweep().trials
    clips = {record["values"][CLIP] for record in third}
    assert {1.0, 100.0} < clips
    assert len({str(record["values"]) for record in third}) == len(third) >= 9


def test_cmaes_goes_on_in_changed_ranges(tmp_path: Path) -> None:
    """Its optimizer's state is one of the ranges before."""
    method = {"tune.sampler.kind": "cmaes", "tune.trials": 5}
    home = Home(tmp_path / "mlruns", UNPRUNED.replace(method))
    home.sweep()
    home.experiment = searching(home.experiment, low=0.5, high=20).replace({"tune.trials": 8})
    assert len(home.sweep().trials) == 8
    assert len(home.sweep().trials) == 8  # and the study is as the folders record it


def test_percentiles_stay_the_ranges_they_became(tmp_path: Path) -> None:
    percentiles = {CLIP: {"percentiles": [10, 90]}, "model.depth": {"low": 1, "high": 2}}
    experiment = UNPRUNED.replace({"tune.search": percentiles})
    space = {"low": 1, "high": 2, "log": True, "step": None, "when": {}}
    before = Ranges({CLIP: space, "model.depth": {}}, None, None)  # of an earlier version
    data: Any = None  # not asked for the norms
    ranges = ranges_of(experiment, data, before, first=7)
    assert ranges.ranges[CLIP] == space
    assert ranges.first == 0


def test_ranges_of_an_earlier_version_are_read(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    (run.path / "trials").mkdir(parents=True)
    ranges = {CLIP: {"low": 1, "high": 7, "log": True, "when": {}}}
    content = {"ranges": ranges, "sha256": files.sha256_json(ranges)}
    files.write_json(run.path / "trials" / "search.json", content)
    run.create(UNPRUNED.replace({"tune.search": ranges}), {})
    stored = Ranges.read(run)
    assert stored is not None
    assert stored.is_of(run.experiment)
    assert with_ranges(run).tune.search[CLIP].high == 7  # type: ignore[union-attr]
    files.write_json(run.path / "trials" / "search.json", {**content, "sha256": "0"})
    assert Ranges.read(run) is None


def test_what_a_finished_sweep_lacks(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    assert lacking(run, UNPRUNED) == {}  # it has not begun
    run.create(UNPRUNED, {})
    fewer = UNPRUNED.replace({"tune.trials": 3, "tune.workers": 2})
    assert lacking(run, fewer) == {}
    assert changes_of(run, fewer) == {"tune.trials": (5, 3), "tune.workers": (1, 2)}
    assert lacking(run, UNPRUNED.replace({"tune.trials": 9})) == {"tune.trials": (5, 9)}
    assert lacking(run, UNPRUNED.replace({"tune.confirm": 2})) == {"tune.confirm": (None, 2)}
    assert lacking(run, searching(UNPRUNED, low=2, high=3)).keys() == {"tune.search"}
    assert lacking(run, UNPRUNED.replace({"tune": None})) == {}


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"tune.trials": 9}, True),
        ({"tune.workers": 7}, True),
        ({"tune.confirm": 2}, True),
        ({"tune.search": {CLIP: {"low": 3, "high": 4}, RATE: {"choices": [0.1, 0.2]}}}, True),
        ({"tune.search": {CLIP: {"low": 3, "high": 4}}}, False),
        ({"tune.seeds": 2}, False),
        ({"tune.retrain": True}, False),
        ({"tune.reproducible": True}, False),
        ({"tune.sampler.kind": "random"}, False),
        ({"tune.pruner.kind": "median"}, False),
        ({"train.epochs": 7}, False),
    ],
)
def test_the_id_of_a_sweep_depends_on_its_method_and_keys(
    changes: dict[str, Any], same: bool
) -> None:
    first, other = identify([UNPRUNED, UNPRUNED.replace(changes)])
    assert (first.run == other.run) is same


def test_a_sweep_of_an_earlier_version_keeps_its_id_and_grows(tmp_path: Path) -> None:
    (identity,) = identify([UNPRUNED])
    before = RunFolder.identity_of_before(UNPRUNED, identity.inputs, "", 0)
    assert before not in (None, identity.run)
    older = RunFolder(tmp_path / str(before))
    older.create(UNPRUNED, {})
    (tmp_path / "x-unreadable").mkdir()
    (tmp_path / "x-unreadable" / "params.yaml").write_text("name: [")
    more = UNPRUNED.replace({"tune.trials": 9})
    ids = [each.run for each in identify([UNPRUNED, more], runs=tmp_path)]
    assert ids == [before, before]
    other = UNPRUNED.replace({"tune.seeds": 2})
    (identity,) = identify([other], runs=tmp_path)
    assert identity.run == identify([other])[0].run
    confirmed = UNPRUNED.replace({"tune.confirm": 2})
    assert RunFolder.identity_of_before(confirmed, identity.inputs, "", 0) is None


def test_a_reopened_run_has_no_model_of_its_own(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.create(UNPRUNED, {})
    run.append("prepared", monitor="valid/loss")
    run.append("epoch", epoch=1, step=3)
    run.append("adopted", trial="trial-0001")
    run.finish({"test": {}})
    run.reopen({"tune.trials": (2, 4)})
    assert run.status == "interrupted"
    assert [line["kind"] for line in run.records()] == ["prepared", "grown"]


THREE = UNPRUNED.replace({"tune.trials": 3})
CONFIRMED = UNPRUNED.replace({"tune.trials": 3, "tune.confirm": 2, "tune.confirm_seeds": 3})


def test_the_best_trials_are_confirmed_by_more_seeds_and_their_mean_decides(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "mlruns", THREE)
    first = home.sweep()
    assert not (home.run.path / "trials" / "confirm").exists()
    home.experiment = CONFIRMED
    search = home.sweep()
    confirmed = [record for record in search.trials if not record.get("unconfirmed")]
    assert len(confirmed) == 2
    for record in confirmed:
        assert record["seeds"].keys() == {0, 1, 2}
        assert record["value"] == pytest.approx(sum(record["seeds"].values()) / 3)
        own = first.trials[record["number"]]
        assert record["seeds"][0] == own["value"]
        assert record["deviation"] > 0
        assert record["epochs"] == 3
    best = min(confirmed, key=lambda record: record["value"])
    assert search.values == best["values"]
    seed = min(best["seeds"], key=lambda seed: best["seeds"][seed])
    assert search.winner is not None
    assert search.winner.experiment.seed == seed
    assert search.winner.experiment.tune is None
    for record in confirmed:  # each seed is a training of its own, of the trial's values
        for folder, training in confirmations(trial_folder(home.run, record["number"]), CONFIRMED):
            assert folder.params == training
            assert training.train.clip == record["values"][CLIP]


def test_a_confirmation_that_was_killed_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Home(tmp_path / "whole", CONFIRMED)
    expected = whole.sweep().trials
    train_into, count = confirm.train_into, iter(range(99))

    def killed(*arguments: Any) -> Iterator[Any]:
        for record in train_into(*arguments):
            if next(count) == 3:
                raise KeyboardInterrupt
            yield record

    home = Home(tmp_path / "mlruns", CONFIRMED)
    monkeypatch.setattr(confirm, "train_into", killed)
    with pytest.raises(KeyboardInterrupt):
        home.sweep()
    monkeypatch.setattr(confirm, "train_into", train_into)
    trials = home.sweep().trials
    assert [(r["value"], r["seeds"]) for r in trials] == [
        (r["value"], r["seeds"]) for r in expected
    ]


def test_a_trial_that_cannot_be_trained_with_each_seed_is_not_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "mlruns", CONFIRMED)
    best = best_of(Home(tmp_path / "plain", THREE).sweep().trials, THREE)
    assert best is not None
    train_into = confirm.train_into

    def failing(folder: RunFolder, *arguments: Any) -> Iterator[Any]:
        if folder.path.parent.name == f"trial-{best['number']:04d}" and folder.id == "seed-2":
            raise ArithmeticError("the loss was never finite")
        yield from train_into(folder, *arguments)

    monkeypatch.setattr(confirm, "train_into", failing)
    search = home.sweep()
    assert search.values != best["values"]
    failed = search.trials[best["number"]]
    assert failed["state"] == "failed"
    assert failed["reason"] == "seed 2: ArithmeticError: the loss was never finite"

    def none(*_: Any) -> Iterator[Any]:
        raise ArithmeticError("no")
        yield

    monkeypatch.setattr(confirm, "train_into", none)
    other = Home(tmp_path / "other", CONFIRMED)
    message = "none of the best trials trains with every seed; seed 1: ArithmeticError: no"
    with pytest.raises(SweepFailed, match=re.escape(message)):
        other.sweep()
