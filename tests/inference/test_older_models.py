"""Models that an older version saved load and answer as they did."""

import json
from pathlib import Path
from typing import Any

import pytest

from rnnkit.inference.predict import load
from rnnkit.inference.pyfunc import _load_pyfunc

OLDER = Path(__file__).parent / "older"
ANSWERS = json.loads((OLDER / "answers.json").read_text())


def close(answer: Any, expected: Any) -> None:
    """Equal, but for the rounding of float32 on other processors."""
    if isinstance(expected, dict):
        assert expected.keys() <= answer.keys()  # a newer version may say more
        for key, value in expected.items():
            close(answer[key], value)
    elif isinstance(expected, list):
        assert len(answer) == len(expected)
        for one, other in zip(answer, expected, strict=True):
            close(one, other)
    elif isinstance(expected, float):
        assert answer == pytest.approx(expected, rel=1e-4)
    else:
        assert answer == expected


@pytest.mark.filterwarnings("ignore::rnnkit.errors.Note")  # an input of unknown words
@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_older_models_answer_as_they_did(name: str) -> None:
    inputs, expected = ANSWERS[name]["inputs"], ANSWERS[name]["answers"]
    close(load(OLDER / name)(inputs), expected)
    close(_load_pyfunc(str(OLDER / name)).predict(inputs), expected)


def test_a_comparison_of_answers_can_fail() -> None:
    close({"a": [1.0]}, {"a": [1.00001]})
    with pytest.raises(AssertionError):
        close({"a": [1.0]}, {"a": [1.1]})
