"""Figure of a study: the trials in the search space, and their learning curves."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnnkit.figures.searched import Searched, searched
from rnnkit.figures.style import (
    GREY,
    INK,
    PALE,
    RED,
    SMALL,
    TEXT,
    VALUES,
    dress,
    legend,
    legend_above,
    plain,
    sheet,
    spans,
)

Direction = Literal["minimize", "maximize"]
Trial = dict[str, Any]
COLOURED_FRACTION = 0.9
"""The colour scale covers this fraction of trials, the best ones; worse ones get its end."""
LOG_RATIO = 50
"""Ratio of the largest to the smallest value from which the axis is logarithmic."""


def study(trials: list[Trial], x: str, y: str | None, metric: str, direction: Direction) -> Figure:
    """The trials of a search.

    Args:
        trials: with `number`, `values` (params path -> value), `value` (or None), `state`
            ("complete", "pruned" or "failed") and `curve` (the metric after each epoch).
        x, y: the params paths on the axes; if y is None, the metric is on the y axis.
        metric, direction: the metric's name, and which values are better.
    """
    best = best_trial(trials, direction)
    count = {s: sum(t["state"] == s for t in trials) for s in ("complete", "pruned", "failed")}
    title = f"{len(trials)} trials" if len(trials) != 1 else "1 trial"
    if best is not None:
        title += f": best {metric} {best['value']:.4g}, trial {best['number']}"
    figure = sheet(11.6, 4.9, plain(title))
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
    norm = trial_norm(trials, direction)
    colours = ScalarMappable(norm, colormaps[VALUES if direction == "maximize" else VALUES + "_r"])
    dress(left, "Each trial", plain(x), plain(metric if y is None else y))
    _places(left, trials, x, y, best, colours, count)
    dress(right, "How it learnt", "epoch", plain(metric))
    _curves(right, trials, best, colours)
    if y is not None:
        worse: Literal["min", "max"] = "max" if direction == "minimize" else "min"
        bar = figure.colorbar(colours, ax=left, pad=0.02, aspect=30, extend=worse)
        bar.set_label(plain(metric), fontsize=TEXT, color=INK)
        bar.ax.tick_params(labelsize=SMALL, colors=INK, length=0)
        bar.outline.set_visible(False)
    return figure


def best_trial(trials: list[Trial], direction: Direction) -> Trial | None:
    """The complete trial with the best finite value; the first on a tie."""
    done = [t for t in trials if t["state"] == "complete" and trial_value(t) is not None]
    sign = 1 if direction == "minimize" else -1
    return min(done, key=lambda t: sign * t["value"], default=None)


def trial_value(trial: Trial) -> float | None:
    """A trial's finite value or None; for a pruned trial without one, its curve's last value."""
    value = trial["value"]
    if value is None and trial["state"] == "pruned" and trial["curve"]:
        value = trial["curve"][-1]
    return value if value is not None and math.isfinite(value) else None


def trial_norm(trials: list[Trial], direction: Direction) -> Normalize:
    """The colour range of the complete trials; pruned trials would only widen it."""
    valued = [(t["state"], v) for t in trials if (v := trial_value(t)) is not None]
    values = [v for state, v in valued if state == "complete"] or [v for _, v in valued] or [0.0]
    q = COLOURED_FRACTION if direction == "minimize" else 1 - COLOURED_FRACTION
    end = float(np.quantile(values, q))
    return Normalize(min(values), end) if direction == "minimize" else Normalize(end, max(values))


def _places(
    axes: Axes,
    trials: list[Trial],
    x: str,
    y: str | None,
    best: Trial | None,
    colours: ScalarMappable,
    count: dict[str, int],
) -> None:
    shown = [t for t in trials if x in t["values"] and (y is None or y in t["values"])]
    across = searched([t["values"][x] for t in shown])
    if y is not None:
        along = searched([t["values"][y] for t in shown])
        ys = _apart(along, shown)
        along.dress(axes.yaxis)
    else:
        ys = [math.nan if (v := trial_value(t)) is None else v for t in shown]
    across.dress(axes.xaxis)
    xs = _apart(across, shown) if across.names else across.positions
    for trial, px, py in zip(shown, xs, ys, strict=True):
        value = trial_value(trial)
        colour = GREY if value is None else colours.to_rgba(np.array(value))
        if trial["state"] == "complete":
            axes.scatter(px, py, s=70, color=colour, edgecolor="white", linewidth=0.8, zorder=3)
        elif trial["state"] == "pruned":
            axes.scatter(px, py, s=48, facecolor="none", edgecolor=colour, linewidth=1.6, zorder=2)
        elif math.isfinite(py):
            axes.scatter(px, py, s=55, marker="x", color=GREY, linewidth=1.6, zorder=2)
        else:  # no metric: draw at the lower edge
            edge = axes.get_xaxis_transform()
            axes.scatter(px, 0.03, s=55, marker="x", color=GREY, linewidth=1.6, transform=edge)
        if trial is best:
            axes.scatter(px, py, s=330, marker="*", color=RED, edgecolor="white", zorder=5)
    _explain(axes, count, best)
    axes.margins(0.09)


def _apart(place: Searched, trials: Sequence[Trial]) -> list[float]:
    """Jitter positions of names and integers, so that equal ones stay visible.

    The golden ratio spreads consecutive trial numbers evenly and deterministically.
    """
    if place.logarithmic or not (place.names or place.whole):
        return place.positions
    width = 0.36 if place.names else 0.18
    return [
        position + width * ((trial["number"] * 0.618034) % 1 - 0.5)
        for position, trial in zip(place.positions, trials, strict=True)
    ]


def _explain(axes: Axes, count: dict[str, int], best: Trial | None) -> None:
    """Add a legend above the axes, where it hides no trial."""
    looks: dict[str, dict[str, Any]] = {
        "complete": {"color": GREY, "s": 55},
        "pruned": {"facecolor": "none", "edgecolor": GREY, "s": 45, "linewidth": 1.6},
        "failed": {"marker": "x", "color": GREY, "s": 45},
    }
    if best is not None:
        axes.scatter([], [], s=160, marker="*", color=RED, label="best")
    for state, number in count.items():
        if number:
            axes.scatter([], [], label=f"{state} {number}", **looks[state])
    legend_above(axes)


def _curves(axes: Axes, trials: list[Trial], best: Trial | None, colours: ScalarMappable) -> None:
    finite = []
    for trial in trials:
        curve = [float(v) for v in trial["curve"]]
        finite += [v for v in curve if math.isfinite(v)]
        epochs = range(1, len(curve) + 1)
        if trial is best:
            label = f"best: trial {trial['number']}"
            axes.plot(epochs, curve, "o-", color=RED, lw=2.8, ms=4.5, label=label, zorder=5)
            continue
        value = trial_value(trial)
        colour = PALE if value is None else colours.to_rgba(np.array(value))
        done = trial["state"] == "complete"
        axes.plot(epochs, curve, color=colour, lw=1.2, alpha=0.8, zorder=3 if done else 2)
        if curve and not done:
            axes.plot(
                len(curve),
                curve[-1],
                "o" if trial["state"] == "pruned" else "x",
                color=colour,
                markerfacecolor="white",
                ms=5,
                zorder=4,
            )
    if spans(finite, LOG_RATIO):
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    legend(axes)
