"""Diagrams of the network: its layers from input to read-out, unrolled over time."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from rnnkit.figures.style import BLUE, GREEN, GREY, INK, ORANGE, SMALL, TEXT, panel, plain

WIDE, HIGH = 0.62, 0.46
STEPS = ("t − 1", "t", "t + 1")
MAX_LAYERS = 4
"""Number of layers drawn; the rest is a note."""


def unrolled(
    inputs: str,
    layer: str,
    depth: int,
    bidirectional: bool,
    synced: bool,
    readout: str,
    characters: str | None = None,
) -> Figure:
    """A network over three time steps.

    Args:
        inputs: label of the inputs ("embedding, 32").
        layer: label of a layer ("GRU, 48").
        depth: number of layers.
        bidirectional: whether layers are bidirectional.
        synced: whether every step has a read-out, or only the last one.
        readout: label of the read-out ("7 tags").
        characters: label of the network over each word's characters; None: there is none.
    """
    drawn = min(depth, MAX_LAYERS)
    bottom = 0 if characters is None else -1
    height = 2.4 + 0.72 * (drawn - bottom)
    figure, axes = panel(8.4, height, "The network, unrolled over time")
    top, last = drawn + 1, len(STEPS) - 1
    for x, step in enumerate(STEPS):
        _box(axes, x, 0, inputs, GREEN)
        if characters is not None:
            _box(axes, x, bottom, characters, BLUE)
            _up(axes, x, 0)
        axes.annotate(step, (x, bottom - 0.52), ha="center", fontsize=TEXT, color=INK)
        for y in range(1, drawn + 1):
            name = layer if y < drawn or depth == drawn else f"{layer}  (layer {depth})"
            _box(axes, x, y, name, BLUE)
            _up(axes, x, y)
            begin = -0.72 if x == 0 else x - 1 + WIDE / 2
            _across(axes, begin, x - WIDE / 2, y, bidirectional)
            if x == last:
                _across(axes, x + WIDE / 2, x + 0.72, y, bidirectional)
        if synced or x == last:
            _box(axes, x, top, readout, ORANGE)
            _up(axes, x, top)
    if depth > drawn:
        note = f"{depth - drawn} more layers between"
        axes.annotate(note, (last + 0.42, drawn - 0.5), fontsize=SMALL, color=GREY)
    axes.set_xlim(-0.8, last + 0.9)
    axes.set_ylim(bottom - 0.75, top + 0.5)
    return figure


def writer(
    inputs: str, encoder: str | None, decoder: str, depth: int, attention: str, feeding: bool
) -> Figure:
    """A network with a decoder, over three steps of its output.

    Args:
        inputs: label of the inputs ("embedding, 32").
        encoder: label of an encoder layer ("bidirectional GRU, 48"); None: the input is a vector.
        decoder: label of a decoder layer ("GRU, 48").
        depth: number of layers of each.
        attention: its kind; none: the decoder gets only the encoder's read-out.
        feeding: whether the decoder uses input feeding.
    """
    figure, axes = panel(11.0, 3.9, "The network: encoder and decoder")
    input_steps = range(3) if encoder else range(2, 3)
    layers, attends = "" if depth == 1 else f" × {depth}", attention != "none"
    for x in input_steps:
        _box(axes, x, 0, inputs.replace(", ", ",\n"), GREEN)
        if encoder:
            _box(axes, x, 1, (encoder + layers).replace("bidirectional ", "bidirectional\n"), BLUE)
            _up(axes, x, 1)
            if x:
                both = encoder.startswith("bidirectional")
                _across(axes, x - 1 + WIDE / 2, x - WIDE / 2, 1, both)
    _arrow(axes, (2 + WIDE / 2, 1.0 if encoder else 0.0), (3.3 - WIDE / 2, 1))
    top = 3 if attends else 2
    for k in range(3):
        here = 3.3 + k
        _box(axes, here, 0, "begin" if k == 0 else "token before", GREEN)
        _box(axes, here, 1, decoder + layers, BLUE)
        _up(axes, here, 1)
        if k:
            _across(axes, here - 1 + WIDE / 2, here - WIDE / 2, 1, False)
        if attends:
            _box(axes, here, 2, f"{attention}\nattention", ORANGE)
            _up(axes, here, 2)
            if k and feeding:
                _arrow(axes, (here - 1 + WIDE / 2, 2 - HIGH / 4), (here - WIDE / 2, 1 + HIGH / 4))
        _box(axes, here, top, "next token", ORANGE)
        _up(axes, here, top)
    if attends:
        for x in input_steps:
            _arrow(axes, (x, 1 + HIGH / 2), (3.3 - WIDE / 2, 2))
    axes.set_xlim(input_steps[0] - 0.6, 5.9)
    axes.set_ylim(-0.5, top + 0.4)
    return figure


def feed_forward(inputs: str, layer: str, depth: int, readout: str) -> Figure:
    """A feed-forward network, its layers from left to right."""
    figure, axes = panel(8.4, 2.0, "The network")
    boxes = [(inputs, GREEN), *[(layer, BLUE)] * min(depth, MAX_LAYERS), (readout, ORANGE)]
    for x, (name, colour) in enumerate(boxes):
        _box(axes, x, 0, name, colour)
        if x:
            _across(axes, x - 1 + WIDE / 2, x - WIDE / 2, 0, False)
    axes.set_xlim(-0.6, len(boxes) - 0.4)
    axes.set_ylim(-0.5, 0.5)
    return figure


def _up(axes: Axes, x: float, y: float) -> None:
    """Draw an arrow from the box below to the one at x, y."""
    _arrow(axes, (x, y - 1 + HIGH / 2), (x, y - HIGH / 2))


def _across(axes: Axes, begin: float, end: float, y: float, bidirectional: bool) -> None:
    """Draw a horizontal arrow, or one in each direction."""
    lift = 0.09 if bidirectional else 0.0
    _arrow(axes, (begin, y + lift), (end, y + lift))
    if bidirectional:
        _arrow(axes, (end, y - lift), (begin, y - lift))


def _box(axes: Axes, x: float, y: float, name: str, colour: str) -> None:
    corner = (x - WIDE / 2, y - HIGH / 2)
    style = "round,pad=0,rounding_size=0.08"
    axes.add_patch(FancyBboxPatch(corner, WIDE, HIGH, style, fc=colour, ec="none", alpha=0.16))
    axes.add_patch(FancyBboxPatch(corner, WIDE, HIGH, style, fc="none", ec=colour, lw=1.4))
    label = "\n".join(map(plain, name.split("\n")))
    axes.annotate(label, (x, y), ha="center", va="center", fontsize=SMALL, color=INK)


def _arrow(axes: Axes, begin: tuple[float, float], end: tuple[float, float]) -> None:
    look = {"arrowstyle": "-|>", "color": GREY, "lw": 1.3, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, begin, arrowprops={**look, "fc": GREY})
