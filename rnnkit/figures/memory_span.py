"""Memory span: the excess loss over the lag, beside the data's dependence on their past."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnkit.figures.style import BLUE, GREY, ORANGE, PALE, RED, dress, legend, sheet

LOG_LAGS = 64
"""Largest lag up to which the axis of lags is linear."""


def memory_span(span: Mapping[str, Any], dependence: Mapping[str, Any], bptt: int | None) -> Figure:
    """What the past is worth to a network, and to the data.

    Args:
        span: lags, excess, error, span and is_bounded, as measured.
        dependence: measure, lags, values and reach; empty: not measured.
        bptt: truncation length; None: none.
    """
    bound = "" if span["is_bounded"] else "at least "
    title = f"Memory span: {bound}{span['span']} steps"
    figure = sheet(9.2 if dependence else 5.4, 4.2, title)
    axes = figure.subplots(1, 2 if dependence else 1, squeeze=False)[0]
    _excess(axes[0], span)
    _mark(axes[0], span["lags"], span["span"], f"span: {span['span']}", RED)
    if dependence:
        _dependence(axes[1], dependence)
        if dependence["reach"] is not None:
            reach = dependence["reach"]
            _mark(axes[1], dependence["lags"], reach, f"reaches lag {reach}", RED)
    for shown in axes:
        if bptt is not None:
            shown.axvline(bptt, color=GREY, linestyle=":", label=f"train.bptt: {bptt}")
        legend(shown)
    return figure


def _excess(axes: Axes, span: Mapping[str, Any]) -> None:
    dress(axes, "Loss without what is older than the lag", "lag in steps", "excess loss")
    lags, excess, error = (np.array(span[name]) for name in ("lags", "excess", "error"))
    axes.fill_between(lags, excess - 2 * error, excess + 2 * error, color=PALE, lw=0)
    marker = "o-" if len(lags) < LOG_LAGS else "-"
    axes.plot(lags, excess, marker, color=BLUE, linewidth=1.8, markersize=4)
    axes.axhline(0, color=GREY, linewidth=0.8)
    _lag_axis(axes, lags)


def _dependence(axes: Axes, dependence: Mapping[str, Any]) -> None:
    is_bits = dependence["measure"] == "mutual information"
    heading, unit = "Autocorrelation of the inputs", "mean |correlation|"
    if is_bits:
        heading, unit = "Mutual information of input and target", "bits"
    dress(axes, heading, "lag in steps", unit)
    lags = np.array(dependence["lags"])
    axes.plot(lags, dependence["values"], color=ORANGE, linewidth=1.8)
    axes.axhline(0, color=GREY, linewidth=0.8)
    _lag_axis(axes, lags)


def _lag_axis(axes: Axes, lags: np.ndarray) -> None:
    axes.set_xlim(0, max(1, lags.max(initial=0)))
    if lags.max(initial=0) > LOG_LAGS:
        axes.set_xscale("symlog", linthresh=LOG_LAGS / 4)
        ticks = [0, *(2**k for k in range(2, 14, 2) if 2**k <= lags.max())]
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.set_xticks([], minor=True)


def _mark(axes: Axes, lags: list[int], lag: int, label: str, colour: str) -> None:
    if lags:
        axes.axvline(lag, color=colour, linewidth=1.6, label=label)
