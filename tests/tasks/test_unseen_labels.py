"""Labels that only valid, test or another file has: counted as wrong, told, not in the loss."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from trained_runs import Trained, finish_in

from rnnkit.data.batches import gather
from rnnkit.data.prepare.prepared import train_and_valid
from rnnkit.errors import InputError
from rnnkit.evaluation.champion import compare_with_champion
from rnnkit.evaluation.evaluate_file import evaluate_file
from rnnkit.evaluation.finalize import predictions_of
from rnnkit.inference.predict import load
from rnnkit.params import Experiment
from rnnkit.tasks import baselines, load_prepared, prepare, task_for
from rnnkit.training.loop import train
from rnnkit.training.state import Epoch, State

SENTENCES = ["Ann B-PER\nran O\n", "in O\nNew B-LOC\nYork I-LOC\n", "Bob B-PER\nsat O\nin O\n"]
HELD_OUT = "up B-PRT\nto I-PRT\nRome B-LOC\n"
ADAM = {"kind": "adam", "learning_rate": 0.05}


def conll(folder: Path, **task: Any) -> Experiment:
    (folder / "train.txt").write_text("\n".join(SENTENCES * 4))
    (folder / "valid.txt").write_text("\n".join([*SENTENCES, "Ann B-PER\nran X-Y\n"]))
    (folder / "test.txt").write_text("\n".join([HELD_OUT, *SENTENCES]))
    return experiment(
        {"kind": "tagging", **task}, "conll", folder / "train.txt", folder / "valid.txt",
        folder / "test.txt",
    )  # fmt: skip


def experiment(task: Any, kind: str, train: Path, valid: Path, test: Path) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "u",
            "task": task,
            "data": {
                "source": {"kind": kind, "path": str(train)},
                "split": {"kind": "files", "valid": str(valid), "test": str(test)},
            },
            "model": {"hidden": 6},
            "train": {"epochs": 20, "batch_size": 4, "optimizer": ADAM},
        }
    )


def texts(folder: Path, test: str = "good one,pos\nfair one,mid\n") -> Experiment:
    (folder / "a.csv").write_text("text,label\n" + "good one,pos\nbad one,neg\n" * 20)
    (folder / "b.csv").write_text("text,label\ngood one,pos\nbad one,neg\n")
    (folder / "c.csv").write_text(f"text,label\n{test}")
    own = (folder / name for name in ("a.csv", "b.csv", "c.csv"))
    return experiment({"kind": "classification"}, "labelled_text", *own)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    folder = tmp_path_factory.mktemp("tagger")
    return folder, finish_in(folder, conll(folder), "run")


def test_tags_that_training_lacks_count_as_wrong(tagger: tuple[Path, Trained]) -> None:
    _, (folder, prepared, result) = tagger
    assert prepared.fitted.labels == ("B-LOC", "B-PER", "I-LOC", "O")
    assert prepared.fitted.all_labels[4:] == ("X-Y", "B-PRT", "I-PRT")
    table = predictions_of(folder).table
    assert [*table["truth"][0]] == ["B-PRT", "I-PRT", "B-LOC"]
    truth, said = (table[name].explode().tolist() for name in ("truth", "predicted"))
    right = sum(a == b for a, b in zip(truth, said, strict=True))
    assert result["test"]["accuracy"] == pytest.approx(right / 11)
    assert right >= 8  # it has learned the others
    assert result["test"]["recall"] <= 4 / 5  # an entity of type PRT is one that was not found
    frequent = result["baselines"]["most frequent tag"]
    assert frequent["accuracy"] == pytest.approx(truth.count("O") / 11)
    assert not {*said} & {"B-PRT", "I-PRT", "X-Y"}


def test_a_note_and_the_result_tell_how_many(tagger: tuple[Path, Trained]) -> None:
    _, (_, prepared, result) = tagger
    wrong = "that training lacks, counted as wrong and left out of the loss"
    assert f"labels of valid {wrong}: 1 ('X-Y' 1)" in prepared.notes
    assert f"labels of test {wrong}: 2 ('B-PRT' 1, 'I-PRT' 1)" in prepared.notes
    assert result["data"]["unseen"] == {"valid": {"X-Y": 1}, "test": {"B-PRT": 1, "I-PRT": 1}}


def test_the_loss_is_the_mean_over_labels_with_an_output(tagger: tuple[Path, Trained]) -> None:
    home, (folder, prepared, result) = tagger
    predictor = load(folder.path)
    place = home / "prepared" / prepared.sha256
    prepared = load_prepared(place, predictor.experiment.data, predictor.experiment.task)
    assert prepared.fitted.all_labels == predictor.prepared.fitted.all_labels
    task = task_for(predictor.experiment.task, prepared)
    batch = gather(prepared.splits["test"], torch.arange(4), "post", torch.float32)
    outputs = predictor.network(batch.inputs, batch.mask).detach()
    known = (batch.targets >= 0) & (batch.targets < 4)
    expected = functional.cross_entropy(outputs[known], batch.targets[known])
    assert task.weight(batch) == int(known.sum()) == 9
    assert float(task.loss(outputs, batch)) == pytest.approx(float(expected), rel=1e-6)
    assert result["test"]["loss"] == pytest.approx(float(expected), rel=1e-5)


def test_class_weights_leave_labels_without_an_output_out(tmp_path: Path) -> None:
    it = conll(tmp_path, class_weights="balanced")
    prepared = prepare(it.data, it.task, tmp_path)
    task = task_for(it.task, prepared)
    batch = gather(prepared.splits["test"], torch.arange(4), "post", torch.float32)
    outputs = torch.randn(4, 3, 4, generator=torch.Generator().manual_seed(0))
    known = (batch.targets >= 0) & (batch.targets < 4)
    weights = prepared.fitted.targets.weights("balanced")
    expected = functional.cross_entropy(outputs[known], batch.targets[known], weights)
    assert float(task.loss(outputs, batch)) == pytest.approx(float(expected), rel=1e-6)
    assert task.weight(batch) == pytest.approx(float(weights[batch.targets[known]].sum()))


def test_a_batch_of_such_labels_alone_costs_nothing(tagger: tuple[Path, Trained]) -> None:
    _, (_, prepared, _) = tagger
    batch = gather(prepared.splits["test"], torch.tensor([0]), "post", torch.float32)
    outputs = torch.randn(1, 2, 4, requires_grad=True)
    batch = type(batch)(batch.inputs[:, :2], batch.targets[:, :2], None, batch.item)
    for weights in (None, "balanced"):
        it = conll(Path(prepared.fitted.data.source.path).parent, class_weights=weights)
        loss = task_for(it.task, prepared).loss(outputs, batch)
        loss.backward()
        assert outputs.grad is not None
        assert (float(loss.detach()), float(outputs.grad.abs().max())) == (0, 0)


def test_labels_of_another_file_count_as_wrong(
    tagger: tuple[Path, Trained], tmp_path: Path
) -> None:
    home, (folder, _, _) = tagger
    other = tmp_path / "other.txt"
    other.write_text("Ann B-PER\nran O\n\nAnn B-ORG\nran X-Y\n")
    found = evaluate_file(folder, str(other), home)
    assert found["test"]["accuracy"] == 0.5
    assert found["test"]["recall"] == 0.5
    assert found["baselines"]["most frequent tag per token"]["accuracy"] == 0.5
    note = f"labels of {other} that training lacks, counted as wrong and left out of the loss: 2"
    assert f"{note} ('X-Y' 1, 'B-ORG' 1)" in found["notes"]


def test_a_file_without_any_known_label_has_no_loss(
    tagger: tuple[Path, Trained], tmp_path: Path
) -> None:
    home, (folder, _, _) = tagger
    (tmp_path / "other.txt").write_text("Ann X\nran X\n")
    found = evaluate_file(folder, str(tmp_path / "other.txt"), home)
    assert found["test"]["accuracy"] == 0
    assert "loss" not in found["test"]


def test_classes_that_only_test_has(tmp_path: Path) -> None:
    it = texts(tmp_path)
    folder, prepared, result = finish_in(tmp_path, it, "run")
    assert result["test"]["accuracy"] == 0.5
    # `fair one` is read as pos: (2/3 + 0)/2 over pos and mid, or as neg: (1 + 0 + 0)/3
    assert result["test"]["f1"] == pytest.approx(1 / 3)
    assert "naive Bayes" in result["baselines"]
    assert predictions_of(folder).table["truth"].tolist() == ["pos", "mid"]
    assert prepared.facts["unseen"] == {"test": {"mid": 1}}
    (tmp_path / "d.csv").write_text("text,label\nfair one,fair\ngood one,pos\n")
    found = evaluate_file(folder, str(tmp_path / "d.csv"), tmp_path)
    assert found["test"]["accuracy"] == 0.5
    assert found["baselines"]["naive Bayes"]["accuracy"] == 0.5


def test_a_champion_that_lacks_a_label_is_compared(tmp_path: Path) -> None:
    old = finish_in(tmp_path, texts(tmp_path), "old").folder
    more = "good one,pos\nfair one,mid\n" * 10
    it = texts(tmp_path, more)
    (tmp_path / "a.csv").write_text(
        "text,label\n" + "good one,pos\nbad one,neg\nfair one,mid\n" * 20
    )
    new = finish_in(tmp_path, it, "new").folder
    verdict = compare_with_champion(new, old.path, tmp_path)
    assert verdict.change is not None
    assert verdict.change.value == pytest.approx(0.5)
    assert verdict.is_better
    assert "for the older model, labels of test that training lacks" in verdict.reason
    assert "10 ('mid' 10)" in verdict.reason


def test_answers_of_a_memory_problem_that_training_lacks(tmp_path: Path) -> None:
    it = Experiment.model_validate(
        {
            "name": "m",
            "task": {"kind": "memory", "problem": "temporal_order", "length": 20},
            "data": {"source": {"kind": "generated", "train": 3, "valid": 20, "test": 20}},
            "model": {"representation": {"kind": "one_hot"}, "hidden": 4},
            "train": {"epochs": 1},
        }
    )
    folder, prepared, result = finish_in(tmp_path, it, "run")
    assert len(prepared.fitted.all_labels) > len(prepared.fitted.labels or ())
    assert prepared.facts["unseen"]["test"]
    table = predictions_of(folder).table
    lacking = ~table["truth"].isin(prepared.fitted.labels)
    assert lacking.sum() == sum(prepared.facts["unseen"]["test"].values())
    assert not table["right"][lacking].any()
    assert result["baselines"]["constant answer"]["loss"] > 0


@pytest.mark.parametrize("bptt", [None, 1])
def test_training_on_train_and_valid_leaves_labels_without_an_output_out(
    tmp_path: Path, bptt: int | None
) -> None:
    it = conll(tmp_path).replace({"train.bptt": bptt, "train.epochs": 2})
    prepared = train_and_valid(prepare(it.data, it.task, tmp_path))
    assert int(prepared.splits["train"].all_targets.max()) >= 4
    epochs = [record for record in train(it, prepared, State.start()) if isinstance(record, Epoch)]
    assert all(0 < epoch.train["loss"] < 10 for epoch in epochs)
    assert all(epoch.gradient["refused"] == 0 for epoch in epochs)
    scores = baselines.score(task_for(it.task, prepared), prepared, prepared.splits["test"])
    assert scores["most frequent tag per token"]["accuracy"] == pytest.approx(8 / 11)


def test_a_validation_split_without_a_known_label_is_refused(tmp_path: Path) -> None:
    it = texts(tmp_path)
    (tmp_path / "b.csv").write_text("text,label\ngood one,mid\nbad one,low\n")
    with pytest.raises(InputError, match=r"valid needs a label of the training split, .* is 'low'"):
        prepare(it.data, it.task, tmp_path)
