"""Predictions of claims against scores that are known."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from rnnkit.claims.predicted import Prediction
from rnnkit.claims.scores import Score, Scores


def scores(**values: list[float]) -> Scores:
    """Variant -> its accuracy with each seed: above .5 it learned, below 0 it diverged."""
    rows = [
        Score(
            "",
            name,
            seed,
            {"accuracy": value, "loss": 1 - value} if value >= 0 else {},
            value > 0.5,
        )
        for name, of_seeds in values.items()
        for seed, value in enumerate(of_seeds)
    ]
    return Scores(rows, {"accuracy": "maximize", "loss": "minimize"})


def verdict(scores: Scores, metric: str = "accuracy", **prediction: Any) -> str:
    predicted: Any = TypeAdapter(Prediction).validate_python(prediction)
    outcome = predicted.judge(scores, metric)
    assert predicted.variant in outcome.sentence
    return str(outcome.verdict)


SCORES = scores(
    good=[0.9, 0.92, 0.94], bad=[0.3, 0.31, 0.32], wild=[0.2, 0.9, 0.9], gone=[-1, -1, -1]
)


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        ({"kind": "reaches", "variant": "good", "at_least": 0.92}, True),
        ({"kind": "reaches", "variant": "good", "at_least": 0.93}, False),
        ({"kind": "reaches", "variant": "bad", "at_most": 0.31}, True),
        ({"kind": "reaches", "variant": "bad", "at_most": 0.3}, False),
        ({"kind": "reaches", "variant": "gone", "at_most": 1.0}, False),
        ({"kind": "beats", "variant": "good", "than": "bad"}, True),
        ({"kind": "beats", "variant": "good", "than": "bad", "metric": "loss"}, True),
        ({"kind": "beats", "variant": "bad", "than": "good"}, False),
        ({"kind": "beats", "variant": "good", "than": "bad", "by": 0.7}, False),
        ({"kind": "beats", "variant": "good", "than": "wild"}, False),
        ({"kind": "beats", "variant": "bad", "than": "gone"}, True),
        ({"kind": "beats", "variant": "gone", "than": "bad"}, False),
        ({"kind": "equals", "variant": "good", "to": "bad", "within": 0.7}, True),
        ({"kind": "equals", "variant": "good", "to": "bad", "within": 0.5}, False),
        ({"kind": "equals", "variant": "good", "to": "gone", "within": 0.5}, False),
        ({"kind": "learns", "variant": "good"}, True),
        ({"kind": "learns", "variant": "wild"}, False),
        ({"kind": "fails", "variant": "bad"}, True),
        ({"kind": "fails", "variant": "gone"}, True),
        ({"kind": "fails", "variant": "wild"}, False),
    ],
)
def test_a_prediction_holds_where_the_means_do(prediction: dict[str, Any], expected: bool) -> None:
    assert (verdict(SCORES, **prediction) == "holds") is expected


def test_a_difference_that_is_not_above_its_error_is_none() -> None:
    """Seeds deviate by .1, so that a difference of .05 has a standard error of .08."""
    close = scores(one=[0.6, 0.7, 0.8], other=[0.55, 0.65, 0.75])
    assert verdict(close, kind="beats", variant="one", than="other") == "undecided"
    assert verdict(close, kind="beats", variant="other", than="one") == "does not hold"
    assert verdict(close, kind="beats", variant="one", than="other", by=0.06) == "does not hold"
    same = scores(one=[0.70, 0.70, 0.70], other=[0.65, 0.65, 0.65])
    assert verdict(same, kind="beats", variant="one", than="other") == "holds"


@pytest.mark.parametrize("bounds", [{}, {"at_least": 1, "at_most": 2}])
def test_reaches_has_one_bound(bounds: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="give at_least or at_most"):
        TypeAdapter(Prediction).validate_python({"kind": "reaches", "variant": "a", **bounds})
