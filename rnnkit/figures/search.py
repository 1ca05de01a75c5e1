"""Figures of a study: value over trials, importance of keys, parallel coordinates."""

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnnkit.figures.searched import searched
from rnnkit.figures.style import (
    BLUE,
    GREY,
    INK,
    PALE,
    PAPER,
    RED,
    SMALL,
    TEXT,
    VALUES,
    dress,
    legend,
    plain,
    sheet,
    spans,
)
from rnnkit.figures.trials import LOG_RATIO, Direction, Trial, best_trial, trial_norm, trial_value


def history(trials: Sequence[Trial], metric: str, direction: Direction) -> Figure:
    """The value of each trial by number, and the best so far.

    Args:
        trials: as in `study`.
        metric, direction: the metric's name, and which values are better.
    """
    figure = sheet(7.4, 4.2, "What the search found")
    axes = figure.subplots()
    dress(axes, "", "trial", plain(metric))
    looks = {"complete": ("o", BLUE), "pruned": ("o", GREY), "failed": ("x", GREY)}
    shown = []
    for state, (marker, colour) in looks.items():
        points = [
            (t["number"], value)
            for t in trials
            if t["state"] == state and (value := trial_value(t)) is not None
        ]
        if points:
            fill = colour if state != "pruned" else "white"
            axes.plot(*zip(*points, strict=True), marker, color=colour, mfc=fill, ms=6, label=state)
            shown += [value for _, value in points]
        failed = [t["number"] for t in trials if t["state"] == state == "failed"]
        if failed and not points:  # no value: draw at the lower edge
            edge = axes.get_xaxis_transform()
            axes.plot(failed, [0.02] * len(failed), "x", color=GREY, transform=edge, label=state)
    done = [t for t in trials if t["state"] == "complete" and trial_value(t) is not None]
    if done:
        pick = min if direction == "minimize" else max
        best = list(accumulate((float(t["value"]) for t in done), pick))
        axes.step([t["number"] for t in done], best, where="post", color=RED, label="best so far")
    if spans(shown, LOG_RATIO):
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    legend(axes)
    return figure


def importance(shares: Mapping[str, float], metric: str) -> Figure:
    """The fraction of the trials' variance that each searched key explains, largest on top.

    Args:
        shares: params path -> fraction; they sum to 1.
        metric: whose variance is explained.
    """
    figure = sheet(7.4, 1.4 + 0.42 * len(shares), f"What decides {plain(metric)}")
    axes = figure.subplots()
    dress(axes, "", "share of the variance explained (fANOVA)", "")
    rows = sorted(shares.items(), key=lambda row: row[1])
    bars = axes.barh([plain(path) for path, _ in rows], [v for _, v in rows], color=BLUE)
    axes.bar_label(bars, [f"{v:.0%}" for _, v in rows], padding=4, fontsize=SMALL, color=INK)
    axes.set_xlim(0, 1.1 * max(shares.values()))
    axes.grid(axis="y", visible=False)
    return figure


def parallel(
    trials: Sequence[Trial], paths: Sequence[str], metric: str, direction: Direction
) -> Figure:
    """Parallel coordinates: one line per trial, one axis per key, coloured by the trial's value.

    Args:
        trials: as in `study`.
        paths: the keys, from left to right.
        metric, direction: the metric's name, and which values are better.
    """
    figure = sheet(max(6.4, 2.3 * len(paths) + 2), 4.6, "The values of each trial")
    axes = figure.subplots()
    columns = [_column(axes, k, trials, path) for k, path in enumerate(paths)]
    palette = colormaps[VALUES if direction == "maximize" else VALUES + "_r"]
    colours = ScalarMappable(trial_norm(list(trials), direction), palette)
    best = best_trial(list(trials), direction)
    for i, trial in enumerate(trials):
        heights = [column[i] for column in columns]
        value = trial_value(trial)
        colour = PALE if value is None else colours.to_rgba(np.array(value))
        done = trial["state"] == "complete"
        width = 3.0 if trial is best else 1.4
        style = "-" if done else (0, (3, 2))
        axes.plot(
            range(len(paths)),
            heights,
            color=RED if trial is best else colour,
            lw=width,
            linestyle=style,
            marker=".",
            zorder=5 if trial is best else 3,
        )
    axes.set_xlim(-0.15, len(paths) - 0.6)
    axes.set_ylim(-0.06, 1.06)
    axes.set_yticks([])
    axes.set_xticks(range(len(paths)), [plain(path) for path in paths], fontsize=TEXT, color=INK)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if best is not None:
        axes.plot([], [], color=RED, lw=3, label=f"best: trial {best['number']}")
    if any(trial["state"] != "complete" for trial in trials):
        axes.plot([], [], color=GREY, linestyle=(0, (3, 2)), label="pruned or failed")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        fontsize=SMALL,
        frameon=False,
        labelcolor=INK,
    )
    worse: Any = "max" if direction == "minimize" else "min"
    bar = figure.colorbar(colours, ax=axes, pad=0.02, aspect=30, extend=worse)
    bar.set_label(plain(metric), fontsize=TEXT, color=INK)
    bar.ax.tick_params(labelsize=SMALL, colors=INK, length=0)
    bar.outline.set_visible(False)
    return figure


def _column(axes: Axes, k: int, trials: Sequence[Trial], path: str) -> list[float]:
    """Each trial's height on a key's axis, from 0 to 1; nan if it lacks the key."""
    has = [path in trial["values"] for trial in trials]
    place = searched([trial["values"][path] for trial in trials if path in trial["values"]])
    spots = [math.log(p) for p in place.positions] if place.logarithmic else place.positions
    low, high = min(spots, default=0.0), max(spots, default=1.0)
    span = (high - low) or 1.0
    axes.axvline(k, color=GREY, lw=1, zorder=1)
    labels = dict(enumerate(place.names)) if place.names else _ends(place.positions)
    for spot, label in labels.items():
        at = math.log(spot) if place.logarithmic else spot
        axes.annotate(
            plain(label),
            (k, (at - low) / span),
            xytext=(6, 0),
            textcoords="offset points",
            fontsize=SMALL,
            color=INK,
            va="center",
            zorder=6,
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )
    heights = iter((spot - low) / span for spot in spots)
    return [next(heights) if present else math.nan for present in has]


def _ends(positions: Sequence[float]) -> dict[float, str]:
    unique = sorted(set(positions))
    shown = unique if len(unique) <= 5 else [unique[0], unique[-1]]
    return {value: f"{value:.3g}" for value in shown}
