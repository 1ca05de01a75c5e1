"""The gradient through time and the recurrent weights of a training, as they were measured."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from rnnkit.figures import style
from rnnkit.figures.style import GREY, INK, NETWORKS, RED, VALUES, dress, legend, note, plain, sheet

Line = Mapping[str, Any]
"""A record of the kind "diagnosis" in a run's journal."""
VANISHED = 1e-6
LOWEST, HIGHEST = -12.0, 12.0
"""Decades of the heat map."""
DRAWN = (1e-30, 1e30)
"""Ratios that a logarithmic axis has room for."""
MAX_SERIES = 8


def gradient_through_time(lines: Sequence[Line]) -> Figure:
    """Norm of the gradient against the lag at the last measurement and at the first, and of the
    layer on top over the training.

    Args:
        lines: at least one, by epoch.
    """
    figure = sheet(11.2, 4.4, "Gradient through time")
    curves, heat = figure.subplots(1, 2, width_ratios=[1.15, 1])
    _curves(curves, lines)
    _heat(heat, lines)
    return figure


def recurrent_weights(lines: Sequence[Line]) -> Figure:
    """Spectral radius and Jacobian gain of each layer's W_hh, and what its units do, over training.

    Args:
        lines: at least one, by epoch.
    """
    figure = sheet(13.2, 4.4, "Recurrent weights and units over the training")
    radius, gain, units = figure.subplots(1, 3)
    epochs = [line["epoch"] for line in lines]
    for axes, key, heading in (
        (radius, "radius", "Spectral radius of W_hh"),
        (gain, "gain", "Jacobian gain, diag(f') W_hh"),
    ):
        dress(axes, heading, "epoch", "")
        series = _gate_series(lines, key)
        _draw_series(axes, epochs, series)
        axes.axhline(1.0, color=GREY, linewidth=1, linestyle=(0, (3, 3)), zorder=1)
        style.scale(axes, [value for values in series.values() for value in values])
        legend(axes)
    kind, named = _unit_series(lines)
    dress(units, kind, "epoch", "")
    _draw_series(units, epochs, named)
    style.scale(units, [value for values in named.values() for value in values])
    legend(units)
    return figure


def _curves(axes: Axes, lines: Sequence[Line]) -> None:
    last, first = lines[-1], lines[0]
    dress(axes, "Norm of dL/dh against the lag", "", "of the norm at the loss")
    shown = list(last["gradient"])[:MAX_SERIES]
    for name, colour in zip(shown, NETWORKS, strict=False):
        curve = last["gradient"][name]
        lags, ratios = _ratios(curve)
        factor = "" if curve["factor"] is None else f", x{curve['factor']:.3g} per step"
        axes.plot(lags, ratios, color=colour, linewidth=1.8, label=plain(f"{name}{factor}"))
        if first is not last and name in first["gradient"]:
            axes.plot(*_ratios(first["gradient"][name]), color=colour, lw=1, ls=(0, (2, 2)))
        if (lag := curve["vanishes"]) is not None:
            axes.plot(lag, VANISHED, "o", color=colour, markersize=6, markeredgecolor=INK)
            note(axes, f"lag {lag}", (lag, VANISHED), (5, 4))
    axes.set_yscale("log")
    axes.axhline(VANISHED, color=RED, linewidth=1, linestyle=(0, (3, 3)), zorder=1)
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, 10**LOWEST), min(max(high, 2.0), 10**HIGHEST))
    right = axes.get_xlim()[1]
    note(axes, "1e-6: vanished", (right, VANISHED), (-2, -11), color=RED, ha="right")
    legend(axes)
    dashed = "" if first is last else f" (dashed: epoch {first['epoch']})"
    axes.set_xlabel(f"steps back from the loss{dashed}")


def _heat(axes: Axes, lines: Sequence[Line]) -> None:
    """Training x lag of the layer that the loss reads, or of the last encoder's."""
    name = [*lines[-1]["gradient"]][-1]
    dress(axes, plain(f"{name} over the training"), "epoch", "steps back from the loss")
    axes.grid(False)
    columns = [line for line in lines if name in line["gradient"]]
    lags = max((_ratios(line["gradient"][name])[0] for line in columns), key=len)
    grid = np.full((len(lags), len(columns)), LOWEST)
    for k, line in enumerate(columns):
        own, ratios = _ratios(line["gradient"][name])
        decades = np.log10(np.clip(np.nan_to_num(ratios, nan=0.0), 10**LOWEST, 10**HIGHEST))
        grid[:, k] = np.interp(lags, own, decades)
    limit = max(1.0, float(grid.max()))
    look: dict[str, Any] = {"cmap": VALUES, "norm": Normalize(LOWEST, limit), "shading": "nearest"}
    colours = axes.pcolormesh(np.arange(len(columns)), lags, grid, **look)
    ticks = range(0, len(columns), -(-len(columns) // 8))
    axes.set_xticks(ticks, [str(columns[k]["epoch"]) for k in ticks])
    style.colour_bar(axes, colours, "log10 of the norm, of that at the loss", INK)


def _ratios(curve: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Lags, and norms divided by the first, within `DRAWN`; nan where a norm is not finite."""
    norms = np.array([np.nan if norm is None else norm for norm in curve["norms"]], dtype=float)
    start = norms[0] if norms[0] > 0 else np.nan
    return np.array(curve["lags"]), np.clip(norms / start, *DRAWN)


def _gate_series(lines: Sequence[Line], key: str) -> dict[str, list[float]]:
    """A value of each layer's gates over the measurements; of many layers the largest gate."""
    cells = lines[-1]["cells"]
    series: dict[str, list[float]] = {}
    for name, cell in cells.items():
        gates = [gate for gate, values in cell["gates"].items() if key in values]
        if not gates:
            continue
        if len(cells) * len(gates) > MAX_SERIES:
            series[f"{name}, largest of the gates"] = [
                max(_number(line["cells"][name]["gates"][gate][key]) for gate in gates)
                for line in lines
            ]
            continue
        for gate in gates:
            label = name if len(gates) == 1 else f"{name} {gate}"
            series[label] = [_number(line["cells"][name]["gates"][gate][key]) for line in lines]
    return series


UNITS: Mapping[str, str] = {
    "longest": "Steps that the longest unit keeps its state",
    "saturated": "Saturated activations, fraction",
    "dead": "Dead units, fraction",
    "activation": "Largest activation",
}
"""What is shown of the units: the first that the cells have."""


def _unit_series(lines: Sequence[Line]) -> tuple[str, dict[str, list[float]]]:
    cells = lines[-1]["cells"]
    key = next(key for key in UNITS if any(key in cell for cell in cells.values()))
    named = {
        name: [_number(line["cells"][name][key]) for line in lines]
        for name, cell in cells.items()
        if key in cell
    }
    return UNITS[key], named


def _draw_series(axes: Axes, epochs: Sequence[int], series: Mapping[str, Sequence[float]]) -> None:
    for (name, values), colour in zip(series.items(), NETWORKS, strict=False):
        axes.plot(epochs, values, "o-", color=colour, markersize=3.5, label=plain(name))


def _number(value: Any) -> float:
    """A value of the journal, which has infinity as a word."""
    return float(value)
