"""Paired bootstrap: the difference of two networks on the same test items, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas

from rnnkit.errors import InputError
from rnnkit.tasks.predictions import MEASURES

RESAMPLES = 5_000
CONFIDENCE = 0.95
MAX_RESAMPLED_ITEMS = 4_000_000
"""Held in memory at once."""


@dataclass(frozen=True)
class Difference:
    """One network's measure minus another's on the same items, with its 95 % interval.

    The measure is accuracy, loss, mae or wer; `items` is the number of items.
    """

    measure: str
    value: float
    low: float
    high: float
    items: int

    @property
    def verdict(self) -> str:
        """Of the first network: better or worse if the interval excludes zero, else undecided."""
        if self.low > 0 or self.high < 0:
            more_is_better = MEASURES[self.measure] == "maximize"
            return "better" if (self.low > 0) == more_is_better else "worse"
        return "undecided"


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
        first, second = (frame.groupby(source).sum() for frame in (first, second))
    columns = ["total", "weight"]
    a, b = first[columns].to_numpy().T, second[columns].to_numpy().T  # each [2, items]
    if measure != "wer" and not np.isclose(a[1].sum(), b[1].sum()):  # wer: references differ
        raise InputError(
            f"the runs predict different positions of the same items ({a[1].sum():,.0f} and "
            f"{b[1].sum():,.0f} in all); compare runs with the same tokens and data.max_length"
        )
    value = _ratio(*a) - _ratio(*b)
    draws = _resampled(a, b, block, np.random.default_rng(seed))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Difference(measure, float(value), float(low), float(high), len(first))


def _averaged(runs: Sequence[pandas.DataFrame]) -> pandas.DataFrame:
    frames = pandas.concat(runs)
    return frames.groupby(level=list(range(frames.index.nlevels)), sort=True).mean()


def _resampled(a: np.ndarray, b: np.ndarray, block: int, random: np.random.Generator) -> np.ndarray:
    items = a.shape[1]
    blocks = -(-items // block)
    within = np.arange(block)
    draws = []
    for start in range(0, RESAMPLES, rows := max(1, MAX_RESAMPLED_ITEMS // items)):
        count = min(rows, RESAMPLES - start)
        begin = random.integers(items, size=(count, blocks))
        drawn = ((begin[..., None] + within) % items).reshape(count, -1)[:, :items]
        draws.append(_ratio(*(row[drawn] for row in a)) - _ratio(*(row[drawn] for row in b)))
    return np.concatenate(draws)


def _ratio(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return np.asarray(total.sum(axis=-1) / weight.sum(axis=-1))
