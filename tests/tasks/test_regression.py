"""Regression: numbers at the end of a sequence or at every frame, in units."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from rnnkit.data.prepare.prepared import Prepared, train_and_valid
from rnnkit.errors import InputError
from rnnkit.evaluation.evaluate_file import evaluate_file
from rnnkit.evaluation.finalize import NO_SWEEP, collect_result, finalize, predictions_of
from rnnkit.inference.predict import load
from rnnkit.inference.stream import Stream
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import prepare, task_for
from rnnkit.tasks.baselines import score
from rnnkit.tasks.predictions import Items
from rnnkit.training.train_into import train_into

SEQUENCES = 40


def frames(folder: Path, name: str = "a.csv", offset: int = 0) -> str:
    """Sequences of two features, with their mean's double and their last value's square."""
    draw, lines = np.random.default_rng(7 + offset), ["run,x,y,double,square"]
    for sequence in range(SEQUENCES):
        values = draw.normal(3, 2, (3 + sequence % 4, 2))
        double, square = 20 * values[:, 0].mean(), values[-1, 1] ** 2
        lines += [f"s{sequence},{x:.6f},{y:.6f},{double:.6f},{square:.6f}" for x, y in values]
    (folder / name).write_text("\n".join(lines) + "\n")
    return str(folder / name)


def steps(folder: Path, name: str = "steps.csv") -> str:
    """Sequences with a number at every frame: the sum of x so far."""
    draw, lines = np.random.default_rng(8), ["run,x,total"]
    for sequence in range(SEQUENCES):
        values = draw.normal(0, 5, 4 + sequence % 3)
        lines += [
            f"s{sequence},{x:.6f},{total:.6f}"
            for x, total in zip(values, values.cumsum(), strict=True)
        ]
    (folder / name).write_text("\n".join(lines) + "\n")
    return str(folder / name)


def experiment(source: dict[str, Any], **more: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "numbers",
            "task": {"kind": "regression", **more.pop("task", {})},
            "data": {"source": source, "split": {"kind": "fractions", "valid": 0.2, "test": 0.2}},
            "model": {"representation": {"kind": "raw"}, "hidden": 8, **more.pop("model", {})},
            "train": {"epochs": 2, "batch_size": 8, **more.pop("train", {})},
            **more,
        }
    )


def two_targets(folder: Path, **more: Any) -> Experiment:
    source = {"kind": "frames", "path": frames(folder), "sequence": "run"}
    return experiment({**source, "label": ["double", "square"]}, **more)


def per_frame(folder: Path, **more: Any) -> Experiment:
    source = {"kind": "frames", "path": steps(folder), "sequence": "run", "label": "total"}
    return experiment({**source, "labels": "per_frame"}, task={"per": "frame"}, **more)


def finished(folder: Path, it: Experiment) -> tuple[RunFolder, Prepared]:
    prepared = prepare(it.data, it.task, folder)
    run = RunFolder(folder / "runs" / it.name)
    run.create(it, {})
    for _ in train_into(run, it, prepared):
        pass
    result = finalize(run, it, prepared, folder / "prepared")
    run.finish(collect_result(result, prepared, {}, NO_SWEEP))
    return run, prepared


def test_targets_are_scaled_by_the_training_split(tmp_path: Path) -> None:
    it = two_targets(tmp_path)
    prepared = prepare(it.data, it.task, tmp_path)
    train, scaler = prepared.splits["train"].targets, prepared.fitted.targets
    assert scaler.columns == ("double", "square")
    assert train.mean(dim=0).numpy() == pytest.approx([0, 0], abs=1e-6)
    assert train.std(dim=0, unbiased=False).numpy() == pytest.approx([1, 1], abs=1e-5)
    again = prepare(it.data, it.task, tmp_path)  # from the disk
    assert again.fitted.targets == scaler
    assert again.fitted.described(again.facts)["labels"] == ("double", "square")


@pytest.mark.parametrize("per", ["sequence", "frame"])
def test_truth_in_units_is_the_sources_own_number(tmp_path: Path, per: str) -> None:
    """No number comes back from float32: the differences of the first ones are less than that."""
    draw, lines = np.random.default_rng(3), ["run,x,y"]
    source_numbers = [0.0 if k % 4 == 0 else 1e6 + k / 1_000 for k in range(40)]
    for k, y in enumerate(source_numbers):
        lines += [f"s{k},{x:.3f},{y!r}" for x in draw.normal(size=1 + k % 3)]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    source = {"kind": "frames", "path": str(tmp_path / "a.csv"), "sequence": "run", "label": "y"}
    labels = {"labels": "per_frame"} if per == "frame" else {}
    run, prepared = finished(tmp_path, experiment({**source, **labels}, task={"per": per}))
    table = predictions_of(run).table
    assert len(set(table["truth y"])) > 3
    assert set(table["truth y"]) <= set(source_numbers)
    if per == "frame":
        assert table["step"].max() > 1
    test = prepared.splits["test"]
    mean = prepared.splits["train"].all_truth.mean()
    beside = run.result["baselines"]["training mean"]
    assert beside["mae"] == pytest.approx(float((test.all_truth - mean).abs().mean()), rel=1e-12)
    joined = train_and_valid(prepared).splits["train"]
    assert len(joined.all_truth) == len(joined.all_targets) > len(test.all_truth)
    with pytest.raises(InputError, match=r"hold no numbers in their units, as an older version"):
        _ = replace(test, units=None).all_truth


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_loss_and_metrics_against_numpy(tmp_path: Path, loss: str) -> None:
    it = two_targets(tmp_path, task={"loss": loss})
    run, prepared = finished(tmp_path, it)
    split, scaler = prepared.splits["test"], prepared.fitted.targets
    table = predictions_of(run).table.sort_values("item")
    order = split.item.argsort()
    truth = scaler.inverse(split.targets[order]).numpy()
    predicted = table[["predicted double", "predicted square"]].to_numpy()
    assert table[["truth double", "truth square"]].to_numpy() == pytest.approx(truth)
    test = run.result["test"]
    assert test["mae"] == pytest.approx(np.abs(predicted - truth).mean())
    assert test["rmse"] == pytest.approx(math.sqrt(((predicted - truth) ** 2).mean()))
    assert test["r2"] == pytest.approx(r2_score(truth, predicted))
    errors = (scaler.transform(predicted) - scaler.transform(truth)) / 1
    expected = (errors**2).mean() if loss == "squared" else np.abs(errors).mean()
    assert test["loss"] == pytest.approx(expected, rel=1e-5)


def test_baselines_see_means_deviations_and_last_values(tmp_path: Path) -> None:
    it = two_targets(tmp_path)
    prepared = prepare(it.data, it.task, tmp_path)
    train, test = prepared.splits["train"], prepared.splits["test"]

    def features(split: Any) -> np.ndarray:
        rows = []
        for start, length in zip(split.input_start, split.input_length, strict=True):
            own = split.inputs[start : start + length].double().numpy()
            rows.append([*own.mean(axis=0), *own.std(axis=0), *own[-1]])
        return np.array(rows)

    model = Ridge().fit(features(train), train.targets.double().numpy())
    scaler = prepared.fitted.targets
    predicted = scaler.inverse(torch.from_numpy(model.predict(features(test)))).numpy()
    truth = scaler.inverse(test.targets).numpy()
    metrics = score(task_for(it.task, prepared), prepared, test)
    assert list(metrics) == [
        "training mean",
        "best constant on valid",
        "linear regression",
        "nearest neighbour",
    ]
    assert metrics["linear regression"]["mae"] == pytest.approx(np.abs(predicted - truth).mean())
    assert metrics["training mean"]["r2"] < 0.1
    median = np.median(prepared.splits["valid"].all_truth.numpy(), axis=0)
    constant = metrics["best constant on valid"]["mae"]
    assert constant == pytest.approx(np.abs(median - truth).mean(), rel=1e-5)
    distances = ((features(test)[:, None] - features(train)[None]) ** 2).sum(axis=2)
    nearest = train.all_truth.numpy()[distances.argmin(axis=1)]
    found = metrics["nearest neighbour"]["mae"]
    assert found == pytest.approx(np.abs(nearest - truth).mean(), rel=1e-5)


def test_every_frame_has_its_number(tmp_path: Path) -> None:
    run, prepared = finished(tmp_path, per_frame(tmp_path))
    split, scaler = prepared.splits["test"], prepared.fitted.targets
    predictions = predictions_of(run)
    assert len(predictions.table) == int(split.input_length.sum())
    first = predictions.table[predictions.table["item"] == predictions.table["item"].iloc[0]]
    assert first["step"].tolist() == list(range(1, len(first) + 1))
    metrics = score(task_for(run.experiment.task, prepared), prepared, split)
    assert list(metrics) == [
        "training mean",
        "best constant on valid",
        "linear regression",
        "last value",
    ]
    truth = scaler.inverse(split.targets).numpy()[:, 0]
    begins = set(split.target_start.tolist())
    mean = scaler.inverse(prepared.splits["train"].targets.double().mean(dim=0)[None]).item()
    before = [mean if k in begins else truth[k - 1] for k in range(len(truth))]
    assert metrics["last value"]["mae"] == pytest.approx(np.abs(np.array(before) - truth).mean())
    assert predictions.measured().name == "mae"
    assert len(predictions.measured().items) == len(split)
    heading, rows = predictions.mistakes(Items(prepared))
    assert heading == "Where it was furthest off"
    assert list(rows[0]) == ["item", "step", "truth total", "predicted total", "error"]


def test_predictions_and_streams_are_in_units(tmp_path: Path) -> None:
    run, _ = finished(tmp_path, two_targets(tmp_path))
    predictor = load(run.path)
    values = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    (whole,) = predictor([values])
    assert list(whole["values"]) == ["double", "square"]
    stream = Stream(predictor)
    answers = [stream.step(step) for step in values]
    assert answers[-1]["values"] == pytest.approx(whole["values"], rel=1e-5)

    (tmp_path / "b").mkdir()
    run, _ = finished(tmp_path / "b", per_frame(tmp_path / "b"))
    predictor = load(run.path)
    (whole,) = predictor([[[1.0], [2.0], [3.0]]])
    stream = Stream(predictor)
    each = [stream.step([value])["values"]["total"][0] for value in (1.0, 2.0, 3.0)]
    assert each == pytest.approx(whole["values"]["total"], rel=1e-5)


def test_another_file_is_scored(tmp_path: Path) -> None:
    run, _ = finished(tmp_path, two_targets(tmp_path))
    result = evaluate_file(run, frames(tmp_path, "new.csv", offset=1), tmp_path)
    assert result["items"] == SEQUENCES
    few = f"The test split has few items: {SEQUENCES}; another one may decide otherwise."
    assert result["verdict"].endswith(few)
    assert result["shown"] == ("mae", "rmse", "r2", "loss")
    assert "nearest neighbour" in result["baselines"]


def test_another_fits_targets_go_through_their_units(tmp_path: Path) -> None:
    ours = two_targets(tmp_path)
    prepared = prepare(ours.data, ours.task, tmp_path)
    (tmp_path / "c").mkdir()
    source = {"kind": "frames", "path": frames(tmp_path / "c", offset=5), "sequence": "run"}
    other = experiment({**source, "label": ["double", "square"]})
    theirs = prepare(other.data, other.task, tmp_path)
    split = prepared.splits["test"]
    aligned = theirs.fitted.align(split, prepared.fitted)
    expected = prepared.fitted.targets.inverse(split.targets)
    assert theirs.fitted.targets.inverse(aligned.targets).numpy() == pytest.approx(
        expected.numpy(), rel=1e-4, abs=1e-3
    )
    single = experiment({**source, "label": "double", "columns": ["x", "y"]})
    fitted = prepare(single.data, single.task, tmp_path).fitted
    with pytest.raises(InputError, match="the older model predicts double and the run double, sq"):
        fitted.align(split, prepared.fitted)


def test_numbers_of_texts(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    rows = []
    for _ in range(120):
        words = draw.choice(["good", "bad", "film", "plot"], size=draw.integers(2, 9)).tolist()
        rows.append(f"{' '.join(words)},{words.count('good') - words.count('bad')}")
    (tmp_path / "t.csv").write_text("\n".join(["text,label", *rows]))
    source = {"kind": "labelled_text", "path": str(tmp_path / "t.csv")}
    it = experiment(source, model={"representation": {"kind": "embedding", "size": 4}})
    run, prepared = finished(tmp_path, it)
    (answer,) = load(run.path)(["good good film"])
    assert math.isfinite(answer["values"]["label"])
    metrics = score(task_for(it.task, prepared), prepared, prepared.splits["test"])
    assert metrics["linear regression"]["mae"] < metrics["training mean"]["mae"]


def test_ts_files_with_a_target_label(tmp_path: Path) -> None:
    cases = [f"{i},{i + 1},{i + 2}:{0.5 * i}" for i in range(40)]
    header = ["@problemName means", "@timestamps false", "@targetlabel true", "@data"]
    (tmp_path / "m.ts").write_text("\n".join([*header, *cases]))
    it = experiment({"kind": "ts", "path": str(tmp_path / "m.ts")})
    prepared = prepare(it.data, it.task, tmp_path)
    split = prepared.splits["train"]
    units = prepared.fitted.targets.inverse(split.targets)[:, 0]
    assert units.tolist() == pytest.approx([0.5 * row for row in split.item.tolist()], abs=1e-5)


def test_a_label_that_is_no_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "\n".join(["text,label", *(f"a b{i},{i}" for i in range(60)), "c,high"])
    )
    source = {"kind": "labelled_text", "path": str(tmp_path / "t.csv")}
    it = experiment(source, model={"representation": {"kind": "embedding", "size": 4}})
    with pytest.raises(
        InputError, match=r"'label' must be a finite number, but number \d+ of them is 'high'"
    ):
        prepare(it.data, it.task, tmp_path)


def test_a_label_with_a_decimal_comma_names_its_key(tmp_path: Path) -> None:
    rows = "\n".join(["text;label", *(f"a b{i};{i},5" for i in range(60))])
    (tmp_path / "t.csv").write_text(rows)
    source = {"kind": "labelled_text", "path": str(tmp_path / "t.csv"), "separator": ";"}
    it = experiment(source, model={"representation": {"kind": "embedding", "size": 4}})
    with pytest.raises(InputError, match=r"is '\d+,5'; .*; set `decimal: \",\"` in data\.source$"):
        prepare(it.data, it.task, tmp_path)
    it = experiment({**source, "decimal": ","}, model=it.model.model_dump())
    prepared = prepare(it.data, it.task, tmp_path)
    units = prepared.fitted.targets.inverse(prepared.splits["train"].targets)[:, 0]
    assert {round(value % 1, 3) for value in units.tolist()} == {0.5}


def test_misfits_are_refused(tmp_path: Path) -> None:
    path = frames(tmp_path)
    source = {"kind": "frames", "path": path, "sequence": "run", "label": ["double", "square"]}
    with pytest.raises(ValueError, match="classification needs labelled_text or frames or audio"):
        experiment(source, task={"kind": "classification"})
    with pytest.raises(ValueError, match="regression needs tagged_frames or frames_with_numbers"):
        experiment(source, task={"per": "frame"})
    with pytest.raises(ValueError, match=r"train\.bptt"):
        experiment(source, train={"bptt": 2})
    for label in ([], ["double", "double"]):
        with pytest.raises(ValueError, match=r"data\.source\.label: name at least one column"):
            experiment({**source, "label": label})
    for label in ("double", ["square", "double"]):
        with pytest.raises(ValueError, match="would read what it predicts, double; leave it out"):
            experiment({**source, "label": label, "columns": ["x", "double"]})


def test_no_r2_of_a_single_item_or_a_constant_target() -> None:
    from rnnkit.tasks.regression.task import RegressionMeter

    for truth in ([[1.0]], [[2.0], [2.0]]):
        meter = RegressionMeter()
        meter.update(torch.zeros(len(truth), 1), torch.tensor(truth))
        assert set(meter.compute()) == {"mae", "rmse"}


def test_r2_of_a_constant_target_cannot_be_monitored(tmp_path: Path) -> None:
    rows = [f"s{k},{k},{5 if k < 10 else k}" for k in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["run,x,y", *rows]))
    (tmp_path / "v.csv").write_text("\n".join(["run,x,y", *rows[:10]]))
    split = {"kind": "files", "valid": str(tmp_path / "v.csv"), "test": str(tmp_path / "a.csv")}
    source = {"kind": "frames", "path": str(tmp_path / "a.csv"), "sequence": "run", "label": "y"}
    it = experiment(source).replace({"data.split": split})
    run, prepared = finished(tmp_path, it)
    why = "a target has the same value in all of it"
    assert f"r2 does not exist for valid: {why}" in prepared.notes
    monitored = it.replace({"train.monitor": "valid/r2"})
    with pytest.raises(InputError, match=rf"valid/r2 does not exist .*: {why}; choose one of vali"):
        next(train_into(run, monitored, prepared))
    found = evaluate_file(run, str(tmp_path / "v.csv"), tmp_path)
    assert f"r2 does not exist for the file: {why}" in found["notes"]
    assert "r2" not in found["test"]


def test_answers_are_json(tmp_path: Path) -> None:
    """The answers of `predict` are JSON."""
    run, _ = finished(tmp_path, two_targets(tmp_path))
    (answer,) = load(run.path)([[[1.0, 2.0]]])
    assert json.loads(json.dumps(answer)) == answer
