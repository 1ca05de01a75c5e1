"""Sentences and tables of the report on what was measured of a network."""

from typing import Any

from small_training import experiment_of

from rnnkit.report.measured import sentences, tables

STEP: dict[str, Any] = {
    "kind": "step",
    "epoch": 1,
    "step": 1,
    "gradient_norm": 2.0,
    "gradient_norm_max": 2.0,
    "clipped_fraction": 0.0,
    "clip_scale": 1.0,
    "norm_max_step": 1,
    "threshold": 5.0,
    "refused": 0,
}


def test_memory_and_clipping_are_a_sentence_each() -> None:
    span = {"span": 9, "is_bounded": True}
    depends = {"reach": 12, "measure": "autocorrelation"}
    measured = {"memory_span": span, "dependence": depends}
    assert sentences(experiment_of({}), [STEP], measured) == [
        "Memory: the network uses inputs up to 9 steps back; the data depend on theirs up to 12 "
        "(autocorrelation)",
        "Clipping: never clips: the threshold 5 does nothing; the median norm is 2, the largest 2",
    ]
    assert sentences(experiment_of({}), [], {}) == []


def test_the_tables_have_the_scores_of_layers_lengths_and_neighbours() -> None:
    group = {"shortest": 1, "longest": 9, "items": 40, "measure": "accuracy", "value": 0.5}
    nearest = [{"token": "b", "cosine": 0.5}, {"token": "c", "cosine": 0.25}]
    measured = {
        "linear_probe": {
            "measure": "accuracy",
            "layers": {"inputs": 0.4, "layer0": 0.9},
            "constant": 0.2,
            "targets": 99,
        },
        "fit": {"lengths": [group]},
        "neighbours": {"tokens": [{"token": "a", "count": 7, "nearest": nearest}]},
    }
    assert dict(tables(measured)) == {
        "What a linear probe reads from each layer": [
            {"layer": "no input", "accuracy": 0.2},
            {"layer": "inputs", "accuracy": 0.4},
            {"layer": "layer0", "accuracy": 0.9},
        ],
        "By length of the input": [{"steps": "1 to 9", "items": 40, "accuracy": 0.5}],
        "Nearest neighbours of the most frequent tokens": [
            {"token": "'a'", "count": 7, "nearest": "'b' 0.50, 'c' 0.25"}
        ],
    }
    assert list(tables({})) == []
