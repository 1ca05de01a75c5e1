"""Generated texts and transcripts: scores by length, attention, and tokens over frames."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas
from matplotlib.figure import Figure

from rnnkit.figures.style import (
    GREY,
    INK,
    NETWORKS,
    PAPER,
    RED,
    SMALL,
    VALUES,
    dress,
    legend,
    plain,
    sheet,
)

MAX_LABELS = 24
"""Tokens per axis of an attention figure above which labels are drawn smaller."""


def scores_by_length(groups: Mapping[str, pandas.DataFrame], metric: str, unit: str) -> Figure:
    """A metric over the length of the input, one line per network.

    Args:
        groups: network -> columns length, items and the metric.
        metric: its name.
        unit: of the lengths.
    """
    figure = sheet(8.6, 4.4, f"{metric} by length")
    axes = figure.subplots()
    dress(axes, "Each point: a group of items of similar length", f"length ({unit})", metric)
    for (name, table), colour in zip(groups.items(), NETWORKS * 9, strict=False):
        label = plain(name) if len(groups) > 1 else None
        axes.plot(table["length"], table[metric], "o-", color=colour, label=label)
    if len(groups) == 1:
        (only,) = groups.values()
        for row in only.to_dict("records"):
            axes.annotate(
                f"{row['items']:,} items",
                (row["length"], row[metric]),
                textcoords="offset points",
                xytext=(0, 8),
                ha="center",
                fontsize=SMALL,
                color=GREY,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
            )
    low = min(0.0, *(float(table[metric].min()) for table in groups.values()))
    high = axes.get_ylim()[1]
    span = high - low
    axes.set_ylim(low - 0.02 * span, high + 0.12 * span)
    legend(axes)
    return figure


def attention(pictures: Sequence[tuple[Sequence[str], Sequence[str], np.ndarray]]) -> Figure:
    """Attention weights of a decoder.

    Args:
        pictures: source tokens, generated tokens and weights [generated, source] of each item.
    """
    columns = 2 if len(pictures) > 1 else 1
    rows = -(-len(pictures) // columns)
    figure = sheet(5.2 * columns + 0.6, 4.4 * rows, "Where the decoder looked: bright is 1, dark 0")
    figure.supxlabel("what was read", fontsize=SMALL + 1, color=GREY)
    figure.supylabel("what was written", fontsize=SMALL + 1, color=GREY)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(pictures) :]:
        axes.set_axis_off()
    for axes, (source, output, weights) in zip(grid.flat, pictures, strict=False):
        axes.imshow(weights, cmap=VALUES, vmin=0, vmax=1, aspect="auto")
        size = SMALL if max(len(source), len(output)) <= MAX_LABELS else SMALL - 3
        axes.set_xticks(range(len(source)), [shown(token) for token in source], fontsize=size)
        if max(map(len, source)) > 1:
            axes.tick_params(axis="x", labelrotation=60)
            for label in axes.get_xticklabels():
                label.set_ha("right")
                label.set_rotation_mode("anchor")
        axes.set_yticks(range(len(output)), [shown(token) for token in output], fontsize=size)
        axes.tick_params(length=0, colors=INK)
        for spine in axes.spines.values():
            spine.set_visible(False)
    return figure


def transcript_path(pictures: Sequence[tuple[np.ndarray, Sequence[str], str, str]]) -> Figure:
    """Features of recordings, with the tokens predicted at each frame.

    Args:
        pictures: features [frames, features], the token predicted at each frame (empty: none), the
            predicted transcript and the true one.
    """
    figure = sheet(9.6, 1.9 * len(pictures) + 0.8, "Which token was told at which frame")
    grid = figure.subplots(len(pictures), 1, squeeze=False)
    for axes, (features, path, predicted, truth) in zip(grid.flat, pictures, strict=True):
        limit = float(np.quantile(np.abs(features), 0.98)) or 1.0
        axes.imshow(
            features.T, origin="lower", aspect="auto", cmap="Greys", vmin=-limit, vmax=limit
        )
        top = features.shape[1] - 0.5
        for frame, token in enumerate(path):
            if token and (frame == 0 or path[frame - 1] != token):
                axes.axvline(frame, color=RED, linewidth=1)
                axes.annotate(
                    shown(token),
                    (frame, top),
                    textcoords="offset points",
                    xytext=(3, -12),
                    color=RED,
                    fontsize=SMALL + 2,
                    fontweight="bold",
                    bbox={"fc": PAPER, "ec": "none", "pad": 0.6, "alpha": 0.7},
                )
        reference = "" if predicted == truth else f"    true: {truth}"
        dress(axes, plain(f"told: {predicted}{reference}"), "", "feature")
        axes.grid(visible=False)
        axes.set_yticks([])
    grid.flat[-1].set_xlabel("frame", fontsize=SMALL, color=INK)
    return figure


def shown(token: str) -> str:
    """A token as a label, with visible blanks.

    >>> shown(" "), shown("a b")
    ('␣', 'a b')
    """
    return plain(token.replace(" ", "␣") if token.isspace() else token)
