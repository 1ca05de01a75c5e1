"""Where a network reads what it predicts: attention weights, and tokens over frames."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from rnnkit.figures.style import GREY, INK, PAPER, RED, SMALL, VALUES, dress, note, plain, sheet

MAX_LABELS = 24
"""Tokens per axis of an attention figure above which labels are drawn smaller."""


def attention(pictures: Sequence[tuple[Sequence[str], Sequence[str], np.ndarray]]) -> Figure:
    """Attention weights of a decoder.

    Args:
        pictures: source tokens, generated tokens and weights [generated, source] of each item.
    """
    columns = 2 if len(pictures) > 1 else 1
    rows = -(-len(pictures) // columns)
    figure = sheet(5.2 * columns + 0.6, 4.4 * rows, "Attention weights: bright is 1, dark 0")
    figure.supxlabel("what was read", fontsize=SMALL + 1, color=GREY)
    figure.supylabel("decoded tokens", fontsize=SMALL + 1, color=GREY)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(pictures) :]:
        axes.set_axis_off()
    for axes, (source, output, weights) in zip(grid.flat, pictures, strict=False):
        axes.imshow(weights, cmap=VALUES, vmin=0, vmax=1, aspect="auto")
        size = SMALL if max(len(source), len(output)) <= MAX_LABELS else SMALL - 3
        turned = {"rotation": 60, "ha": "right", "rotation_mode": "anchor"}
        labels = [_label(token) for token in source]
        look = turned if max(map(len, labels)) > 1 else {}
        axes.set_xticks(range(len(source)), labels, fontsize=size, **look)
        axes.set_yticks(range(len(output)), map(_label, output), fontsize=size)
        axes.tick_params(length=0, colors=INK)
        axes.spines[:].set_visible(False)
    return figure


def transcript_path(pictures: Sequence[tuple[np.ndarray, Sequence[str], str, str]]) -> Figure:
    """Features of recordings, with the tokens predicted at each frame.

    Args:
        pictures: features [frames, features], the token predicted at each frame (empty: none), the
            predicted transcript and the true one.
    """
    figure = sheet(9.6, 1.9 * len(pictures) + 0.8, "Predicted token at each frame")
    grid = figure.subplots(len(pictures), 1, squeeze=False)
    look = {"color": RED, "fontsize": SMALL + 2, "fontweight": "bold"}
    box = {"fc": PAPER, "ec": "none", "pad": 0.6, "alpha": 0.7}
    for axes, (features, path, predicted, truth) in zip(grid.flat, pictures, strict=True):
        limit = float(np.quantile(np.abs(features), 0.98)) or 1.0
        limits = {"vmin": -limit, "vmax": limit}
        axes.imshow(features.T, origin="lower", aspect="auto", cmap="Greys", **limits)
        top = features.shape[1] - 0.5
        for frame, token in enumerate(path):
            if token and (frame == 0 or path[frame - 1] != token):
                axes.axvline(frame, color=RED, linewidth=1)
                note(axes, _label(token), (frame, top), (3, -12), bbox=box, **look)
        reference = "" if predicted == truth else f"    true: {truth}"
        dress(axes, plain(f"predicted: {predicted}{reference}"), "", "feature")
        axes.grid(visible=False)
        axes.set_yticks([])
    grid.flat[-1].set_xlabel("frame", fontsize=SMALL, color=INK)
    return figure


def _label(token: str) -> str:
    """A token with visible blanks."""
    return plain(token.replace(" ", "␣") if token.isspace() else token)
