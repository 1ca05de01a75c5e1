"""Learning curves: losses, the monitored metric, gradient norm and clipped fraction."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from rnnkit.figures import style
from rnnkit.figures.style import BLUE, GREEN, GREY, INK, ORANGE, PALE, RED, SKY, dress, legend

MAX_WINDOW = 15
"""Maximum window of the moving average, in step records."""


class Training(NamedTuple):
    """Records of a training as tables, with a column `x` in `unit` (step or epoch).

    `best` is the last epoch that improved; None without validation metrics.
    """

    steps: pandas.DataFrame
    epochs: pandas.DataFrame
    best: "pandas.Series | None"
    unit: str


def learning_curves(records: list[dict[str, Any]], monitor: str) -> Figure:
    """The learning curves of a training.

    Args:
        records: the journal's lines; only steps and epochs are used.
        monitor: the metric of the best epoch, as in `train.monitor` (`valid/f1`).
    """
    training = _training(records)
    monitored = monitor in training.epochs and monitor not in ("valid/loss", "train/loss")
    columns = 3 if monitored else 2
    figure = style.sheet(4.6 * columns + 0.4, 4.4, "Training")
    grid = figure.add_gridspec(4, columns)
    _losses(figure.add_subplot(grid[:, 0]), training)
    if monitored:
        _monitored(figure.add_subplot(grid[:, 1]), training, monitor)
    norm = figure.add_subplot(grid[:3, -1])
    _gradient(norm, figure.add_subplot(grid[3, -1], sharex=norm), training)
    return figure


def _training(records: list[dict[str, Any]]) -> Training:
    steps, epochs = (
        pandas.DataFrame([_numbers(r) for r in records if r["kind"] == kind])
        for kind in ("step", "epoch")
    )
    per_step = epochs["epoch"].iloc[-1] / epochs["step"].iloc[-1] if len(epochs) else 1
    for table in (steps, epochs):
        if len(table):
            table["x"] = table["step"] * per_step
    validated = any(str(name).startswith("valid/") for name in epochs)
    improved = epochs[epochs["improved"] == 1] if validated else epochs[:0]
    best = improved.iloc[-1] if len(improved) else None
    return Training(steps, epochs, best, "epoch" if len(epochs) else "step")


def _numbers(record: dict[str, Any]) -> dict[str, float]:
    """Flatten a record to floats; the journal stores nan and inf as strings. A value that does not
    exist, as the threshold without clipping, is left out."""
    flat: dict[str, float] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat |= {f"{key}/{inner}": float(v) for inner, v in value.items()}
        elif key not in ("kind", "time") and value is not None:
            flat[key] = float(value)
    return flat


def _smooth(values: "pandas.Series") -> "pandas.Series":
    window = max(1, min(MAX_WINDOW, len(values) // 10))
    return values.rolling(window, center=True, min_periods=1).mean()


def _losses(axes: Axes, training: Training) -> None:
    steps, epochs = training.steps, training.epochs
    dress(axes, "Loss", training.unit, "loss")
    shown: list[float] = []
    if len(steps):
        smooth = _smooth(steps["loss"])
        axes.plot(steps["x"], steps["loss"], color=SKY, linewidth=0.8, alpha=0.55)
        axes.plot(steps["x"], smooth, color=SKY, linewidth=1.8, label="train, by step")
        shown += smooth.tolist()
    labels = {"train/loss": "train, mean of the epoch", "valid/loss": "valid"}
    for (name, label), colour in zip(labels.items(), (BLUE, RED), strict=True):
        if name in epochs:
            axes.plot(epochs["x"], epochs[name], "o-", color=colour, markersize=4, label=label)
            shown += epochs[name].tolist()
    _finish(axes, shown)
    _mark_best(axes, training, "valid/loss")
    legend(axes)


def _monitored(axes: Axes, training: Training, monitor: str) -> None:
    name, epochs = monitor.split("/")[-1].replace("_", " "), training.epochs
    heading = f"{name[0].upper()}{name[1:]} on the validation split"
    dress(axes, style.plain(heading), training.unit, style.plain(name))
    axes.plot(epochs["x"], epochs[monitor], "o-", color=GREEN, markersize=4)
    _finish(axes, epochs[monitor].tolist())
    _mark_best(axes, training, monitor)
    legend(axes)


def _mark_best(axes: Axes, training: Training, name: str) -> None:
    if (best := training.best) is None:
        return
    label = f"best: epoch {best['epoch']:.0f}, {best[name]:.4g}"
    axes.axvline(best["x"], color=GREY, linewidth=1, linestyle=(0, (3, 3)), zorder=1)
    edge: dict[str, Any] = {"markeredgecolor": INK, "markeredgewidth": 0.8}
    axes.plot(best["x"], best[name], "*", color=ORANGE, markersize=15, label=label, **edge)


def _gradient(norm: Axes, clipped: Axes, training: Training) -> None:
    epochs, unit = training.epochs, training.unit
    dress(norm, "Gradient norm before clipping", "", "norm")
    dress(clipped, "", unit, "clipped")
    norm.tick_params(labelbottom=False)
    source, marker = training.steps, ""
    names = ["gradient_norm", "gradient_norm_max", "clipped_fraction"]
    if not len(source):  # a short training may end before its first step record
        source, marker = epochs, "o"
        names = ["gradient/norm", "gradient/norm_max", "gradient/clipped_fraction"]
    if not len(source):
        return
    mean, largest, fraction = (source[name] for name in names)
    fraction = _smooth(fraction)
    norm.fill_between(source["x"], mean, largest, color=PALE, alpha=0.6, linewidth=0)
    if not mean.equals(largest):  # equal if each record is one step
        norm.plot(source["x"], largest, marker + "-", color=GREY, lw=1, label="largest")
    norm.plot(source["x"], mean, marker + "-", color=BLUE, lw=1.6, label="mean")
    _finish(norm, [*mean, *largest])
    legend(norm)
    clipped.fill_between(source["x"], fraction, color=ORANGE, alpha=0.45, linewidth=0)
    clipped.plot(source["x"], fraction, marker + "-", color=ORANGE, lw=1.2)
    clipped.set_ylim(0, 1.05)
    clipped.set_yticks([0, 0.5, 1])
    clipped.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if refused := epochs.get("gradient/refused", pandas.Series(0)).sum():
        clipped.set_xlabel(f"{unit} ({refused:.0f} steps refused: gradient not finite)")


def _finish(axes: Axes, values: list[float]) -> None:
    """Set ticks at whole epochs, and a logarithmic axis for a wide range of values."""
    style.scale(axes, values, nbins=8)
    if axes.get_yscale() == "log":
        lowest = np.quantile([v for v in values if math.isfinite(v)], 0.01)
        axes.set_ylim(bottom=float(lowest) * 0.7)
