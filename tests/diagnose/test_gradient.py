"""The gradient through time against its equation, and on every topology."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from example_params import FILES, SHORT, experiment_of

from rnnkit.data.batches import Batch
from rnnkit.diagnose.gradient import Curve, through_time
from rnnkit.diagnose.probe import Probe
from rnnkit.diagnose.recording import recording
from rnnkit.nn.cells.interface import Cell
from rnnkit.nn.cells.rnn import RNNState
from rnnkit.nn.model.network import build
from rnnkit.nn.model.representation import Sizes
from rnnkit.params.model import Model
from rnnkit.tasks import prepare
from rnnkit.training.trainer import make_network

HIDDEN, STEPS = 5, 40


class Linear(Cell[RNNState]):
    """h_t = W_xh x_t + W_hh h_{t-1} + b."""

    gates = ("h",)

    def step(self, inputs: torch.Tensor, state: RNNState, dropout_mask: Any = None) -> RNNState:
        x = torch.nn.functional.linear(inputs, self.W_xh, self.b_h)
        return RNNState(x + self.recurrent(state.h, dropout_mask))

    def zeros(self, batch: int, dtype: torch.dtype, device: torch.device) -> RNNState:
        return RNNState(torch.zeros(batch, self.hidden, dtype=dtype, device=device))


class Squares:
    """The part of a task that the measurement asks: the squared outputs' mean."""

    def __init__(self, synced: bool) -> None:
        self.synced = synced

    def forward(self, network: Any, batch: Batch) -> torch.Tensor:
        return network(batch.inputs, batch.mask)

    def real(self, batch: Batch) -> torch.Tensor:
        if not self.synced:
            return torch.ones(len(batch.inputs), dtype=torch.bool)
        return torch.ones(batch.inputs.shape[:2]).bool() if batch.mask is None else batch.mask

    def loss(self, outputs: torch.Tensor, batch: Batch) -> torch.Tensor:
        return outputs.square().mean()


def linear_network(topology: str, **more: Any) -> Any:
    """A network of linear cells with random recurrent weights, in float64."""
    params = {"representation": {"kind": "raw"}, "cell": {"kind": "rnn"}, "hidden": HIDDEN, **more}
    draw = torch.Generator().manual_seed(3)
    network = build(Model.model_validate(params), topology, Sizes(None, 2), 1, draw).double()
    for name in list(network.stack.cells):
        before = network.stack.cells[name]
        cell = Linear(before.inputs, HIDDEN).double()
        with torch.no_grad():
            cell.W_xh.copy_(before.W_xh)
            cell.W_hh.copy_(torch.randn(HIDDEN, HIDDEN, generator=draw).double() / HIDDEN**0.5)
        network.stack.cells[name] = cell
    return network


def batch_of(lengths: list[int], padding: str) -> Batch:
    draw = torch.Generator().manual_seed(4)
    inputs = torch.randn(len(lengths), max(lengths), 2, generator=draw, dtype=torch.float64)
    steps = torch.arange(max(lengths))
    mask = steps < torch.tensor(lengths)[:, None]
    mask = mask if padding == "post" else mask.flip(1)
    return Batch(inputs * mask[..., None], torch.zeros(len(lengths)), mask, steps[: len(lengths)])


@pytest.mark.parametrize("topology", ["many_to_one", "synced"])
@pytest.mark.parametrize("padding", ["post", "pre"])
def test_gradient_of_a_linear_network_is_the_analytic_one(topology: str, padding: str) -> None:
    """dL/dh_{T-k} = (W_hh^T)^k W_y^T dL/dy_T, to 1e-10 in float64."""
    network = linear_network(topology)
    batch = batch_of([STEPS, STEPS], padding)
    if topology == "synced":
        batch = batch_of([STEPS, STEPS], padding)
    curves, _ = through_time(network, Squares(topology == "synced"), batch)
    assert list(curves) == ["layer0"]
    W_hh = network.stack.cells["layer0"].W_hh.detach().numpy()
    W_y = network.head.weight.detach().numpy()
    outputs = network(batch.inputs, batch.mask).detach().numpy()
    last = outputs[:, -1] if topology == "synced" else outputs
    at_loss = (2 * last / outputs.size) @ W_y  # rows of dL/dh_T
    expected = []
    for _ in range(STEPS):
        expected.append(np.linalg.norm(at_loss, axis=1).mean())
        at_loss = at_loss @ W_hh
    curve = curves["layer0"]
    assert curve.lags.tolist() == list(range(STEPS))
    np.testing.assert_allclose(curve.norms, expected, rtol=1e-10)


@pytest.mark.parametrize("padding", ["post", "pre"])
def test_lags_count_from_the_last_real_step_of_each_sequence(padding: str) -> None:
    network, lengths = linear_network("many_to_one"), [3, STEPS, 11]
    batch = batch_of(lengths, padding)
    curve = through_time(network, Squares(False), batch)[0]["layer0"]
    norms: dict[int, list[float]] = {}
    for row, length in enumerate(lengths):
        real = batch.inputs[row][batch.mask[row]][None]  # type: ignore[index]
        alone = Batch(real, torch.zeros(1), None, torch.tensor([row]))
        single = through_time(network, Squares(False), alone)[0]["layer0"]
        assert single.lags.tolist() == list(range(length))
        for lag, norm in zip(single.lags, single.norms, strict=True):
            norms.setdefault(int(lag), []).append(norm / len(lengths))  # the loss is a mean
    assert curve.lags.tolist() == sorted(norms)
    expected = [np.mean(norms[lag]) for lag in sorted(norms)]
    np.testing.assert_allclose(curve.norms, expected, rtol=1e-10)


@pytest.mark.parametrize("topology", ["many_to_one", "synced"])
def test_a_backward_layer_counts_lags_from_its_own_end(topology: str) -> None:
    """On reversed inputs with exchanged weights both directions exchange their curves."""
    network, other = (linear_network(topology, bidirectional=True) for _ in range(2))
    with torch.no_grad():
        cells, exchanged = network.stack.cells, other.stack.cells
        exchanged["layer0"].load_state_dict(cells["layer0_reverse"].state_dict())
        exchanged["layer0_reverse"].load_state_dict(cells["layer0"].state_dict())
        other.head.weight.copy_(network.head.weight.roll(HIDDEN, dims=1))
    batch = batch_of([STEPS, 17], "post")
    back = Batch(batch.inputs.flip(1), batch.targets, batch.mask.flip(1), batch.item)  # type: ignore[union-attr]
    task = Squares(topology == "synced")
    curves, expected = through_time(network, task, batch)[0], through_time(other, task, back)[0]
    for name, mirrored in (("layer0", "layer0_reverse"), ("layer0_reverse", "layer0")):
        assert curves[name].lags.tolist() == list(range(STEPS))
        np.testing.assert_allclose(curves[name].norms, expected[mirrored].norms, rtol=1e-10)


def test_measurement_leaves_network_and_gradients_alone() -> None:
    network, batch = linear_network("synced", depth=2), batch_of([7, 5], "post")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    cells = dict(network.stack.cells)
    through_time(network, Squares(True), batch)
    assert dict(network.stack.cells) == cells
    assert all(value.grad is None for value in network.parameters())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    with pytest.raises(KeyError), recording(network):
        raise KeyError
    assert dict(network.stack.cells) == cells


def test_factor_and_marks_of_an_exact_decay() -> None:
    lags = np.arange(100)
    vanishing, exploding = Curve(lags, 2.0 * 0.7**lags), Curve(lags, 1.5**lags)
    assert vanishing.fit == pytest.approx((0.7, 1.0))
    assert vanishing.vanishes == int(np.ceil(np.log(1e-6) / np.log(0.7)))
    assert vanishing.explodes is None
    assert exploding.vanishes is None
    assert exploding.explodes == int(np.ceil(np.log(1e10) / np.log(1.5)))
    assert Curve(lags, np.full(100, np.nan)).explodes == 0
    assert Curve(lags, np.zeros(100)).vanishes == 0
    assert Curve(lags[:1], np.ones(1)).fit is None
    stored = Curve(np.arange(1000), 0.99 ** np.arange(1000)).to_json()
    assert stored["lags"][0] == 0
    assert stored["lags"][-1] == 999
    assert len(stored["lags"]) == len(stored["norms"]) == 64


NAMES = {
    "demo": {"layer0", "layer0_reverse"},
    "dates": {"encoder/layer0", "encoder/layer0_reverse", "decoder/layer0"},
    "spelled_digits": {"decoder/layer0"},
    "touch_tones": {"layer0", "layer0_reverse"},
    "python_docs": {"layer0"},
    "sunspots": {"layer0"},
    "embedded_reber": {"layer0"},
    "digits_vector": set(),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_topology_has_the_curves_of_its_layers(name: str, tmp_path: Path) -> None:
    (file,) = (file for file in FILES if file.stem == name)
    overrides = {**SHORT, "data.limit": 60}
    if name == "embedded_reber":
        del overrides["data.limit"]
    experiment = experiment_of(file, overrides)
    prepared = prepare(experiment.data, experiment.task, tmp_path)
    probe = Probe(experiment, prepared)
    weights = make_network(experiment, probe.task).state_dict()
    measured = probe.measure(weights)
    assert set(measured.get("gradient", {})) == NAMES[name]
    for curve in measured.get("gradient", {}).values():
        assert len(curve["lags"]) > 1
        assert all(norm > 0 for norm in curve["norms"])
    assert measured == Probe(experiment, prepared).measure(weights)
