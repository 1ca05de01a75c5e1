"""Entity F1 of BIO, IOBES and BILOU tags, against the definition: sets of entities."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score

from rnnkit.metrics import EntityMeter
from rnnkit.metrics.entities import are_entities, scores_by_type
from rnnkit.params.data import Data
from rnnkit.params.source import Conll
from rnnkit.params.task import Tagging
from rnnkit.tasks import prepare, task_for
from rnnkit.tasks.tagging.predictions import TagPredictions

Entity = tuple[int, int, str]
"""First token, last token, type."""
SCHEMES = {
    "IOBES": ("B-", "I-", "E-", "S-"),
    "BILOU": ("B-", "I-", "L-", "U-"),
    "BMES": ("B-", "M-", "E-", "S-"),
    "BIO with underscores": ("B_", "I_", "I_", "B_"),
}


def written(entities: Sequence[Entity], tokens: int, scheme: str) -> list[str]:
    """The tags of entities that do not overlap."""
    begin, inside, end, single = SCHEMES[scheme]
    tags = ["O"] * tokens
    for first, last, kind in entities:
        tags[first : last + 1] = [inside + kind] * (last + 1 - first)
        tags[first], tags[last] = begin + kind, end + kind
        if first == last:
            tags[first] = single + kind
    return tags


def drawn(draw: random.Random, tokens: int) -> list[Entity]:
    entities, first = [], 0
    while (first := first + draw.randrange(3)) < tokens:
        last = min(tokens - 1, first + draw.randrange(3))
        entities.append((first, last, draw.choice(["PER", "LOC"])))
        first = last + 1
    return entities


@pytest.mark.parametrize("scheme", SCHEMES)
def test_entity_f1_is_that_of_sets_of_entities(scheme: str) -> None:
    draw = random.Random(3)
    truth, said = ([drawn(draw, 9) for _ in range(30)] for _ in range(2))
    said[::2] = truth[::2]
    rows = [[written(own, 9, scheme) for own in side] for side in (said, truth)]
    labels = sorted({tag for side in rows for row in side for tag in row})
    assert are_entities(labels)
    meter = EntityMeter(labels)
    meter.update(*(torch.tensor([[*map(labels.index, row)] for row in side]) for side in rows))
    right = sum(len(set(a) & set(b)) for a, b in zip(said, truth, strict=True))
    precision, recall = right / sum(map(len, said)), right / sum(map(len, truth))
    metrics = meter.compute()
    assert 0.4 < precision < 1
    assert metrics["precision"] == pytest.approx(precision)
    assert metrics["recall"] == pytest.approx(recall)
    assert metrics["f1"] == pytest.approx(2 * precision * recall / (precision + recall))


TAGS = [f"{letter}-{kind}" for letter in "BIES" for kind in ("A", "B")] + ["O"]
SENTENCES = st.lists(st.lists(st.sampled_from(TAGS), min_size=1, max_size=8), min_size=1)


@given(SENTENCES, st.randoms(use_true_random=False))
def test_scores_of_tags_in_any_order_are_those_of_seqeval(
    truth: list[list[str]], draw: random.Random
) -> None:
    said = [[tag if draw.random() < 0.7 else draw.choice(TAGS) for tag in row] for row in truth]
    meter = EntityMeter(TAGS)
    for rows in zip(said, truth, strict=True):
        meter.update(*(torch.tensor([[*map(TAGS.index, row)]]) for row in rows))
    metrics = meter.compute()
    expected = {"precision": precision_score, "recall": recall_score, "f1": f1_score}
    for name, score in expected.items():
        assert metrics[name] == pytest.approx(float(score(truth, said, zero_division=0)))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_tagger_shows_entity_f1_first(scheme: str, tmp_path: Path) -> None:
    draw = random.Random(5)
    rows = [
        "\n".join(f"{row}.{k} {tag}" for k, tag in enumerate(written(drawn(draw, 6), 6, scheme)))
        for row in range(40)
    ]
    (tmp_path / "a.txt").write_text("\n\n".join(rows))
    params = Tagging()
    data = Data(source=Conll(path=str(tmp_path / "a.txt")))
    task = task_for(params, prepare(data, params, tmp_path))
    assert task.shown[0] == "f1"
    assert isinstance(task.meter(), EntityMeter)
    assert not any("one by one" in note for note in task.prepared.notes)


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ("B-PER I-PER O X", "'X' is no tag of BIO, IOBES or BILOU"),
        ("B-PER E-PER L-PER", "they mix BIO, IOBES and BILOU"),
        ("(PER* * *) (ORG*)", r"'(ORG*)' is no tag of BIO, IOBES or BILOU"),
        ("NOUN VERB", None),
    ],
)
def test_a_note_says_why_tags_are_scored_one_by_one(
    tags: str, why: str | None, tmp_path: Path
) -> None:
    rows = ["\n".join(f"{row}.{tag} {tag}" for tag in tags.split()) for row in range(40)]
    (tmp_path / "a.txt").write_text("\n\n".join(rows))
    data = Data(source=Conll(path=str(tmp_path / "a.txt")))
    notes = prepare(data, Tagging(), tmp_path).notes
    expected = [f"tags are scored one by one, not as whole entities: {why}"] if why else []
    assert [note for note in notes if "one by one" in note] == expected


def test_entities_of_one_type_have_no_name() -> None:
    labels = ["B", "I", "O"]
    meter = EntityMeter(labels)
    meter.update(torch.tensor([[0, 1, 2, 0]]), torch.tensor([[0, 1, 2, 2]]))
    assert meter.compute()["precision"] == 0.5
    assert meter.compute()["recall"] == 1


def test_a_label_that_is_no_entity_tag_counts_as_outside() -> None:
    meter = EntityMeter(["B-A", "O", "VERB"])
    meter.update(torch.tensor([[0, 1]]), torch.tensor([[0, 2]]))
    assert meter.compute() == {
        "accuracy": 0.5,
        "precision": 1,
        "recall": 1,
        "f1": 1,
        "sequence_accuracy": 0,
    }


@pytest.mark.parametrize(
    "labels",
    [["A", "B"], ["O"], ["B-A", "E-A", "L-A"], ["NOUN", "O"], ["B", "O"], ["B", "M", "E", "S"]],
)
def test_other_labels_are_no_entities(labels: list[str]) -> None:
    assert not are_entities(labels)


def test_scores_by_type_are_those_of_sets_of_entities() -> None:
    draw = random.Random(5)
    truth, said = ([drawn(draw, 9) for _ in range(30)] for _ in range(2))
    said[::2] = truth[::2]
    rows = [[written(own, 9, "BILOU") for own in side] for side in (truth, said)]
    scores = scores_by_type(*rows)
    assert list(scores) == ["LOC", "PER"]
    for kind, found in scores.items():
        own = [
            {(row, *each) for row, line in enumerate(side) for each in line if each[2] == kind}
            for side in (truth, said)
        ]
        right = len(own[0] & own[1])
        assert 0 < right < len(own[0])
        assert found == {
            "entities": len(own[0]),
            "predicted": len(own[1]),
            "precision": right / len(own[1]),
            "recall": right / len(own[0]),
            "f1": pytest.approx(2 * right / (len(own[0]) + len(own[1]))),
        }


def test_a_type_that_is_never_predicted_has_scores_of_zero() -> None:
    zero = {"precision": 0, "recall": 0, "f1": 0}
    assert scores_by_type([["B-A", "O"]], [["O", "B-B"]]) == {
        "A": {"entities": 1, "predicted": 0, **zero},
        "B": {"entities": 0, "predicted": 1, **zero},
    }


def test_a_report_has_the_scores_of_each_type_of_entity(tmp_path: Path) -> None:
    items: Any = None  # the scores need no texts
    table = pandas.DataFrame({"item": [0, 1], "truth": [["B-PER", "O"], ["B-LOC", "O"]]})
    predicted = table.assign(predicted=[["B-PER", "O"], ["O", "O"]])
    ((heading, rows),) = TagPredictions(predicted, Tagging()).tables(items)
    assert heading == "Entities by type"
    assert [(row["type"], row["entities"], row["f1"]) for row in rows] == [
        ("LOC", 1, 0), ("PER", 1, 1),
    ]  # fmt: skip
    parts = table.assign(truth=[["NOUN", "VERB"], ["VERB", "NOUN"]])
    no_entities = parts.assign(predicted=parts["truth"])
    assert [*TagPredictions(no_entities, Tagging()).tables(items)] == []
    one_type = table.assign(truth=[["B", "O"], ["B", "I"]], predicted=[["B", "O"], ["O", "O"]])
    assert [*TagPredictions(one_type, Tagging()).tables(items)] == []
