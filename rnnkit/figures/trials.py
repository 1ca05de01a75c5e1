"""A study's picture: where its trials looked and what they found, and how each one learnt."""

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
CROWDED = 0.9
"""Colours tell apart the better nine tenths; what is worse has the last colour."""
WIDE = 50
"""Curves that span at least so many times their smallest value get a logarithmic axis."""


def study(trials: list[Trial], x: str, y: str | None, metric: str, direction: Direction) -> Figure:
    """The trials of a search.

    Args:
        trials: with `number`, `values` (params path -> value), `value` (None if it has none),
            `state` ("complete", "pruned" or "failed") and `curve` (the metric after each epoch).
        x, y: the params paths on the axes; without y, the metric itself stands there.
        metric: its name, and which direction is better.
    """
    best = best_trial(trials, direction)
    count = {s: sum(t["state"] == s for t in trials) for s in ("complete", "pruned", "failed")}
    told = f"{len(trials)} trials" if len(trials) != 1 else "1 trial"
    if best is not None:
        told += f": best {metric} {best['value']:.4g}, trial {best['number']}"
    figure = sheet(11.6, 4.9, plain(told))
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
    """The completed trial with the best finite value; the first of equals."""
    done = [t for t in trials if t["state"] == "complete" and trial_value(t) is not None]
    sign = 1 if direction == "minimize" else -1
    return min(done, key=lambda t: sign * t["value"], default=None)


def trial_value(trial: Trial) -> float | None:
    """A trial's finite value; a pruned one without is as good as its curve's last point."""
    value = trial["value"]
    if value is None and trial["state"] == "pruned" and trial["curve"]:
        value = trial["curve"][-1]
    return value if value is not None and math.isfinite(value) else None


def trial_norm(trials: list[Trial], direction: Direction) -> Normalize:
    """The range of the completed trials; pruned ones, cut short, would only stretch it."""
    valued = [(t["state"], v) for t in trials if (v := trial_value(t)) is not None]
    found = [v for state, v in valued if state == "complete"] or [v for _, v in valued] or [0.0]
    share = CROWDED if direction == "minimize" else 1 - CROWDED
    crowd = float(np.quantile(found, share))
    return Normalize(min(found), crowd) if direction == "minimize" else Normalize(crowd, max(found))


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
        else:  # it has no metric to stand at: on the lower edge
            edge = axes.get_xaxis_transform()
            axes.scatter(px, 0.03, s=55, marker="x", color=GREY, linewidth=1.6, transform=edge)
        if trial is best:
            axes.scatter(px, py, s=330, marker="*", color=RED, edgecolor="white", zorder=5)
    _explain(axes, count, best)
    axes.margins(0.09)


def _apart(place: Searched, trials: Sequence[Trial]) -> list[float]:
    """Positions of names and few whole numbers, moved a little so that equal ones stay visible.

    The golden ratio spreads any run of numbers evenly, and a trial always stands in one place.
    """
    if place.logarithmic or not (place.names or place.whole):
        return place.positions
    width = 0.36 if place.names else 0.18
    return [
        position + width * ((trial["number"] * 0.618034) % 1 - 0.5)
        for position, trial in zip(place.positions, trials, strict=True)
    ]


def _explain(axes: Axes, count: dict[str, int], best: Trial | None) -> None:
    """A legend above the axes, where no trial can be."""
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
    if spans(finite, WIDE):
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    legend(axes)
