"""Classes, calibration and errors by length, and their verdicts."""

from typing import Any

import numpy as np
import pandas
import pytest
from small_training import experiment_of, prepared_of

from rnnkit.diagnose import fit
from rnnkit.diagnose.subject import Case, Subject
from rnnkit.nn.model.network import count_parameters
from rnnkit.runtime import numerics
from rnnkit.tasks import predictions_of, task_for
from rnnkit.tasks.classification.task import LabelPredictions
from rnnkit.tasks.tagging.predictions import TagPredictions
from rnnkit.training.evaluate import evaluate


def judged(measured: dict[str, Any]) -> list[Any]:
    experiment = experiment_of({})
    task = task_for(experiment.task, prepared_of(experiment))
    return [*fit.judge(Case(experiment, task, (), {fit.FIT: measured}))]


def labels(truth: str, predicted: str, probability: list[float]) -> LabelPredictions:
    table = {"item": range(len(truth)), "truth": [*truth], "predicted": [*predicted]}
    return LabelPredictions(pandas.DataFrame({**table, "probability": probability}), None)


def test_calibration_equals_the_bins_counted_by_hand() -> None:
    """Three of confidence .95, one of them wrong; one of .55, right."""
    table = labels("aabb", "aaab", [0.95, 0.95, 0.95, 0.55]).labels
    measured = fit.calibration(table)
    assert measured["error"] == pytest.approx(3 / 4 * (0.95 - 2 / 3) + 1 / 4 * (1 - 0.55))
    assert (measured["accuracy"], measured["items"]) == (0.75, 4)
    assert [(one["items"], one["from"]) for one in measured["bins"]] == [(1, 0.5), (3, 0.9)]


def test_certain_predictions_lie_in_the_last_bin() -> None:
    (last,) = fit.calibration(labels("aa", "aa", [1.0, 1.0]).labels)["bins"]
    assert (last["to"], last["accuracy"]) == (1.0, 1.0)


def test_the_tags_of_all_items_are_counted() -> None:
    table = pandas.DataFrame(
        {"item": [0, 1], "truth": [["a", "b"], ["b"]], "predicted": [["b", "b"], ["c"]]}
    )
    assert fit.classes(TagPredictions(table, None).labels) == {
        "b": {"truth": 2, "predicted": 2},
        "a": {"truth": 1, "predicted": 0},
        "c": {"truth": 0, "predicted": 1},
    }


def test_a_class_that_is_never_predicted_is_named() -> None:
    counts = fit.classes(labels("a" * 90 + "b" * 8 + "c" * 2, "a" * 100, [0.9] * 100).labels)
    (verdict,) = judged({"classes": counts})
    assert verdict.name == "never_predicted"
    assert verdict.sentence == "never predicted: b (8% of the truth)"  # c is too rare
    assert verdict.options == ("--set task.class_weights=balanced",)
    counts["b"]["predicted"] = 1
    assert judged({"classes": counts}) == []


@pytest.mark.parametrize(("confidence", "verdicts"), [(0.96, 1), (0.85, 0), (0.5, 0)])
def test_confidence_far_above_the_accuracy_is_named(confidence: float, verdicts: int) -> None:
    table = labels("ab" * 100, "a" * 150 + "ab" * 25, [confidence] * 200)
    table.table["truth"] = ["a"] * 110 + ["b"] * 40 + ["a", "b"] * 25
    measured = fit.calibration(table.labels)
    assert measured["accuracy"] == pytest.approx(0.8)
    reached = judged({"calibration": measured})
    assert len(reached) == verdicts
    if verdicts:
        assert reached[0].name == "overconfident"
        assert "a mean confidence of 96.0% at an accuracy of 80.0%" in reached[0].sentence
    few = fit.calibration(labels("ab", "aa", [1.0, 1.0]).labels)
    assert judged({"calibration": few}) == []


def measured_by_length(wrong_from: int) -> list[dict[str, Any]]:
    """Items of 1 to 120 steps, right below a length."""
    steps = np.arange(1, 121)
    predicted = np.where(steps < wrong_from, "a", "b")
    table = labels("a" * 120, "".join(predicted), [0.5] * 120)
    return fit.by_length(table, pandas.Series(steps, index=range(120)))


def test_errors_on_long_items_are_named() -> None:
    groups = measured_by_length(81)
    assert [(g["shortest"], g["longest"], g["value"]) for g in groups] == [
        (1, 40, 1.0),
        (41, 80, 1.0),
        (81, 120, 0.0),
    ]
    (verdict,) = judged({"lengths": groups})
    assert verdict.name == "errors_on_long_items"
    assert "accuracy is 0 from 81 steps on, 1 up to 40" in verdict.sentence
    assert judged({"lengths": measured_by_length(1)}) == []  # as wrong on short ones
    trec = [{**groups[0], "error": 0.025}, {**groups[2], "error": 0.172}]  # of a good network
    assert judged({"lengths": trec}) == []
    assert judged({"lengths": measured_by_length(500)}) == []


def test_equally_long_or_few_items_have_no_groups() -> None:
    table = labels("a" * 120, "b" * 120, [0.5] * 120)
    assert fit.by_length(table, pandas.Series(7, index=range(120))) == []
    few = labels("a" * 12, "b" * 12, [0.5] * 12)
    assert fit.by_length(few, pandas.Series(range(12))) == []


def test_the_fit_of_a_network_has_its_parameters_targets_and_classes() -> None:
    experiment = experiment_of({})
    prepared = prepared_of(experiment)
    task = task_for(experiment.task, prepared)
    network = task.network(experiment.model, numerics.generator(0))
    scores = evaluate(network, task, prepared.splits["test"], experiment, predictions=True)
    assert scores.predictions is not None
    table = predictions_of(experiment, scores.predictions)
    measured = fit.measure(Subject(experiment, task, network.eval(), prepared, table))
    assert measured["parameters"] == count_parameters(network)
    assert measured["targets"] == len(prepared.splits["train"].all_targets)
    truth = sum(count["truth"] for count in measured["classes"].values())
    assert truth == len(prepared.splits["test"].all_targets)
    assert "calibration" not in measured  # tags have no probabilities in the table
    bare = fit.measure(Subject(experiment, task, network, prepared))
    assert set(bare) == {"parameters", "targets"}
