"""Segments and independent channels against the same network over windows made by hand."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnkit.nn.cells import CELLS
from rnnkit.nn.cells.interface import remake
from rnnkit.nn.model.channels import Channels
from rnnkit.nn.model.network import build, describe
from rnnkit.nn.model.representation import Level, Sizes
from rnnkit.params.model import Model

FEATURES, WINDOW, HORIZON, BATCH, NUMBERS = 5, 15, 7, 3, 2
EXACT = {"rtol": 0, "atol": 1e-12}  # float64: sums in another order, no more


def network(channels: str, segment: int, known: int, **options: Any) -> tuple[Any, Sizes]:
    """A float64 network of a window of five columns, three of them targets, and its sizes."""
    model = Model.model_validate(
        {"hidden": 4, "channels": channels, "representation": {"kind": "raw"}, **options}
    )
    own = (3, 0, 2) if not known else (2, 0)
    shared = tuple(k for k in range(FEATURES) if k not in own)
    rows = segment if known else HORIZON
    level = Level(known, HORIZON) if known else Level(0, 0)
    sizes = Sizes(None, FEATURES, None, level, segment, Channels(own, shared, rows))
    topology = "synced" if known else "many_to_one"
    draw = torch.Generator().manual_seed(0)
    return build(model, topology, sizes, rows * len(own) * NUMBERS, draw).double(), sizes


def sequences_by_hand(window: Tensor, columns: list[int], sizes: Sizes) -> list[Tensor]:
    """Steps of some columns of a window: less their last value, then k rows in a row."""
    assert sizes.level is not None
    past, k = len(window) - sizes.level.ahead, sizes.segment
    rows = []
    for t in range(len(window)):
        row = []
        for place, column in enumerate(columns):
            value = window[t, column]
            if t < past and place < len(columns) - sizes.level.known:
                value = value - window[past - 1, column]
            row.append(value)
        rows.append(torch.stack(row))
    while len(rows) % k:
        rows.append(torch.zeros_like(rows[0]))
    return [torch.cat(rows[t : t + k]) for t in range(0, len(rows), k)]


def layers_by_hand(net: Any, steps: list[Tensor]) -> tuple[list[Tensor], dict[str, Any]]:
    """The top layer's output at each step and the final states, one cell's step at a time."""
    final = {}
    for layer in range(net.stack.depth):
        outputs: list[list[Tensor]] = [[] for _ in steps]
        for name in net.stack.names(layer):
            order = range(len(steps))
            state = net.stack.start(name, 1)
            for t in reversed(order) if name.endswith("_reverse") else order:
                state = net.stack.cell(name).step(steps[t][None], state)
                outputs[t].append(state.h[0])
            final[name] = state
        steps = [torch.cat(parts) for parts in outputs]
    return steps, final


def with_embedding(steps: list[Tensor], one: Any, target: int) -> list[Tensor]:
    """The steps of a target, each with the target's vector behind it, where there are vectors."""
    vectors = getattr(one.representation, "vectors", None)
    return steps if vectors is None else [torch.cat([step, vectors[target]]) for step in steps]


def networks_by_hand(net: Any, window: Tensor, sizes: Sizes) -> Iterator[tuple[Any, list, Any]]:
    """(columns, outputs of each read-out, final states) of what reads a window."""
    channels = sizes.channels
    assert channels is not None
    together = not hasattr(net, "network")
    one = net if together else net.network
    reads = [[*range(FEATURES)]] if together else [[c, *channels.shared] for c in channels.own]
    for target, columns in enumerate(reads):
        steps = with_embedding(sequences_by_hand(window, columns, sizes), one, target)
        steps, final = layers_by_hand(one, steps)
        if not is_synced(sizes):  # the last state of forward and the first of backward
            top = one.stack.names(one.stack.depth - 1)
            steps = [torch.cat([final[name].h[0] for name in top])]
        yield columns, [one.head.weight @ step + one.head.bias for step in steps], final


def outputs_by_hand(net: Any, inputs: Tensor, sizes: Sizes) -> tuple[Tensor, list[Any]]:
    """Outputs, a number at a time: of each window, read-out, row, target, number."""
    channels = sizes.channels
    assert channels is not None
    windows, states = [], []
    for window in inputs:
        read_by = [*networks_by_hand(net, window, sizes)]
        states += [final for _, _, final in read_by]
        readouts = []
        for s in range(len(read_by[0][1])):
            numbers = []
            for row in range(channels.rows):
                for target in range(len(channels.own)):
                    together = len(read_by) == 1
                    outputs = read_by[0 if together else target][1][s]
                    width = len(channels.own) * NUMBERS if together else NUMBERS
                    at = row * width + (target * NUMBERS if together else 0)
                    numbers += [outputs[at + n] for n in range(NUMBERS)]
            readouts.append(torch.stack(numbers))
        windows.append(torch.stack(readouts) if is_synced(sizes) else readouts[0])
    return torch.stack(windows), states


def is_synced(sizes: Sizes) -> bool:
    assert sizes.level is not None
    return bool(sizes.level.ahead)


def learned(net: Any, outputs: Tensor) -> dict[str, Tensor]:
    """The gradient of every weight, by name, of a loss of all outputs."""
    net.zero_grad()
    outputs.sin().sum().backward()
    return {name: value.grad.clone() for name, value in net.named_parameters()}


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one", "two"])
@pytest.mark.parametrize("known", [0, 2])
@pytest.mark.parametrize("segment", [1, 3, 5])
@pytest.mark.parametrize(
    ("channels", "embedding"), [("together", 0), ("independent", 0), ("independent", 3)]
)
def test_a_network_equals_itself_over_windows_made_by_hand(
    channels: str, embedding: int, segment: int, known: int, bidirectional: bool, kind: str
) -> None:
    """Outputs, final states and every gradient. The horizon of 7 rows ends within a segment."""
    net, sizes = network(
        channels,
        segment,
        known,
        cell={"kind": kind},
        bidirectional=bidirectional,
        depth=2,
        initial_state="learned",
        channel_embedding=embedding,
    )
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in net.parameters():  # initial states and biases start at zero
            weight.add_(0.1 * torch.randn(weight.shape, generator=draw, dtype=weight.dtype))
    time = WINDOW + (HORIZON if known else 0)
    inputs = torch.randn(BATCH, time, FEATURES, dtype=torch.float64, generator=draw)
    outputs, expected = net(inputs, None), outputs_by_hand(net, inputs, sizes)
    torch.testing.assert_close(outputs, expected[0], **EXACT)
    gradients, by_hand = learned(net, outputs), learned(net, expected[0])
    assert gradients.keys() == by_hand.keys()
    for name, gradient in gradients.items():
        assert gradient.any(), name
        torch.testing.assert_close(gradient, by_hand[name], **EXACT, msg=name)
    together = channels == "together"
    one = net if together else net.network
    _, final, _ = one.encode(inputs if together else net.split(inputs), None, want_final=True)
    for name, state in final.items():
        twin = remake(state, map(torch.cat, zip(*(s[name] for s in expected[1]), strict=True)))
        for part, other in zip(state, twin, strict=True):
            torch.testing.assert_close(part, other, **EXACT, msg=name)


def test_one_network_serves_all_targets() -> None:
    """Its weights do not grow with the targets, and equal columns have equal forecasts."""
    net, sizes = network("independent", 5, 0)
    together, _ = network("together", 5, 0)
    assert net.network.head.out_features * len(sizes.channels.own) == together.head.out_features  # type: ignore[union-attr]  # set by `network`
    assert net.network.stack.cells["layer0"].inputs == 5 * (1 + 2)
    inputs = torch.randn(BATCH, WINDOW, 1, dtype=torch.float64).expand(-1, -1, FEATURES)
    values = net(inputs, None).view(BATCH, HORIZON, 3, NUMBERS)
    torch.testing.assert_close(values[:, :, 1:], values[:, :, :1].expand(-1, -1, 2, -1), **EXACT)


def test_an_embedding_tells_the_targets_apart() -> None:
    net, _ = network("independent", 5, 0, channel_embedding=2)
    assert net.network.representation.vectors.shape == (3, 2)
    values = net(torch.zeros(1, WINDOW, FEATURES, dtype=torch.float64), None)
    of_target = values.view(HORIZON, 3, NUMBERS)
    assert not torch.isclose(of_target[:, 0], of_target[:, 1]).any()
    assert not torch.isclose(of_target[:, 1], of_target[:, 2]).any()


def test_a_target_does_not_depend_on_another() -> None:
    net, _ = network("independent", 3, 0)
    inputs = torch.randn(BATCH, WINDOW, FEATURES, dtype=torch.float64)
    changed = inputs.clone()
    changed[:, :, 0] += torch.randn(BATCH, WINDOW, dtype=torch.float64)  # the second target
    before, after = (net(x, None).view(BATCH, HORIZON, 3, NUMBERS) for x in (inputs, changed))
    same = (before == after).flatten(0, 1).all(dim=(0, 2))
    assert same.tolist() == [True, False, True]
    changed[:, :, 1] += 1  # of all: relative to the last row nothing changes
    torch.testing.assert_close(net(changed, None).view_as(after), after, **EXACT)


@pytest.mark.parametrize("topology", ["many_to_one", "synced", "one_to_one"])
def test_dropout_before_the_head_alone(topology: str) -> None:
    """`head_dropout` is on what the head reads; null stands for `dropout`."""

    def dropped(**options: float) -> float:
        model = Model.model_validate(
            {"hidden": 400, "representation": {"kind": "raw"}, "depth": 2, **options}
        )
        net: Any = build(model, topology, Sizes(None, 3), 2, torch.Generator().manual_seed(0))
        units = net.layers[-1] if topology == "one_to_one" else net.stack
        given, read = [], []
        units.register_forward_hook(lambda _, __, outputs: given.append(outputs))
        net.head.register_forward_hook(lambda _, inputs, __: read.append(inputs[0]))
        torch.manual_seed(0)
        net(torch.ones(8, 1, 3), None)
        hidden = given[0].relu() if topology == "one_to_one" else given[0][0].view_as(read[0])
        return float((read[0] == 0)[hidden != 0].double().mean())

    # 3,200 units, about half of them positive in the feed-forward network: ±4 deviations
    assert dropped(head_dropout=0.3) == pytest.approx(0.3, abs=0.05)
    assert dropped(dropout=0.3) == pytest.approx(0.3, abs=0.05)
    assert dropped(dropout=0.3, head_dropout=0.6) == pytest.approx(0.6, abs=0.05)
    assert dropped(dropout=0.3, head_dropout=0.0) == 0
    assert dropped() == 0


def test_a_network_of_independent_channels_says_so() -> None:
    model = Model(hidden=64, channels="independent")
    assert describe(model, "many_to_one") == "GRU, 1 layer of 64, for each column by itself"
