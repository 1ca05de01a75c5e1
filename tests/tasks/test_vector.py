"""Vectors: labels and numbers from a vector, without recurrence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rnnkit.data import sources
from rnnkit.data.batches import gather
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params.data import Fractions
from rnnkit.params.source import Vectors
from rnnkit.tasks import prepare, task_for
from rnnkit.tasks.baselines import score
from rnnkit.training.evaluate import evaluate
from rnnkit.training.loop import train
from rnnkit.training.state import State
from rnnkit.training.trainer import make_network


def experiment(source: dict[str, Any], **changes: Any) -> Experiment:
    tree = {
        "name": "v",
        "task": {"kind": "vector"},
        "data": {"source": source, "split": {"kind": "fractions", "valid": 0.2, "test": 0.2}},
        "model": {"representation": {"kind": "raw"}, "hidden": 16, "depth": 2},
    }
    return Experiment.model_validate(tree).replace(changes)


def table(folder: Path, rows: int = 400) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, 3))
    y = 100 + 10 * x[:, 0] - 5 * x[:, 1] * x[:, 2]
    lines = ["a,b,c,y,label"]
    lines += [
        f"{a},{b},{c},{told},{'high' if told > 100 else 'low'}"
        for (a, b, c), told in zip(x, y, strict=True)
    ]
    (folder / "v.csv").write_text("\n".join(lines))
    return {"kind": "vectors", "path": str(folder / "v.csv"), "columns": ["a", "b", "c"]}


def test_a_label_is_learned_from_a_vector(tmp_path: Path) -> None:
    it = experiment(table(tmp_path), **{"train.optimizer.learning_rate": 1e-2, "train.epochs": 20})
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.fitted.inputs.features == 3
    task = task_for(it.task, prepared)
    last = list(train(it, prepared, State.start()))[-1]
    network = make_network(it, task)
    network.load_state_dict(last.state.weights)  # type: ignore[union-attr]
    scores = evaluate(network, task, prepared.splits["test"], it, predictions=True)
    beside = score(task, prepared, prepared.splits["test"])
    assert scores.metrics["accuracy"] > beside["constant target"]["accuracy"] + 0.2
    assert beside["nearest neighbour"]["accuracy"] > beside["constant target"]["accuracy"]


def test_numbers_are_told_in_their_own_units(tmp_path: Path) -> None:
    source = table(tmp_path) | {"targets": ["y"]}
    it = experiment(
        source,
        **{
            "task.loss": "squared",
            "train.optimizer.learning_rate": 1e-2,
            "train.epochs": 40,
            "train.early_stopping": None,
        },
    )
    prepared = prepare(it.data, it.task, tmp_path)
    task = task_for(it.task, prepared)
    last = list(train(it, prepared, State.start()))[-1]
    network = make_network(it, task)
    network.load_state_dict(last.state.weights)  # type: ignore[union-attr]
    scores = evaluate(network, task, prepared.splits["test"], it, predictions=True)
    assert scores.predictions is not None
    errors = scores.predictions["truth y"] - scores.predictions["predicted y"]
    assert scores.metrics["mae"] == pytest.approx(errors.abs().mean())
    assert scores.metrics["rmse"] == pytest.approx((errors**2).mean() ** 0.5)
    x = np.random.default_rng(0).normal(size=(400, 3))
    y = 100 + 10 * x[:, 0] - 5 * x[:, 1] * x[:, 2]
    assert scores.predictions["truth y"].tolist() == y[scores.predictions["item"]].tolist()
    beside = score(task, prepared, prepared.splits["test"])
    assert scores.metrics["rmse"] < beside["nearest neighbour"]["rmse"]
    assert beside["nearest neighbour"]["rmse"] < beside["constant target"]["rmse"]
    valid, truth = prepared.splits["valid"].all_truth, prepared.splits["test"].all_truth
    error = (truth - valid.quantile(0.5)).abs().mean()
    assert beside["best constant on valid"]["mae"] == pytest.approx(float(error))


def test_the_network_is_affine_layers_with_rectified_units(tmp_path: Path) -> None:
    it = experiment(table(tmp_path))
    prepared = prepare(it.data, it.task, tmp_path)
    network = make_network(it, task_for(it.task, prepared)).double()
    assert len(network.layers) == 2  # type: ignore[arg-type]  # as below
    batch = gather(prepared.splits["train"], torch.arange(5), "post", torch.float64)
    hidden = batch.inputs[:, 0]
    for layer in network.layers:  # type: ignore[union-attr]  # modules, whatever mypy thinks
        hidden = (hidden @ layer.weight.T + layer.bias).clamp(min=0)
    head = network.head
    expected = hidden @ head.weight.T + head.bias  # type: ignore[operator, union-attr]  # the same
    torch.testing.assert_close(network(batch.inputs, None), expected)


def test_frames_are_laid_flat(tmp_path: Path) -> None:
    it = experiment({"kind": "builtin", "name": "digits"}, **{"data.scaling": "none"})
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.fitted.inputs.features == 64
    frame = sources.read(it.data.source, it.data.split)
    part = prepared.splits["train"]
    row = int(part.item[7])
    assert part.inputs[7].tolist() == pytest.approx(frame["frames"].iloc[row].ravel().tolist())


def vectors(folder: Path, text: str, **changes: Any) -> Vectors:
    (folder / "v.csv").write_text(text)
    return Vectors(path=str(folder / "v.csv"), **changes)


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        ("a,label\n1,x\nb,y", {}, "line 3: column 'a' must hold numbers, but it is 'b'"),
        ("a,label\n1,\n2,y", {}, "line 2: every vector needs its target, but column 'label' is e"),
        ("label\nx", {}, "at least one column of features is needed"),
        ("a,label\n,x", {}, "every value must be a finite number, but 1 are missing"),
        ("a,lable\n1,x", {}, r"there is no column 'label' \(did you mean lable\?\)"),
    ],
)
def test_what_is_no_vector_is_refused(
    text: str, changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        sources.read(vectors(tmp_path, text, **changes), Fractions())


def test_a_name_that_says_jsonl_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.jsonl").write_text("{}")
    with pytest.raises(InputError, match="vectors must be CSV, TSV or Parquet"):
        sources.read(Vectors(path=str(tmp_path / "v.jsonl")), Fractions())


def test_a_target_that_is_no_number_is_refused(tmp_path: Path) -> None:
    source = table(tmp_path) | {"targets": ["label"]}
    it = experiment(source, **{"task.loss": "squared"})
    with pytest.raises(InputError, match="'label' must be a number, but in row 1 it is"):
        prepare(it.data, it.task, tmp_path)


def test_vectors_of_different_sizes_are_refused(tmp_path: Path) -> None:
    lines = ["s,x,label", *(f"{i // 3},{i},{i // 3 % 2}" for i in range(299))]
    (tmp_path / "f.csv").write_text("\n".join(lines))
    source = {"kind": "frames", "path": str(tmp_path / "f.csv"), "sequence": "s"}
    it = experiment(source)
    with pytest.raises(InputError, match="vectors must have one size, but they have 2 to 3"):
        prepare(it.data, it.task, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.cell": {"kind": "lstm"}}, "model.cell: vector has no use for it, a vector is no"),
        ({"model.bidirectional": True}, "model.bidirectional: vector has no use"),
        ({"data.padding": "pre"}, "data.padding: vector has no use"),
        ({"data.source.targets": ["a", "b"]}, "data.source.targets: a vector has one label"),
        ({"model.representation": {"kind": "one_hot"}}, "this source gives numbers"),
    ],
)
def test_what_a_vector_has_no_use_for_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        experiment(table(tmp_path), **changes)


def test_frames_have_no_numbers_to_tell() -> None:
    with pytest.raises(ValueError, match="frames have a label each and no numbers"):
        experiment({"kind": "builtin", "name": "digits"}, **{"task.loss": "squared"})
