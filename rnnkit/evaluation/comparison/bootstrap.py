"""Paired bootstrap: the difference of two networks on the same test items, with its interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas

from rnnkit.errors import InputError
from rnnkit.tasks.predictions import MEASURES

RESAMPLES = 5_000
CONFIDENCE = 0.95
MIN_BLOCKS = 5
"""With fewer, all of them favour the first network with a probability of (1/2)^4 > 5 % where there
is no difference, and the percentiles are no interval."""
MAX_RESAMPLED_ITEMS = 4_000_000
"""Held in memory at once."""


@dataclass(frozen=True)
class Difference:
    """One network's measure minus another's on the same items, with its 95 % interval.

    The measure is a name in MEASURES; `items` is the number of items. The ends of the interval are
    NaN if the items are too few.
    """

    measure: str
    value: float
    low: float
    high: float
    items: int

    @property
    def has_interval(self) -> bool:
        """Whether the items are enough for one."""
        return not math.isnan(self.low)

    @property
    def verdict(self) -> str:
        """Of the first network: better or worse if the interval excludes zero, else undecided."""
        if self.low > 0 or self.high < 0:
            more_is_better = MEASURES[self.measure].direction == "maximize"
            return "better" if (self.low > 0) == more_is_better else "worse"
        return "undecided"

    def __str__(self) -> str:
        """
        >>> str(Difference("accuracy", 0.0125, -0.004, 0.03, 900))
        'accuracy +0.0125, 95 % interval -0.004 to +0.03'
        >>> str(Difference("mae", -0.5, math.nan, math.nan, 3))
        'mae -0.5, without an interval: the test items are too few'
        """
        interval = "without an interval: the test items are too few"
        if self.has_interval:
            interval = f"95 % interval {self.low:+.3g} to {self.high:+.3g}"
        return f"{self.measure} {self.value:+.4g}, {interval}"

    def columns(self) -> dict[str, Any]:
        """measure, difference, low, high (None without an interval), verdict and items."""
        low, high = (self.low, self.high) if self.has_interval else (None, None)
        return {
            "measure": self.measure,
            "difference": self.value,
            "low": low,
            "high": high,
            "verdict": self.verdict,
            "items": self.items,
        }


def difference(
    measure: str,
    ours: Sequence[pandas.DataFrame],
    theirs: Sequence[pandas.DataFrame],
    block: int,
    seed: int,
) -> Difference:
    """Paired bootstrap of the difference: percentiles over resamples of the same items.

    Args:
        measure: a name in MEASURES.
        ours, theirs: each run's items; runs of several seeds are averaged item by item.
        block: neighbouring items drawn together: 1 for independent items, more for overlapping
            windows of a series (circular block bootstrap).
        seed: of the resampling.

    Raises:
        InputError: the runs were tested on different items, or the items' weights differ.

    Reference: Efron and Tibshirani 1993; Politis and Romano 1992 (circular blocks).
    """
    first, second = _averaged(ours), _averaged(theirs)
    if not first.index.equals(second.index):
        raise InputError(
            f"the runs were tested on different items ({len(first):,} and {len(second):,}); "
            "compare runs with the same source, split and limit"
        )
    if "source" in first:  # items with one source are not independent: resample them together
        source = first["source"]
        first, second = (
            frame.drop(columns="source").groupby(source).sum() for frame in (first, second)
        )
    a, b = first.to_numpy().T, second.to_numpy().T  # each [columns, items]
    of, same_weight = MEASURES[measure].of, MEASURES[measure].same_weight
    if same_weight and not np.isclose(a[1].sum(), b[1].sum()):
        raise InputError(
            f"the runs predict different positions of the same items ({a[1].sum():,.0f} and "
            f"{b[1].sum():,.0f} in all); compare runs with the same tokens and data.max_length"
        )
    value = float(of(a.sum(axis=1)) - of(b.sum(axis=1)))
    low = high = math.nan
    if len(first) >= MIN_BLOCKS * block:
        sums = _resampled(np.concatenate([a, b]), block, np.random.default_rng(seed))
        draws = of(sums[: len(a)]) - of(sums[len(a) :])
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(draws, [tail, 1 - tail])
    return Difference(measure, value, float(low), float(high), len(first))


def _averaged(runs: Sequence[pandas.DataFrame]) -> pandas.DataFrame:
    frames = pandas.concat(runs)
    return frames.groupby(level=list(range(frames.index.nlevels)), sort=True).mean()


def _resampled(columns: np.ndarray, block: int, random: np.random.Generator) -> np.ndarray:
    """[columns, resamples] sums of each column of [columns, items] over the drawn items."""
    items = columns.shape[1]
    blocks = -(-items // block)
    within = np.arange(block)
    sums = []
    for start in range(0, RESAMPLES, rows := max(1, MAX_RESAMPLED_ITEMS // items)):
        count = min(rows, RESAMPLES - start)
        begin = random.integers(items, size=(count, blocks))
        drawn = ((begin[..., None] + within) % items).reshape(count, -1)[:, :items]
        sums.append([column[drawn].sum(axis=1) for column in columns])
    return np.concatenate(sums, axis=1)
