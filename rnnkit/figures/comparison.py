"""Compared networks: their curves, their differences, and their scores by length."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import pandas
from matplotlib.figure import Figure

from rnnkit.figures.style import BLUE, GREY, INK, NETWORKS, legend, note, panel, plain, scale

Curves = Mapping[str, Sequence[Sequence[float]]]
"""Variant -> one curve per run: the metric after each epoch."""


def bands(curves: Curves, metric: str) -> Figure:
    """The mean curve of each variant, with a band from its lowest to its highest run.

    Args:
        curves: if runs stop at different epochs, the mean is over those still running.
        metric: its name.
    """
    figure, axes = panel(7.8, 4.6, "Learning curves", ("", "epoch", plain(metric)))
    shown: list[float] = []
    for k, (variant, runs) in enumerate(curves.items()):
        colour, style = NETWORKS[k % len(NETWORKS)], "-" if k < len(NETWORKS) else "--"
        table = pandas.DataFrame(runs, dtype=float)  # [run, epoch], nan after a run's end
        epochs, mean = range(1, table.shape[1] + 1), table.mean()
        if len(runs) > 1:
            low, high = table.min(), table.max()
            axes.fill_between(epochs, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(epochs, mean, style, color=colour, lw=1.8, marker="o", ms=3, label=plain(variant))
        shown += mean.tolist()
    scale(axes, shown)
    legend(axes)
    return figure


def intervals(
    differences: dict[str, tuple[float, float, float]], measure: str, reference: str
) -> Figure:
    """The difference of each variant from the first one, with its 95 % interval.

    Args:
        differences: variant -> (difference, low, high).
        measure: name of the measure.
        reference: the first variant.
    """
    title, count = f"Against {plain(reference)}", len(differences)
    label = f"{plain(measure)}, difference and 95 % interval"
    figure, axes = panel(7.8, 1.5 + 0.42 * count, title, ("", label, ""))
    axes.axvline(0, color=INK, lw=1)
    for y, (value, low, high) in enumerate(reversed(differences.values())):
        axes.plot([low, high], [y, y], color=BLUE, lw=2.4, solid_capstyle="round")
        axes.plot(value, y, "o", color=BLUE, ms=7)
        note(axes, f"{value:+.3g}", (value, y), (0, 7), ha="center")
    axes.set_yticks(range(count), [plain(name) for name in reversed(differences)])
    axes.set_ylim(-0.6, count - 0.3)
    axes.grid(axis="y", visible=False)
    return figure


def scores_by_length(groups: Mapping[str, pandas.DataFrame], metric: str, unit: str) -> Figure:
    """A metric over the length of the input, one line per network.

    Args:
        groups: network -> columns length, items and the metric.
        metric: its name.
        unit: of the lengths.
    """
    heading = "Each point: a group of items of similar length"
    labels = heading, f"length ({unit})", metric
    figure, axes = panel(8.6, 4.4, f"{metric} by length", labels)
    for (name, table), colour in zip(groups.items(), cycle(NETWORKS), strict=False):
        label = plain(name) if len(groups) > 1 else None
        axes.plot(table["length"], table[metric], "o-", color=colour, label=label)
    if len(groups) == 1:
        (only,) = groups.values()
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
        for row in only.to_dict("records"):
            at = row["length"], row[metric]
            note(axes, f"{row['items']:,} items", at, (0, 8), ha="center", color=GREY, bbox=box)
    low = min(0.0, *(float(table[metric].min()) for table in groups.values()))
    high = axes.get_ylim()[1]
    span = high - low
    axes.set_ylim(low - 0.02 * span, high + 0.12 * span)
    legend(axes)
    return figure
