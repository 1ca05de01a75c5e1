"""Figures of a sweep: its trials, their curves and values, and the searched keys."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnkit.figures import style
from rnnkit.figures.style import BLUE, GREY, INK, PALE, PAPER, RED, dress, note, panel, plain
from rnnkit.figures.trials import (
    Direction,
    Searched,
    Trial,
    TrialColours,
    searched,
    trial_value,
    valued,
)

LOOKS: Mapping[str, dict[str, Any]] = {
    "complete": {"color": GREY, "s": 55},
    "pruned": {"facecolor": "none", "edgecolor": GREY, "s": 45, "linewidth": 1.6},
    "failed": {"marker": "x", "color": GREY, "s": 45},
}
"""State of a trial -> its mark in a legend."""


def study(trials: list[Trial], x: str, y: str | None, metric: str, direction: Direction) -> Figure:
    """The trials in the search space, and their learning curves.

    Args:
        trials: with `number`, `values` (params path -> value), `value` (or None), `state`
            ("complete", "pruned" or "failed") and `curve` (the metric after each epoch).
        x, y: the params paths on the axes; if y is None, the metric is on the y axis.
        metric, direction: the metric's name, and which values are better.
    """
    colours = TrialColours(trials, direction)
    best = colours.best
    title = f"{len(trials)} trials" if len(trials) != 1 else "1 trial"
    if best is not None:
        title += f": best {metric} {best['value']:.4g}, trial {best['number']}"
    figure = style.sheet(11.6, 4.9, plain(title))
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
    dress(left, "Each trial", plain(x), plain(metric if y is None else y))
    _places(left, [t for t in trials if {x, y or x} <= t["values"].keys()], x, y, colours)
    if best is not None:
        left.scatter([], [], s=160, marker="*", color=RED, label="best")
    count = Counter(trial["state"] for trial in trials)
    for state, look in LOOKS.items():
        if count[state]:
            left.scatter([], [], label=f"{state} {count[state]}", **look)
    style.legend_above(left)  # there it hides no trial
    left.margins(0.09)
    dress(right, "Learning curve", "epoch", plain(metric))
    _curves(right, trials, colours)
    if y is not None:
        colours.add_bar(left, metric)
    return figure


def _places(axes: Axes, trials: list[Trial], x: str, y: str | None, colours: TrialColours) -> None:
    across = searched([t["values"][x] for t in trials])
    if y is not None:
        along = searched([t["values"][y] for t in trials])
        ys = _apart(along, trials)
        along.dress(axes.yaxis)
    else:
        ys = [math.nan if (v := trial_value(t)) is None else v for t in trials]
    across.dress(axes.xaxis)
    xs = _apart(across, trials) if across.names else across.positions
    for trial, px, py in zip(trials, xs, ys, strict=True):
        colour = colours.of(trial, GREY)
        if trial["state"] == "complete":
            axes.scatter(px, py, s=70, color=colour, edgecolor="white", linewidth=0.8, zorder=3)
        elif trial["state"] == "pruned":
            axes.scatter(px, py, s=48, facecolor="none", edgecolor=colour, linewidth=1.6, zorder=2)
        elif math.isfinite(py):
            axes.scatter(px, py, s=55, marker="x", color=GREY, linewidth=1.6, zorder=2)
        else:  # no metric: draw at the lower edge
            edge = axes.get_xaxis_transform()
            axes.scatter(px, 0.03, s=55, marker="x", color=GREY, linewidth=1.6, transform=edge)
        if trial is colours.best:
            axes.scatter(px, py, s=330, marker="*", color=RED, edgecolor="white", zorder=5)


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


def _curves(axes: Axes, trials: list[Trial], colours: TrialColours) -> None:
    for trial in trials:
        curve = [float(v) for v in trial["curve"]]
        epochs = range(1, len(curve) + 1)
        if trial is colours.best:
            label = f"best: trial {trial['number']}"
            axes.plot(epochs, curve, "o-", color=RED, lw=2.8, ms=4.5, label=label, zorder=5)
            continue
        colour, done = colours.of(trial, PALE), trial["state"] == "complete"
        axes.plot(epochs, curve, color=colour, lw=1.2, alpha=0.8, zorder=3 if done else 2)
        if curve and not done:
            marker = "o" if trial["state"] == "pruned" else "x"
            axes.plot(len(curve), curve[-1], marker, color=colour, mfc="white", ms=5, zorder=4)
    style.scale(axes, [float(v) for trial in trials for v in trial["curve"]])
    style.legend(axes)


def history(trials: Sequence[Trial], metric: str, direction: Direction) -> Figure:
    """The value of each trial by number, and the best so far; arguments as in `study`."""
    figure, axes = panel(7.4, 4.2, "Best value so far", ("", "trial", plain(metric)))
    looks = {"complete": ("o", BLUE), "pruned": ("o", GREY), "failed": ("x", GREY)}
    for state, (marker, colour) in looks.items():
        in_state = [t for t in trials if t["state"] == state]
        points = [(t["number"], v) for t in in_state if (v := trial_value(t)) is not None]
        if points:
            fill = colour if state != "pruned" else "white"
            axes.plot(*zip(*points, strict=True), marker, color=colour, mfc=fill, ms=6, label=state)
        elif in_state and state == "failed":  # no value: draw at the lower edge
            edge, failed = axes.get_xaxis_transform(), [t["number"] for t in in_state]
            axes.plot(failed, [0.02] * len(failed), "x", color=GREY, transform=edge, label=state)
    if done := valued(trials):
        pick = min if direction == "minimize" else max
        best = list(accumulate((float(t["value"]) for t in done), pick))
        axes.step([t["number"] for t in done], best, where="post", color=RED, label="best so far")
    style.scale(axes, [v for t in trials if (v := trial_value(t)) is not None])
    style.legend(axes)
    return figure


def importance(fractions: Mapping[str, float], metric: str) -> Figure:
    """The fraction of the trials' variance that each searched key explains, largest on top.

    Args:
        fractions: params path -> fraction; they sum to 1.
        metric: whose variance is explained.
    """
    labels = "", "fraction of the variance explained (fANOVA)", ""
    height, title = 1.4 + 0.42 * len(fractions), f"Importance for {plain(metric)}"
    figure, axes = panel(7.4, height, title, labels)
    paths, values = zip(*sorted(fractions.items(), key=lambda row: row[1]), strict=True)
    bars = axes.barh([plain(path) for path in paths], values, color=BLUE)
    axes.bar_label(bars, [f"{v:.0%}" for v in values], padding=4, fontsize=style.SMALL, color=INK)
    axes.set_xlim(0, 1.1 * max(values))
    axes.grid(axis="y", visible=False)
    return figure


def parallel(
    trials: Sequence[Trial], paths: Sequence[str], metric: str, direction: Direction
) -> Figure:
    """Parallel coordinates: one line per trial, one axis per key, coloured by the trial's value.

    The keys are those of `paths`, from left to right; other arguments as in `study`.
    """
    figure = style.sheet(max(6.4, 2.3 * len(paths) + 2), 4.6, "The values of each trial")
    axes = figure.subplots()
    columns = [_column(axes, k, trials, path) for k, path in enumerate(paths)]
    colours = TrialColours(trials, direction)
    best = colours.best
    for trial, *heights in zip(trials, *columns, strict=True):
        look: dict[str, Any] = {"color": colours.of(trial, PALE), "lw": 1.4, "zorder": 3}
        if trial is best:
            look = {"color": RED, "lw": 3.0, "zorder": 5}
        dashes = "-" if trial["state"] == "complete" else (0, (3, 2))
        axes.plot(range(len(paths)), heights, linestyle=dashes, marker=".", **look)
    axes.set_xlim(-0.15, len(paths) - 0.6)
    axes.set_ylim(-0.06, 1.06)
    axes.set_yticks([])
    labels = [plain(path) for path in paths]
    axes.set_xticks(range(len(paths)), labels, fontsize=style.TEXT, color=INK)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if best is not None:
        axes.plot([], [], color=RED, lw=3, label=f"best: trial {best['number']}")
    if any(trial["state"] != "complete" for trial in trials):
        axes.plot([], [], color=GREY, linestyle=(0, (3, 2)), label="pruned or failed")
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 2}
    axes.legend(**place, fontsize=style.SMALL, frameon=False, labelcolor=INK)
    colours.add_bar(axes, metric)
    return figure


def _column(axes: Axes, k: int, trials: Sequence[Trial], path: str) -> list[float]:
    """Each trial's height on a key's axis, from 0 to 1; nan if it lacks the key."""
    place = searched([trial["values"][path] for trial in trials if path in trial["values"]])
    spots = [math.log(p) for p in place.positions] if place.logarithmic else place.positions
    low, high = min(spots, default=0.0), max(spots, default=1.0)
    span = (high - low) or 1.0
    axes.axvline(k, color=GREY, lw=1, zorder=1)
    unique = sorted(set(place.positions))
    ends = unique if len(unique) <= 5 else [unique[0], unique[-1]]
    numbers = {value: f"{value:.3g}" for value in ends}
    labels = {float(k): name for k, name in enumerate(place.names)} or numbers
    box = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1}
    for spot, label in labels.items():
        height = ((math.log(spot) if place.logarithmic else spot) - low) / span
        note(axes, plain(label), (k, height), (6, 0), va="center", zorder=6, bbox=box)
    heights = iter((spot - low) / span for spot in spots)
    return [next(heights) if path in trial["values"] else math.nan for trial in trials]
