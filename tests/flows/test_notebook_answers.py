"""Answers of a run in a notebook: to lists, tables and single texts."""

from pathlib import Path
from typing import Any

import pandas
import pytest
from trained_runs import finish_in
from untrained_models import sentences

from flows.notebook import load
from rnnkit.params import Experiment


@pytest.fixture
def home(tmp_path: Path) -> Path:
    source = sentences(tmp_path)
    data = {"source": source, "split": {"kind": "fractions", "valid": 0.2, "test": 0.2}}
    tree = {"name": "tags", "task": {"kind": "tagging"}, "data": data, "train": {"epochs": 1}}
    finish_in(tmp_path, Experiment.model_validate(tree), "tags-1")
    return tmp_path


def test_every_form_of_inputs_gets_the_same_answers(home: Path) -> None:
    tagger, sentence = load("tags-1", home), ["Ann", "was", "in", "Ulm"]
    (answer,) = tagger([sentence])
    assert answer["tokens"] == sentence
    forms: list[Any] = [
        "Ann was  in Ulm",
        ["Ann was  in Ulm "],
        ("Ann was in Ulm",),
        pandas.Series(["Ann was in Ulm"]),
        pandas.DataFrame({"tags": [["O"]], "tokens": [sentence]}),
        pandas.DataFrame({"tokens": ["Ann was in\tUlm"]}),
        [{"tokens": "Ann was in Ulm", "id": 3}],
    ]
    assert [tagger(form) for form in forms] == [[answer]] * len(forms)
    assert tagger([]) == []
