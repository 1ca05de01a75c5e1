"""Learning curves: losses, the monitored metric, gradient norm and clipped fraction."""

import math
from typing import Any

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from rnnkit.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    RED,
    SKY,
    dress,
    legend,
    plain,
    sheet,
    spans,
)

LOG_RATIO = 50
"""Ratio of the largest to the smallest value from which the axis is logarithmic."""
MAX_WINDOW = 15
"""Maximum window of the moving average, in step records."""


def learning_curves(records: list[dict[str, Any]], monitor: str) -> Figure:
    """The learning curves of a training.

    Args:
        records: the journal's lines; only steps and epochs are used.
        monitor: the metric of the best epoch, as in `train.monitor` (`valid/f1`).
    """
    steps = pandas.DataFrame([_numbers(r) for r in records if r["kind"] == "step"])
    epochs = pandas.DataFrame([_numbers(r) for r in records if r["kind"] == "epoch"])
    unit = "step"
    for table in (steps, epochs):
        if len(table):
            table["x"] = table["step"]
            if len(epochs):
                unit = "epoch"
                table["x"] = table["step"] * (epochs["epoch"].iloc[-1] / epochs["step"].iloc[-1])
    best = _best(epochs)
    panels = ["loss", "gradient"]
    if monitor in epochs and monitor not in ("valid/loss", "train/loss"):
        panels.insert(1, "monitor")
    figure = sheet(4.6 * len(panels) + 0.4, 4.4, "How the training went")
    grid = figure.add_gridspec(4, len(panels))
    _losses(figure.add_subplot(grid[:, 0]), steps, epochs, best, unit)
    if "monitor" in panels:
        _monitored(figure.add_subplot(grid[:, 1]), epochs, monitor, best, unit)
    norm = figure.add_subplot(grid[:3, -1])
    _gradient(norm, figure.add_subplot(grid[3, -1], sharex=norm), steps, epochs, unit)
    return figure


def _numbers(record: dict[str, Any]) -> dict[str, float]:
    """Flatten a record to floats; the journal stores nan and inf as strings."""
    flat: dict[str, float] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat |= {f"{key}/{inner}": float(v) for inner, v in value.items()}
        elif key not in ("kind", "time"):
            flat[key] = float(value)
    return flat


def _smooth(values: "pandas.Series") -> "pandas.Series":
    window = max(1, min(MAX_WINDOW, len(values) // 10))
    return values.rolling(window, center=True, min_periods=1).mean()


def _best(epochs: pandas.DataFrame) -> "pandas.Series | None":
    """The best epoch: the last one that improved; None without validation metrics."""
    if not any(str(name).startswith("valid/") for name in epochs) or not epochs["improved"].any():
        return None
    return epochs[epochs["improved"] == 1].iloc[-1]


def _losses(
    axes: Axes,
    steps: pandas.DataFrame,
    epochs: pandas.DataFrame,
    best: "pandas.Series | None",
    unit: str,
) -> None:
    dress(axes, "Loss", unit, "loss")
    shown: list[float] = []
    if len(steps):
        smooth = _smooth(steps["loss"])
        axes.plot(steps["x"], steps["loss"], color=SKY, linewidth=0.8, alpha=0.55)
        axes.plot(steps["x"], smooth, color=SKY, linewidth=1.8, label="train, by step")
        shown += smooth.tolist()
    for name, colour in (("train/loss", BLUE), ("valid/loss", RED)):
        if name in epochs:
            label = name.split("/")[0] + ("" if name == "valid/loss" else ", mean of the epoch")
            axes.plot(epochs["x"], epochs[name], "o-", color=colour, markersize=4, label=label)
            shown += epochs[name].tolist()
    _finish(axes, shown, unit)
    if best is not None:
        _mark(axes, best, "valid/loss")
    legend(axes)


def _monitored(
    axes: Axes, epochs: pandas.DataFrame, monitor: str, best: "pandas.Series | None", unit: str
) -> None:
    name = monitor.split("/")[-1].replace("_", " ")
    dress(axes, plain(f"{name[0].upper()}{name[1:]} on the validation part"), unit, plain(name))
    axes.plot(epochs["x"], epochs[monitor], "o-", color=GREEN, markersize=4)
    _finish(axes, epochs[monitor].tolist(), unit)
    if best is not None:
        _mark(axes, best, monitor)
        legend(axes)


def _mark(axes: Axes, best: "pandas.Series", name: str) -> None:
    label = f"best: epoch {best['epoch']:.0f}, {best[name]:.4g}"
    axes.axvline(best["x"], color=GREY, linewidth=1, linestyle=(0, (3, 3)), zorder=1)
    axes.plot(
        best["x"],
        best[name],
        linestyle="none",
        marker="*",
        markersize=15,
        color=ORANGE,
        markeredgecolor=INK,
        markeredgewidth=0.8,
        label=label,
    )


def _gradient(
    norm: Axes, clipped: Axes, steps: pandas.DataFrame, epochs: pandas.DataFrame, unit: str
) -> None:
    dress(norm, "Gradient norm before clipping", "", "norm")
    dress(clipped, "", unit, "clipped")
    norm.tick_params(labelbottom=False)
    source, names = steps, ("gradient_norm", "gradient_norm_max", "clipped_fraction")
    marker = ""
    if not len(steps):  # a short training may end before its first step record
        source, marker = epochs, "o"
        names = ("gradient/norm", "gradient/norm_max", "gradient/clipped_fraction")
    if not len(source):
        return
    mean, largest, fraction = (source[name] for name in names)
    fraction = _smooth(fraction)
    norm.fill_between(source["x"], mean, largest, color=PALE, alpha=0.6, linewidth=0)
    if not mean.equals(largest):  # equal if each record is one step
        norm.plot(source["x"], largest, marker + "-", color=GREY, lw=1, label="largest")
    norm.plot(source["x"], mean, marker + "-", color=BLUE, lw=1.6, label="mean")
    _finish(norm, [*mean, *largest], unit)
    legend(norm)
    clipped.fill_between(source["x"], fraction, color=ORANGE, alpha=0.45, linewidth=0)
    clipped.plot(source["x"], fraction, marker + "-", color=ORANGE, lw=1.2)
    clipped.set_ylim(0, 1.05)
    clipped.set_yticks([0, 0.5, 1])
    clipped.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    total = epochs["gradient/refused"].sum() if "gradient/refused" in epochs else 0
    if total:
        clipped.set_xlabel(f"{unit} ({total:.0f} steps refused: gradient not finite)")


def _finish(axes: Axes, values: list[float], unit: str) -> None:
    """Set ticks at whole epochs, and a logarithmic axis for a wide range of values."""
    finite = [v for v in values if math.isfinite(v)]
    if spans(finite, LOG_RATIO):
        axes.set_yscale("log")
        axes.set_ylim(bottom=float(np.quantile(finite, 0.01)) * 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
