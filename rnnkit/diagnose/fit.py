"""Fit: classes that are never predicted, calibration, and the lengths at which the errors are.

    calibration error   Σ_b n_b / n · |accuracy_b - confidence_b| over bins b of confidence

Reference: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On calibration of modern neural networks,
ICML 2017.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas

from rnnkit.diagnose.rules import RULES
from rnnkit.diagnose.subject import Case, Subject
from rnnkit.diagnose.verdict import Verdict, accepted
from rnnkit.nn.model.network import count_parameters
from rnnkit.tasks.predictions import MEASURES, Predictions

FIT = "fit"
"""Name of the measurement."""
BINS = 10
"""Bins of confidence, equally wide."""
GROUPS = 3
"""Groups of items by length, about equally large."""
MIN_ITEMS = 30
"""Items of the smallest group of lengths."""
MAX_CLASSES = 100
"""Classes whose counts are given, the most frequent ones."""


def measure(subject: Subject) -> Mapping[str, Any]:
    """The fit of a trained network.

    Returns:
        parameters; targets: of the training split; and of the predictions where they have them:
        classes (label -> truth and predicted, counts), calibration and lengths, as `calibration`
        and `by_length` give them.
    """
    split = subject.prepared.splits["train"]
    fit: dict[str, Any] = {
        "parameters": count_parameters(subject.network),
        "targets": int(split.target_length.sum()),
    }
    predictions = subject.predictions
    if predictions is None:
        return fit
    if (labels := predictions.labels) is not None:
        fit["classes"] = classes(labels)
        if "probability" in labels:
            fit["calibration"] = calibration(labels)
    if lengths := by_length(predictions, _lengths(subject)):
        fit["lengths"] = lengths
    return fit


def classes(labels: pandas.DataFrame) -> dict[str, dict[str, int]]:
    """Counts of each label among the true and the predicted ones, the most frequent first.

    Args:
        labels: truth and predicted, a row for each.
    """
    truth, predicted = (labels[name].value_counts() for name in ("truth", "predicted"))
    names = [*truth.index, *(name for name in predicted.index if name not in truth.index)]
    return {
        str(name): {"truth": int(truth.get(name, 0)), "predicted": int(predicted.get(name, 0))}
        for name in names[:MAX_CLASSES]
    }


def calibration(labels: pandas.DataFrame) -> dict[str, Any]:
    """Confidence against accuracy.

    Args:
        labels: truth, predicted and probability, a row for each.

    Returns:
        error: the expected calibration error; confidence, accuracy: means; items; bins: from, to,
        items, confidence and accuracy of each bin that has any.
    """
    right = (labels["truth"] == labels["predicted"]).to_numpy(dtype=float)
    confidence = labels["probability"].to_numpy(dtype=float)
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = [
        {
            "from": b / BINS,
            "to": (b + 1) / BINS,
            "items": int((place == b).sum()),
            "confidence": float(confidence[place == b].mean()),
            "accuracy": float(right[place == b].mean()),
        }
        for b in range(BINS)
        if (place == b).any()
    ]
    gaps = [one["items"] * abs(one["accuracy"] - one["confidence"]) for one in bins]
    return {
        "error": sum(gaps) / len(labels),
        "confidence": float(confidence.mean()),
        "accuracy": float(right.mean()),
        "items": len(labels),
        "bins": bins,
    }


def by_length(predictions: Predictions, lengths: pandas.Series) -> list[dict[str, Any]]:
    """The deciding measure of items in groups of about equally many, by their length.

    Args:
        predictions: of the test split.
        lengths: steps of the inputs, by item.

    Returns:
        shortest, longest (steps), items, measure, value and error (the value, or 1 less a value
        that should be large) of each group; empty where all are equally long, or groups are too
        small.
    """
    measured = predictions.measured()
    items = measured.items.join(lengths.rename("steps"), how="inner")
    if "total" not in items or items["steps"].nunique() < GROUPS:
        return []
    group = pandas.qcut(items["steps"], GROUPS, labels=False, duplicates="drop")
    if group.nunique() < GROUPS or group.value_counts().min() < MIN_ITEMS:
        return []
    groups = []
    for _, rows in items.groupby(group):
        value = float(rows["total"].sum() / max(rows["weight"].sum(), 1e-12))
        is_error = MEASURES[measured.name].direction == "minimize"
        groups.append(
            {
                "shortest": int(rows["steps"].min()),
                "longest": int(rows["steps"].max()),
                "items": len(rows),
                "measure": measured.name,
                "value": value,
                "error": value if is_error else 1 - value,
            }
        )
    return groups


def judge(case: Case) -> Iterator[Verdict]:
    """Verdicts on what is predicted."""
    fit = case.measured.get(FIT, {})
    yield from _never_predicted(case, fit.get("classes", {}))
    if calibrated := fit.get("calibration"):
        yield from _overconfident(case, calibrated)
    if groups := fit.get("lengths"):
        yield from _long_items(case, groups)


def _never_predicted(case: Case, counts: Mapping[str, Mapping[str, int]]) -> Iterator[Verdict]:
    rule = RULES["never_predicted"]
    total = sum(count["truth"] for count in counts.values())
    missing = {
        name: count["truth"] / total
        for name, count in counts.items()
        if count["truth"] >= rule["share"] * total and not count["predicted"]
    }
    if missing:
        named = ", ".join(f"{name} ({share:.0%} of the truth)" for name, share in missing.items())
        overrides = accepted(case.experiment, {"task.class_weights": "balanced"})
        yield rule.verdict(f"never predicted: {named}", {"classes": missing}, overrides)


def _overconfident(case: Case, calibrated: Mapping[str, Any]) -> Iterator[Verdict]:
    rule = RULES["overconfident"]
    above = calibrated["confidence"] - calibrated["accuracy"]
    if above < rule["above"] or calibrated["items"] < rule["items"]:
        return
    text = (
        f"overconfident: a mean confidence of {calibrated['confidence']:.1%} at an accuracy of "
        f"{calibrated['accuracy']:.1%}, calibration error {calibrated['error']:.3f}"
    )
    more = min(0.5, case.experiment.model.dropout + 0.3)
    overrides = accepted(case.experiment, {"model.dropout": more}, {"train.monitor": "valid/loss"})
    yield rule.verdict(text, {k: v for k, v in calibrated.items() if k != "bins"}, overrides)


def _long_items(case: Case, groups: Sequence[Mapping[str, Any]]) -> Iterator[Verdict]:
    rule = RULES["errors_on_long_items"]
    short, long = groups[0], groups[-1]
    if long["error"] < rule["error"] or long["error"] < rule["times"] * short["error"]:
        return
    text = (
        f"errors grow with the length: {long['measure']} is {long['value']:.3g} from "
        f"{long['shortest']} steps on, {short['value']:.3g} up to {short['longest']}"
    )
    overrides = accepted(
        case.experiment, {"model.attention": "additive"}, {"model.cell.kind": "lstm"}
    )
    yield rule.verdict(text, {"groups": [*groups]}, overrides)


def _lengths(subject: Subject) -> pandas.Series:
    split = subject.prepared.splits["test"]
    lengths = pandas.Series(split.input_length.numpy(), index=split.item.numpy())
    return lengths[~lengths.index.duplicated()]
