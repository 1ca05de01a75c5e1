"""Words that come with their letters, and entities that are scored whole."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from seqeval.metrics import f1_score

from rnnkit.data.batches import gather
from rnnkit.data.inputs.tokens import abridged, alphabet, with_characters
from rnnkit.metrics import EntityMeter
from rnnkit.nn.losses import IGNORED
from rnnkit.params import Experiment
from rnnkit.tasks import prepare, task_for
from rnnkit.tasks.baselines import score
from rnnkit.training.trainer import make_network


def experiment(folder: Path, **changes: Any) -> Experiment:
    lines = [
        {
            "tokens": ["Ann", "sings", "now", f"no{i}", "Annette"],
            "tags": ["B-PER", "O", "O", "O", "B-PER"],
        }
        for i in range(40)
    ]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    tree = {
        "name": "s",
        "task": {"kind": "tagging"},
        "data": {
            "source": {"kind": "tokens", "path": str(folder / "a.jsonl")},
            "split": {"kind": "fractions", "valid": 0.2, "test": 0.2},
            "tokenizer": {"kind": "words", "lowercase": True, "spelling": 5},
        },
        "model": {
            "representation": {
                "kind": "embedding",
                "size": 6,
                "characters": {"size": 4, "hidden": 3},
            },
            "hidden": 5,
        },
    }
    return Experiment.model_validate(tree).replace(changes)


def test_letters_stand_behind_their_word() -> None:
    letters = alphabet([["ab", "c"]])
    assert letters == ("<pad>", "<unk>", "a", "b", "c")
    import numpy as np

    spelled = with_characters(np.array([7, 8, 9]), [["ab"], ["cXa", "abcab"]], letters, 4)
    assert spelled.tolist() == [[7, 2, 3, 0, 0], [8, 4, 1, 2, 0], [9, 2, 3, 2, 3]]
    assert abridged("abcde", 3) == "ade"


def test_a_spelled_word_has_its_own_vector_wherever_it_stands(tmp_path: Path) -> None:
    it = experiment(tmp_path)
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.splits["train"].inputs.shape[1] == 6
    network = make_network(it, task_for(it.task, prepared)).double()
    spelled: Any = network.representation
    batch = gather(prepared.splits["train"], torch.arange(3), "post", torch.float64)
    together = spelled(batch.inputs, None)
    assert together.shape == (3, 5, 6 + 2 * 3)
    for row in range(3):
        for step in range(5):
            alone = spelled(batch.inputs[row : row + 1, step : step + 1], None)
            torch.testing.assert_close(alone[0, 0], together[row, step])
    # the slow twin: letter by letter, forward and backward
    letters = batch.inputs[0, 0, 1:]
    letters = letters[letters != 0]
    vectors = spelled.letters.vectors[letters]
    ends = []
    for name, order in (("layer0", vectors), ("layer0_reverse", vectors.flip(0))):
        cell = spelled.stack.cell(name)
        state = cell.zeros(1, torch.float64, order.device)
        for vector in order:
            state = cell.step(vector[None], state)
        ends.append(state.h[0])
    torch.testing.assert_close(together[0, 0, 6:], torch.cat(ends))


def test_padding_of_words_has_no_letters_and_no_influence(tmp_path: Path) -> None:
    it = experiment(tmp_path)
    prepared = prepare(it.data, it.task, tmp_path)
    network = make_network(it, task_for(it.task, prepared)).double()
    inputs = gather(prepared.splits["train"], torch.arange(2), "post", torch.float64).inputs
    padded = torch.cat([inputs, torch.zeros_like(inputs[:, :2])], dim=1)
    mask = torch.arange(7)[None].expand(2, -1) < 5
    torch.testing.assert_close(network(padded, mask)[:, :5], network(inputs, None))


def test_the_case_of_letters_is_kept_where_words_are_lowercased(tmp_path: Path) -> None:
    it = experiment(tmp_path)
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.fitted.inputs.characters is not None
    assert "A" in prepared.fitted.inputs.characters
    assert "ann" in (prepared.fitted.inputs.vocabulary or ())


def test_letters_are_in_the_form_of_their_word(tmp_path: Path) -> None:
    it = experiment(tmp_path, **{"data.tokenizer.normalization": "NFC"})
    path = tmp_path / "a.jsonl"
    path.write_text(path.read_text().replace("Ann", "Zoe\u0308"))
    fitted = prepare(it.data, it.task, tmp_path).fitted.inputs
    assert "\u00eb" in (fitted.characters or ())
    assert "\u0308" not in (fitted.characters or ())
    parts, whole = (fitted.encode([[word]])[0] for word in ("Zoe\u0308", "Zo\u00eb"))
    assert parts.tolist() == whole.tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data.tokenizer.spelling": None}, "set data.tokenizer.spelling to the most characters"),
        ({"model.representation": {"kind": "one_hot"}}, "no network reads the characters"),
        ({"data.tokenizer.spelling": 1}, "greater than or equal to 2"),
    ],
)
def test_letters_and_their_network_come_together(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        experiment(tmp_path, **changes)


def test_only_tagging_reads_letters() -> None:
    with pytest.raises(ValueError, match="characters beside words are for tagging"):
        Experiment.model_validate(
            {
                "name": "x",
                "task": {"kind": "classification"},
                "data": {
                    "source": {"kind": "labelled_text", "path": "a"},
                    "tokenizer": {"kind": "words", "spelling": 5},
                },
                "model": {"representation": {"kind": "embedding", "characters": {}}},
            }
        )


# --- entities


LABELS = ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")


def test_entities_count_whole() -> None:
    truth = torch.tensor([[1, 3, 4, 0], [4, 0, IGNORED, IGNORED]])  # PER over two, LOC; LOC
    said = torch.tensor([[1, 4, 4, 0], [4, 0, 2, 2]])  # the PER is cut short
    meter = EntityMeter(LABELS)
    meter.update(said, truth)
    found = meter.compute()
    assert found["precision"] == pytest.approx(2 / 3)
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx(2 / 3)
    assert found["accuracy"] == pytest.approx(5 / 6)
    assert found["sequence_accuracy"] == pytest.approx(1 / 2)


def test_a_whole_set_is_scored_as_seqeval_does_in_one_call() -> None:
    draw = torch.Generator().manual_seed(0)
    meter, truth, said = EntityMeter(LABELS), [], []
    for _ in range(20):
        wanted = torch.randint(0, 5, (3, 7), generator=draw)
        predicted = torch.randint(0, 5, (3, 7), generator=draw)
        meter.update(predicted, wanted)
        truth += [[LABELS[i] for i in row] for row in wanted.tolist()]
        said += [[LABELS[i] for i in row] for row in predicted.tolist()]
    assert meter.compute()["f1"] == pytest.approx(float(f1_score(truth, said)))


def test_bio_tags_make_f1_of_entities_the_first_metric(tmp_path: Path) -> None:
    it = experiment(tmp_path)
    prepared = prepare(it.data, it.task, tmp_path)
    task = task_for(it.task, prepared)
    assert task.shown[0] == "f1"
    beside = score(task, prepared, prepared.splits["test"])
    assert beside["most frequent tag per token"]["f1"] == 1.0
    assert beside["most frequent tag"]["f1"] == 0.0  # O everywhere
