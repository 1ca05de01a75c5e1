"""Heat map of hidden states over time, a panel for each layer and direction."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from rnnkit.figures.style import INK, SMALL, colour_bar, dress, plain, sheet

COLOURS = "RdBu_r"
MAX_PIECE = 8
"""Characters of a token that are shown."""


def hidden_states(
    layers: Mapping[str, Sequence[Sequence[float]]], tokens: Sequence[str], item: int
) -> Figure:
    """The hidden states of an item.

    Args:
        layers: name of a series -> [units, steps] h.
        tokens: of the steps; empty: steps are numbered.
        item: row of the source's frame.
    """
    figure = sheet(10, 0.9 + 2.6 * len(layers), f"Hidden states over time, item {item}")
    panels = figure.subplots(len(layers), 1, squeeze=False)[:, 0]
    for axes, (name, states) in zip(panels, layers.items(), strict=True):
        values = np.array(states)
        dress(axes, name.replace("_", " "), "", "unit")
        limit = max(float(np.abs(values).max()), 1e-9)
        look = {"cmap": COLOURS, "vmin": -limit, "vmax": limit, "aspect": "auto"}
        image = axes.imshow(values, interpolation="nearest", **look)
        axes.grid(visible=False)
        axes.set_yticks([])
        colour_bar(axes, image, "h", INK)
        shown = [_piece(token) for token in tokens[: values.shape[1]]]
        if len(shown) == values.shape[1]:
            axes.set_xticks(range(len(shown)), shown, fontsize=SMALL - 2, rotation=90)
        else:
            axes.set_xlabel("step")
    return figure


def _piece(token: str) -> str:
    """A token as a label; spaces and line feeds are visible."""
    return plain(token.replace(" ", "·").replace("\n", "⏎")[:MAX_PIECE])
