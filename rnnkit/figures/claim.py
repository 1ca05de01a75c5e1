"""The scores of a claim's trainings: variants beside each other, or over the conditions."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from rnnkit.figures.style import BLUE, INK, NETWORKS, legend, note, panel, plain

Values = Mapping[str, Mapping[str, Sequence[float]]]
"""Variant -> condition -> a value for each seed; NaN where a training diverged."""


def claim_figure(title: str, metric: str, axis: str, values: Values) -> Figure:
    """Means over the seeds, with every seed as a point.

    Args:
        title: the claim.
        metric: its name.
        axis: what the conditions differ by.
        values: with one condition, variants are beside each other; else each is a line.
    """
    conditions = list(next(iter(values.values())))
    if len(conditions) > 1:
        return _over_conditions(title, metric, axis, values, conditions)
    figure, axes = panel(8.0, 1.6 + 0.5 * len(values), title, ("", plain(metric), ""))
    for y, by_condition in enumerate(reversed([*values.values()])):
        scores = by_condition[conditions[0]]
        finite = [score for score in scores if math.isfinite(score)]
        axes.plot(finite, [y] * len(finite), "o", color=BLUE, ms=6, alpha=0.5)
        if len(finite) == len(scores):
            mean = sum(finite) / len(finite)
            axes.plot(mean, y, "|", color=INK, ms=18, mew=2)
            note(axes, f"{mean:.4g}", (mean, y), (0, 11), ha="center")
        else:
            at = (sum(finite) / len(finite) if finite else 0.0, y)
            text = f"{len(scores) - len(finite)} of {len(scores)} diverged"
            note(axes, text, at, (0, 9), ha="center")
    axes.set_yticks(range(len(values)), [plain(variant) for variant in reversed([*values])])
    axes.set_ylim(-0.6, len(values) - 0.3)
    axes.margins(x=0.12)
    axes.grid(axis="y", visible=False)
    return figure


def _over_conditions(
    title: str, metric: str, axis: str, values: Values, conditions: Sequence[str]
) -> Figure:
    figure, axes = panel(8.0, 4.4, title, ("", plain(axis), plain(metric)))
    places = range(len(conditions))
    for k, (variant, by_condition) in enumerate(values.items()):
        colour = NETWORKS[k % len(NETWORKS)]
        means = [sum(by_condition[name]) / len(by_condition[name]) for name in conditions]
        axes.plot(places, means, "-", color=colour, lw=1.8, label=plain(variant))
        for place, name in zip(places, conditions, strict=True):
            scores = by_condition[name]
            axes.plot([place] * len(scores), scores, "o", color=colour, ms=5, alpha=0.5)
    axes.set_xticks(places, [plain(name) for name in conditions])
    legend(axes)
    return figure
