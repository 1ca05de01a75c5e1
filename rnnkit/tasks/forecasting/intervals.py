"""Calibrated quantiles of a forecast: shifted by the errors that the validation split had.

The network's quantile of probability p is shifted so that a fraction p of the validation truth lies
below it, for each step of the horizon and each target by itself, on scaled values (conformalized
quantile regression; this is the asymmetric form, which treats the two ends of an interval apart).
A network that forecasts one number has the same shifts from that number: split conformal
prediction. The median, or the number, which is the scored forecast, is left as it is.

Coverage would be exact if windows were exchangeable. The noise of a series changes with time, so
the shifts follow the test split (quantile tracking): once the truth of a step is known,

    shift <- shift + RATE · range · (level - [truth <= quantile])

with the range of the validation errors. Whatever the truth does, the fraction of it below the
quantile tends to the level. A forecast is shifted by what was known at its first row, and one of
new rows by what was known at the end of the test split.

References: Y. Romano, E. Patterson, E. J. Candès, Conformalized quantile regression, NeurIPS 2019
(Theorem 2); V. Vovk, A. Gammerman, G. Shafer, Algorithmic learning in a random world, 2005;
I. Gibbs, E. J. Candès, Adaptive conformal inference under distribution shift, NeurIPS 2021;
A. N. Angelopoulos, E. J. Candès, R. J. Tibshirani, Conformal PID control for time series
prediction, NeurIPS 2023 (section 2.1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

RATE = 0.002
"""Step of the shifts, as a fraction of the range of the errors. Larger steps follow faster and
scatter more: fitted on the first half of ETTh1's validation split, the 90 % interval holds .881 of
the second half without following, .897 with .002 and .901 with .005, whose pinball loss is 1.4 %
and 3.9 % above that without."""
ROUNDING = 1e-9
"""Taken off a product before it is rounded up: 100 · .95 is a little above 95."""
Values = Float[Tensor, "windows horizon targets quantiles"]
"""Scaled quantiles, or a single forecast."""
Rows = Int[Tensor, " windows"]
Shifts = Float[Tensor, "horizon targets quantiles"]


@dataclass(frozen=True, eq=False)
class Windows:
    """Forecasts of windows and their truth, scaled.

    Args:
        values: of the quantiles, or the single forecast.
        truth: [windows, horizon, targets]
        measured: likewise, which truth is not missing from the source.
        row: [windows] the row of the first step.
        series: [windows] index of the series.
    """

    values: Values
    truth: Float[Tensor, "windows horizon targets"]
    measured: Bool[Tensor, "windows horizon targets"]
    row: Int[Tensor, " windows"]
    series: Int[Tensor, " windows"]

    @property
    def errors(self) -> Values:
        """Truth less value; NaN where the truth is missing."""
        errors = self.truth[..., None].double() - self.values.double()
        return errors.masked_fill(~self.measured[..., None], torch.nan)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Shifts of quantiles, in scaled units.

    Args:
        levels: the quantiles, ascending, the median among them.
        shifts: [series, horizon, targets, quantiles] for new windows, 0 for the median.
        windows: number of validation windows that they come from.
        row: [test windows] rows of first steps, ascending; empty: in a model's folder.
        followed: [test windows, horizon, targets, quantiles] the shifts of these windows.
    """

    levels: tuple[float, ...]
    shifts: Float[Tensor, "series horizon targets quantiles"]
    windows: int
    row: Int[Tensor, " windows"]
    followed: Values

    def __call__(
        self, values: Values, row: Int[Tensor, " windows"], series: Int[Tensor, " windows"]
    ) -> Values:
        """Calibrate the network's quantiles, or its single forecast [windows, horizon, targets, 1].

        Quantiles that the shifts move beyond the median become the median.

        Args:
            row, series: as in `Windows`.
        """
        shifts = self.shifts[series]
        if len(self.row):
            place = torch.searchsorted(self.row, row).clamp(max=len(self.row) - 1)
            is_test = self.row[place] == row
            shifts = self.followed[place].where(is_test[:, None, None, None], shifts)
        middle = self.levels.index(0.5)
        median = values[..., [middle if values.shape[-1] > 1 else 0]]
        shifted = values + shifts.to(values)
        low = torch.minimum(shifted[..., :middle], median)
        high = torch.maximum(shifted[..., middle + 1 :], median)
        return torch.cat([low, median, high], dim=-1).sort(dim=-1).values

    def to_json(self) -> dict[str, Any]:
        """For new windows: as JSON values, with exact floats."""
        shifts = self.shifts.tolist()
        return {"levels": list(self.levels), "shifts": shifts, "windows": self.windows}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Calibration:
        """Inverse of `to_json`."""
        shifts = torch.tensor(stored["shifts"], dtype=torch.float64)
        none = torch.empty(0, dtype=torch.int64)
        return cls(tuple(stored["levels"]), shifts, stored["windows"], none, shifts[:0])


def calibrate(levels: Sequence[float], valid: Windows, test: Windows, series: int) -> Calibration:
    """Fit the shifts on validation windows, and follow the test windows.

    Args:
        levels: the quantiles, ascending, the median among them.
        series: number of series.
    """
    first, steps = first_shifts(levels, valid.errors)
    order = test.row.argsort(stable=True)
    errors, row, of_series = test.errors[order], test.row[order], test.series[order]
    shifts, followed = first.repeat(series, 1, 1, 1), first.repeat(len(row), 1, 1, 1)
    for k in of_series.unique().tolist():
        own = (of_series == k).nonzero()[:, 0]
        followed[own], shifts[k] = follow(levels, first, steps, errors[own], row[own])
    return Calibration(tuple(levels), shifts, len(valid.row), row, followed)


def first_shifts(levels: Sequence[float], errors: Values) -> tuple[Shifts, Shifts]:
    """Shifts before any test window, and the steps by which they follow it; 0 for the median.

    Of n errors the shift of an upper quantile p is the ceil((n + 1) p)-th smallest, at most the
    largest; of a lower one likewise from above.

    Args:
        levels: the quantiles, ascending.
        errors: of validation windows, [windows, horizon, targets, quantiles or 1]; NaN: missing.
    """
    errors = errors.expand(*errors.shape[:-1], len(levels))
    rising = errors.sort(dim=0).values  # NaN last
    count, level = (~errors.isnan()).sum(dim=0), torch.tensor(levels, dtype=torch.float64)
    above = torch.ceil((count + 1) * level - ROUNDING)
    below = count + 1 - torch.ceil((count + 1) * (1 - level) - ROUNDING)
    most = count.clamp(min=1)
    rank = torch.where(level > 0.5, above, below).long().clamp(min=1).minimum(most)
    shifts, largest = (rising.gather(0, place[None] - 1)[0].nan_to_num() for place in (rank, most))
    steps = RATE * (largest - rising[0].nan_to_num())
    is_median = level == 0.5
    return shifts.masked_fill(is_median, 0), steps.masked_fill(is_median, 0)


def follow(
    levels: Sequence[float], first: Shifts, steps: Shifts, errors: Values, row: Rows
) -> tuple[Values, Shifts]:
    """The shifts of each test window of one series, and those after the last.

    Args:
        levels: the quantiles.
        first, steps: of `first_shifts`.
        errors: of the test windows, as those of validation windows.
        row: of first steps, ascending. The truth of step h of a window is known to windows that
            begin behind its row.
    """
    errors = errors.expand(len(row), *first.shape)
    level = torch.tensor(levels, dtype=torch.float64)
    shifts, followed = first.clone(), first.repeat(len(row), 1, 1, 1)
    horizon = torch.arange(len(first))
    known = torch.zeros_like(horizon)  # number of windows whose truth of a step was counted
    begins = [*row.tolist(), int(row[-1]) + len(horizon)]
    for number, begin in enumerate(begins):
        while True:
            of_step = row[known.clamp(max=len(row) - 1)] + horizon
            ready = (known < number) & (of_step < begin)
            if not bool(ready.any()):
                break
            place, step = known[ready], horizon[ready]
            error = errors[place, step]
            is_below = (error <= followed[place, step]).double()
            change = steps[step] * (level - is_below)
            shifts[step] += change.masked_fill(error.isnan(), 0)
            known[ready] += 1
        if number < len(row):
            followed[number] = shifts
    return followed, shifts


def described(levels: Sequence[float], calibration: Calibration | None) -> str:
    """What an interval is, in words.

    >>> described([0.05, 0.5, 0.95], None)
    'between the 0.05 and the 0.95 quantile, 0.9 if exact; not calibrated on a validation split'
    """
    low, high = levels[0], levels[-1]
    interval = f"between the {low:g} and the {high:g} quantile, {high - low:.4g} if exact"
    if calibration is None:
        return f"{interval}; not calibrated on a validation split"
    few = ""
    if calibration.windows < (needed := _windows_needed(levels)):
        few = f", too few: {needed} are needed, and the interval may be too narrow"
    return f"{interval}; calibrated on {calibration.windows:,} validation windows{few}"


def _windows_needed(levels: Sequence[float]) -> int:
    """The least number of errors of which the outermost quantile is not beyond the largest.

    >>> _windows_needed([0.05, 0.5, 0.95])
    19
    """
    tail = min(levels[0], 1 - levels[-1])
    return math.ceil(1 / tail - ROUNDING) - 1
