"""Predictions of a claim, and whether the scores hold them.

Each prediction is about means over seeds under one condition. Two variants differ only where the
difference of their means is larger than twice its standard error.
"""

import math
from abc import abstractmethod
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from rnnkit.claims.scores import Scores, Summary
from rnnkit.params.block import Block

ERRORS = 2.0
"""Standard errors that a difference must be larger than."""


Verdict = Literal["holds", "undecided", "does not hold"]


class Outcome(NamedTuple):
    """Whether a prediction holds, and a sentence with the numbers.

    Undecided: the means differ as predicted, by less than their error.
    """

    verdict: Verdict
    sentence: str


def _verdict(holds: bool) -> Verdict:
    return "holds" if holds else "does not hold"


class _Predicted(Block):
    variant: str
    condition: str = ""
    """Where left out, the only one."""

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants that it names."""
        return (self.variant,)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions that it names."""
        return (self.condition,)

    @abstractmethod
    def judge(self, scores: Scores, metric: str) -> Outcome:
        """Whether it holds.

        Args:
            metric: the claim's.
        """

    def _place(self) -> str:
        return f" at {self.condition}" if self.condition else ""


class Reaches(_Predicted):
    """The mean of a variant is at least, or at most, a number."""

    kind: Literal["reaches"] = "reaches"
    metric: str | None = None
    """null: the claim's."""
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> "Reaches":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give at_least or at_most")
        return self

    def judge(self, scores: Scores, metric: str) -> Outcome:
        measure = self.metric or metric
        got = scores.summary(self.condition, self.variant, measure)
        if self.at_least is not None:
            holds, bound = got.mean >= self.at_least, f"at least {self.at_least:g}"
        else:
            assert self.at_most is not None
            holds, bound = got.mean <= self.at_most, f"at most {self.at_most:g}"
        return Outcome(
            _verdict(holds),
            f"{measure} of {self.variant}{self._place()}: {bound} predicted, {got} measured",
        )


class Beats(_Predicted):
    """The mean of a variant is better than that of another one."""

    kind: Literal["beats"] = "beats"
    metric: str | None = None
    """null: the claim's."""
    than: str
    by: float = Field(default=0.0, ge=0)
    """Least difference of the means."""

    @property
    def variants(self) -> tuple[str, ...]:
        return (self.variant, self.than)

    def judge(self, scores: Scores, metric: str) -> Outcome:
        measure = self.metric or metric
        better = scores.summary(self.condition, self.variant, measure)
        worse = scores.summary(self.condition, self.than, measure)
        sign = 1 if scores.directions[measure] == "maximize" else -1
        gain = sign * (better.mean - worse.mean)
        error = ERRORS * _standard_error(better, worse)
        if math.isnan(worse.mean) and not math.isnan(better.mean):
            verdict: Verdict = "holds"  # what diverged is worse than anything
        elif self.by < gain <= error:
            verdict = "undecided"
        else:
            verdict = _verdict(gain > max(self.by, error))
        by = f" by more than {self.by:g}" if self.by else ""
        return Outcome(
            verdict,
            f"{measure}{self._place()}: {self.variant} predicted better than {self.than}{by}; "
            f"{better} against {worse} measured",
        )


class Equals(_Predicted):
    """The means of two variants differ by no more than a number."""

    kind: Literal["equals"] = "equals"
    metric: str | None = None
    """null: the claim's."""
    to: str
    within: float = Field(gt=0)

    @property
    def variants(self) -> tuple[str, ...]:
        return (self.variant, self.to)

    def judge(self, scores: Scores, metric: str) -> Outcome:
        measure = self.metric or metric
        pair = [scores.summary(self.condition, name, measure) for name in self.variants]
        holds = abs(pair[0].mean - pair[1].mean) <= self.within
        return Outcome(
            _verdict(holds),
            f"{measure}{self._place()}: {self.variant} and {self.to} predicted equal within "
            f"{self.within:g}; {pair[0]} and {pair[1]} measured",
        )


class Learns(_Predicted):
    """A variant beats its best baseline with every seed."""

    kind: Literal["learns"] = "learns"

    def judge(self, scores: Scores, metric: str) -> Outcome:
        rows = scores.of(self.condition, self.variant)
        count = sum(row.learned for row in rows)
        return Outcome(
            _verdict(count == len(rows)),
            f"{self.variant}{self._place()}: predicted to beat its best baseline with every seed, "
            f"and does with {count} of {len(rows)}",
        )


class Fails(_Predicted):
    """A variant diverges, or does not beat its best baseline, with every seed."""

    kind: Literal["fails"] = "fails"

    def judge(self, scores: Scores, metric: str) -> Outcome:
        rows = scores.of(self.condition, self.variant)
        count = sum(not row.learned for row in rows)
        diverged = sum(not row.values for row in rows)
        ended = f", {diverged} of them by divergence" if diverged else ""
        return Outcome(
            _verdict(count == len(rows)),
            f"{self.variant}{self._place()}: predicted to fail with every seed, and does with "
            f"{count} of {len(rows)}{ended}",
        )


Prediction = Annotated[Reaches | Beats | Equals | Learns | Fails, Field(discriminator="kind")]


def _standard_error(one: Summary, other: Summary) -> float:
    """Of the difference of two means over seeds."""
    return math.sqrt(one.deviation**2 / one.seeds + other.deviation**2 / other.seeds)
