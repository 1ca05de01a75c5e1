"""The shape of the loss curves: overfitting, underfitting, a learning rate too high or too low.

All by the losses of the epochs, as the journal has them; the slow and certain way is the range test
of `rnnkit lr`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rnnkit.diagnose.fit import FIT
from rnnkit.diagnose.rules import RULES
from rnnkit.diagnose.subject import Case
from rnnkit.diagnose.verdict import Verdict, accepted
from rnnkit.params import Experiment


@dataclass(frozen=True)
class Curve:
    """Losses of the epochs of a training, all finite.

    Args:
        train: of each epoch.
        valid: of each epoch; empty without a validation split.
        first: training loss of the first step record; of the first epoch where there is none.
        best: index of the epoch whose weights were kept.
    """

    train: tuple[float, ...]
    valid: tuple[float, ...]
    first: float
    best: int

    @property
    def fall(self) -> float:
        """By which fraction the training loss fell, from the first record to the last epoch."""
        return 1 - self.train[-1] / self.first

    @property
    def last_fall(self) -> float:
        """By which fraction the training loss fell in the last epoch."""
        return 1 - self.train[-1] / self.train[-2]


def curve_of(case: Case) -> Curve | None:
    """The curve of a journal; None: fewer than two epochs, or losses that are not positive."""
    epochs = case.records("epoch")
    train = tuple(float(line["train"]["loss"]) for line in epochs)
    valid = tuple(float(line["valid"]["loss"]) for line in epochs if "loss" in line["valid"])
    steps = case.records("step")
    first = float(steps[0]["loss"]) if steps else (train or (0.0,))[0]
    if len(train) < 2 or not all(0 < loss < float("inf") for loss in (first, *train, *valid)):
        return None
    improved = [number for number, line in enumerate(epochs) if line["improved"]]
    return Curve(train, valid, first, improved[-1] if improved else len(train) - 1)


def judge(case: Case) -> Iterator[Verdict]:
    """Verdicts on the loss curves."""
    if (curve := curve_of(case)) is None:
        return
    rises = [*_rate_too_high(case, curve)]
    yield from rises
    yield from _overfitting(case, curve)
    if case.learned is False and not rises:
        yield from _stops_short(case, curve)


def _rate_too_high(case: Case, curve: Curve) -> Iterator[Verdict]:
    rule = RULES["learning_rate_too_high"]
    lowest = min(curve.train)
    last = min(curve.train[-2:])
    if last >= rule["rise"] * lowest:
        text = f"the training loss rose from {lowest:.3g} to {last:.3g}"
    elif case.learned is False and curve.train[-1] > curve.first:
        text = f"the training loss went from {curve.first:.3g} to {curve.train[-1]:.3g}"
    else:
        return
    rate = case.experiment.train.optimizer.learning_rate
    text = f"{text}: the learning rate {rate:g} is too high"
    overrides = accepted(case.experiment, *(_rate(rate / by) for by in (3, 10)))
    yield rule.verdict(text, {"train_loss": [*curve.train], "first": curve.first}, overrides)


def _overfitting(case: Case, curve: Curve) -> Iterator[Verdict]:
    rule = RULES["overfitting"]
    if not curve.valid:
        return
    lowest = min(curve.valid)
    at = curve.valid.index(lowest)
    falls = curve.train[-1] < rule["fall"] * curve.train[at]
    if curve.valid[-1] < rule["rise"] * lowest or not falls:
        return
    text = (
        f"overfits from epoch {at + 1} on: the validation loss rose from {lowest:.3g} to "
        f"{curve.valid[-1]:.3g} while the training loss fell from {curve.train[at]:.3g} to "
        f"{curve.train[-1]:.3g}"
    )
    fit = case.measured.get(FIT, {})
    if fit:
        text += f"; {fit['parameters']:,} parameters for {fit['targets']:,} targets"
    evidence = {"valid_loss": [*curve.valid], "train_loss": [*curve.train], "best": curve.best + 1}
    yield rule.verdict(text, evidence, _less_capacity(case.experiment))


def _stops_short(case: Case, curve: Curve) -> Iterator[Verdict]:
    """Of a network that does not beat its baseline: it learns on, too slowly, or not at all."""
    experiment, rate = case.experiment, case.experiment.train.optimizer.learning_rate
    evidence: Mapping[str, Any] = {"train_loss": [*curve.train], "first": curve.first}
    losses = f"the training loss fell from {curve.first:.3g} to {curve.train[-1]:.3g}"
    is_last_best = curve.best == len(curve.train) - 1
    slow, short = RULES["learning_rate_too_low"], RULES["too_few_epochs"]
    steady = (curve.train[-2] - curve.train[-1]) / max(curve.train[0] - curve.train[1], 1e-12)
    is_steady = len(curve.train) > 2 and steady > slow["steady"]
    if is_last_best and 0 < curve.fall < slow["fall"] and is_steady:
        text = f"{losses}, about equally in every epoch: the learning rate {rate:g} is too low"
        yield slow.verdict(text, evidence, accepted(experiment, *map(_rate, (10 * rate, 3 * rate))))
    elif is_last_best and curve.last_fall > short["last_fall"]:
        text = f"{losses} and still falls, by {curve.last_fall:.1%} in the last epoch"
        more = {"train.epochs": 3 * experiment.train.epochs}
        yield short.verdict(text, evidence, accepted(experiment, more, _rate(3 * rate)))
    elif curve.train[-1] <= curve.first and curve.last_fall < short["last_fall"]:
        rule = RULES["underfitting"]
        valid = curve.valid[-1] if curve.valid else curve.train[-1]
        if valid > rule["gap"] * curve.train[-1]:
            return
        text = f"underfits: {losses} and falls no more"
        yield rule.verdict(text, evidence, _more_capacity(experiment))


def _rate(rate: float) -> dict[str, float]:
    return {"train.optimizer.learning_rate": float(f"{rate:.1g}")}


def _less_capacity(experiment: Experiment) -> tuple[Mapping[str, Any], ...]:
    model = experiment.model
    return accepted(
        experiment,
        {"model.dropout": min(0.8, round(model.dropout + 0.3, 2))},
        {"model.hidden": max(1, model.hidden // 2)},
        {"train.optimizer.l2": max(1e-4, 10 * experiment.train.optimizer.l2)},
    )


def _more_capacity(experiment: Experiment) -> tuple[Mapping[str, Any], ...]:
    model, rate = experiment.model, experiment.train.optimizer.learning_rate
    return accepted(
        experiment, {"model.hidden": 2 * model.hidden}, {"model.dropout": 0.0}, _rate(3 * rate)
    )
