"""Networks: padding has no influence, directions, start, dropout, and every option's effect."""

import pytest
import torch

from rnnkit.errors import InputError
from rnnkit.nn.cells import CELLS
from rnnkit.nn.model.initialization import MATRICES
from rnnkit.nn.model.network import build, count_parameters
from rnnkit.nn.model.readout import READOUTS
from rnnkit.nn.model.representation import Sizes
from rnnkit.params.model import Model

EXACT = {"rtol": 0, "atol": 1e-12}  # float64: sums in another order, no more
LENGTHS = [6, 1, 4]
LONGEST = 8


def network(topology="synced", seed=0, **options):
    """A float64 network of tokens (1 to 8, 0 is padding) or, if raw, of 3 numbers."""
    model = Model.model_validate({"hidden": 5, **options})
    raw = model.representation.kind == "raw"
    vocabulary, features = (None, 3) if raw else (9, None)
    generator = torch.Generator().manual_seed(seed)
    return build(model, topology, Sizes(vocabulary, features), 2, generator).double()


def sequences(kind, lengths=LENGTHS):
    """One sequence of each length."""
    draw = torch.Generator().manual_seed(3)
    if kind == "raw":
        return [torch.randn(n, 3, dtype=torch.float64, generator=draw) for n in lengths]
    return [torch.randint(1, 9, (n,), generator=draw) for n in lengths]


def padded(items, padding, steps, filling):
    """A batch of the items, with the filling before or after them, and its mask."""
    batch = torch.full((len(items), steps, *items[0].shape[1:]), filling, dtype=items[0].dtype)
    mask = torch.zeros(len(items), steps, dtype=torch.bool)
    for row, item in enumerate(items):
        place = slice(0, len(item)) if padding == "post" else slice(steps - len(item), steps)
        batch[row, place] = item
        mask[row, place] = True
    return batch, mask


def learn(net, batches):
    """Real outputs, one after another, and gradients of a loss of them all."""
    net.zero_grad()
    found = []
    for inputs, mask in batches:
        outputs = net(inputs, mask)
        if outputs.ndim == 3:
            outputs = outputs[mask] if mask is not None else outputs.flatten(0, 1)
        found.append(outputs)
    outputs = torch.cat(found)
    outputs.sin().sum().backward()
    return {"outputs": outputs} | {name: p.grad.clone() for name, p in net.named_parameters()}


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one", "two"])
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize(
    ("topology", "readout"), [("synced", "last"), *(("many_to_one", name) for name in READOUTS)]
)
@pytest.mark.parametrize("representation", ["embedding", "raw"])
def test_company_and_padding_have_no_influence(
    topology, readout, representation, kind, bidirectional
):
    net = network(
        topology,
        readout=readout,
        cell={"kind": kind},
        bidirectional=bidirectional,
        depth=2,
        representation={"kind": representation},
        initial_state="learned",
    )
    items = sequences(representation)
    filling = torch.nan if representation == "raw" else 0
    alone = learn(net, [(item[None], None) for item in items])
    for padding in ("post", "pre"):
        together = learn(net, [padded(items, padding, LONGEST, filling)])
        assert alone.keys() == together.keys()
        for name, value in alone.items():
            torch.testing.assert_close(together[name], value, **EXACT, msg=f"{padding} {name}")


@pytest.mark.parametrize("readout", READOUTS)
def test_a_sequence_without_real_steps_reads_out_as_zeros(readout):
    net = network("many_to_one", readout=readout, bidirectional=True)
    outputs = net(torch.zeros(1, 4, dtype=torch.int64), torch.zeros(1, 4, dtype=torch.bool))
    torch.testing.assert_close(outputs[0], net.head.bias, **EXACT)


@pytest.mark.parametrize("kernel", ["torch", "numba", "steps"])
@pytest.mark.parametrize("kind", CELLS)
def test_the_final_state_is_last_of_forward_and_first_of_backward(kind, kernel):
    net = network("many_to_one", bidirectional=True, depth=2, cell={"kind": kind})
    inputs, mask = padded(sequences("tokens"), "pre", LONGEST, 0)
    outputs, final = net.stack(net.representation(inputs, mask), mask, None, True, kernel)
    assert final.keys() == {"layer0", "layer0_reverse", "layer1", "layer1_reverse"}
    expected = torch.stack(
        [torch.cat([outputs[b, -1, :5], outputs[b, -n, 5:]]) for b, n in enumerate(LENGTHS)]
    )
    top = torch.cat([final[name].h for name in net.stack.names(1)], dim=1)
    torch.testing.assert_close(top, expected, **EXACT)
    torch.testing.assert_close(net(inputs, mask), net.head(expected), **EXACT)


@pytest.mark.parametrize("kind", CELLS)
def test_a_sequence_may_come_in_parts(kind):
    net = network(depth=2, cell={"kind": kind})
    tokens = torch.randint(1, 9, (2, 7))
    whole, after_all = net.run(tokens, None, None, True, "auto")
    first, states = net.run(tokens[:, :3], None, None, True, "auto")
    second, after = net.run(tokens[:, 3:], None, states, True, "auto")
    torch.testing.assert_close(torch.cat([first, second], 1), whole, **EXACT)
    for name, state in after.items():
        for part, expected in zip(state, after_all[name], strict=True):
            torch.testing.assert_close(part, expected, **EXACT)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_only_a_bidirectional_network_sees_the_future(bidirectional):
    net = network(depth=2, bidirectional=bidirectional)
    one = torch.tensor([[1, 2, 3, 4, 5]])
    other = torch.tensor([[1, 2, 3, 8, 5]])
    same = (net(one, None) == net(other, None)).all(-1)[0]
    assert same.tolist() == ([False] * 5 if bidirectional else [True, True, True, False, False])


@pytest.mark.parametrize("kind", CELLS)
def test_a_learned_initial_state_starts_at_zero_and_gets_a_gradient(kind):
    options = {"cell": {"kind": kind}, "depth": 2, "bidirectional": True}
    net = network(initial_state="learned", **options)
    tokens = torch.tensor([[1, 2, 3]])
    assert torch.equal(net(tokens, None), network(**options)(tokens, None))
    net(tokens, None).sum().backward()
    parts = 2 if kind == "lstm" else 1
    assert len(net.stack.initial) == 4 * parts
    for name, value in net.stack.initial.items():
        assert value.grad.any(), name
        assert value.shape == (5,)


@pytest.mark.parametrize("name", MATRICES)
def test_initializations_keep_their_claims(name):
    draw = torch.Generator().manual_seed(0)
    matrix = MATRICES[name](40, 40, draw)
    eye = torch.eye(40, dtype=torch.float64)
    if name == "identity":
        assert torch.equal(matrix, eye)
    if name == "orthogonal":
        torch.testing.assert_close(matrix @ matrix.T, eye, rtol=0, atol=1e-14)
        wide, tall = MATRICES[name](3, 7, draw), MATRICES[name](7, 3, draw)
        for small in (wide @ wide.T, tall.T @ tall):
            torch.testing.assert_close(small, eye[:3, :3], rtol=0, atol=1e-14)
    if name == "xavier":
        wide = MATRICES[name](200, 400, draw)
        assert 0.09 < wide.abs().max() <= 0.1  # sqrt(6 / 600)
    if name == "fan_in":
        wide = MATRICES[name](200, 400, draw)
        assert 0.0499 < wide.abs().max() <= 0.05  # 1 / sqrt(400)
    if name == "normal":
        wide = MATRICES[name](200, 400, draw)
        assert abs(wide.var().item() * 400 - 1) < 0.05  # 80,000 draws: 10 standard errors


@pytest.mark.parametrize("kind", CELLS)
def test_initialization_is_per_gate_and_scale_multiplies_the_recurrent_matrix(kind):
    net = network(
        cell={"kind": kind},
        initialization={"input": "orthogonal", "recurrent": "orthogonal", "scale": 0.5},
    )
    cell = net.stack.cells["layer0"]
    eye = torch.eye(5, dtype=torch.float64)
    for block in cell.W_hh.view(-1, 5, 5):
        # drawn in float64, held in float32
        torch.testing.assert_close(block @ block.T, 0.25 * eye, rtol=0, atol=1e-6)
    for block in cell.W_xh.view(len(cell.gates), 5, -1):
        torch.testing.assert_close(block @ block.T, eye, rtol=0, atol=1e-6)
    net = network(cell={"kind": kind}, initialization={"recurrent": "identity", "scale": 0.5})
    for block in net.stack.cells["layer0"].W_hh.view(-1, 5, 5):
        assert torch.equal(block, 0.5 * eye)


def test_weights_depend_on_the_generator_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = network(initial_state="learned")
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    other, third = network(initial_state="learned"), network(seed=1)
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    assert not torch.equal(one.head.weight, third.head.weight)


@pytest.mark.parametrize("topology", ["many_to_one", "synced"])
def test_dropout_is_on_inputs_between_layers_and_before_the_head(topology):
    net = network(topology, dropout=0.5, depth=3, bidirectional=True)
    seen = []
    for module in (net.stack.dropout, net.dropout):
        module.register_forward_hook(lambda _, args, __: seen.append(args[0].shape[-1]))
    tokens = torch.tensor([[1, 2, 3]])
    one = net(tokens, None)
    assert seen == [64, 10, 10, 10]
    assert not torch.equal(one, net(tokens, None))
    net.eval()
    assert torch.equal(net(tokens, None), net(tokens, None))


@pytest.mark.parametrize("kind", CELLS)
def test_dropout_leaves_the_recurrence_alone(kind):
    net = network(dropout=0.9, cell={"kind": kind}, representation={"kind": "raw"})
    cell = net.stack.cells["layer0"]
    torch.nn.init.normal_(cell.b_h)
    silence = torch.zeros(1, 9, 3, dtype=torch.float64)  # dropout does nothing to zeros
    states = {"layer0": cell.zeros(1, torch.float64, torch.device("cpu"))}
    one, other = (net.stack(silence, None, states, False, "auto")[0] for _ in range(2))
    assert one.any()
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    "options",
    [
        *({"cell": {"kind": kind}} for kind in CELLS if kind != "gru"),
        {"cell": {"kind": "lstm", "forget_bias": 2.0}},
        {"cell": {"kind": "gru", "update_bias": 2.0}},
        *({"cell": {"kind": "rnn", "activation": f}} for f in ("relu", "sigmoid")),
        {"representation": {"kind": "one_hot"}},
        {"representation": {"kind": "embedding", "size": 3}},
        {"hidden": 6},
        {"depth": 2},
        {"bidirectional": True},
        *({"readout": name} for name in READOUTS if name != "last"),
        {"dropout": 0.5},
        *({"initialization": {"input": name}} for name in ("orthogonal", "normal")),
        *({"initialization": {"recurrent": n}} for n in ("xavier", "identity", "normal")),
        {"initialization": {"scale": 0.5}},
    ],
    ids=str,
)
def test_every_option_has_an_effect(options):
    tokens = torch.tensor([[1, 2, 3, 4]])
    base = {k: {"kind": v["kind"]} for k, v in options.items() if k == "cell" and len(v) > 1}
    torch.manual_seed(0)
    assert not torch.equal(
        network("many_to_one", **options)(tokens, None),
        network("many_to_one", **base)(tokens, None),
    )


def test_one_hot_is_a_single_one_in_the_models_precision():
    net = network(representation={"kind": "one_hot"})
    vectors = net.representation(torch.tensor([[0, 3]]), None)
    assert vectors.dtype == torch.float64
    assert torch.equal(vectors[0], torch.eye(9, dtype=torch.float64)[[0, 3]])


def test_paddings_vector_is_zero_and_stays_there():
    net = network()
    net(torch.tensor([[0, 3]]), None).sum().backward()
    assert not net.representation.vectors[0].any()
    assert not net.representation.vectors.grad[0].any()
    assert net.representation.vectors.grad[3].any()


def test_the_head_starts_without_bias_and_with_xavier_weights():
    net = network(hidden=400)
    assert not net.head.bias.any()
    bound = (6 / 402) ** 0.5
    assert 0.95 * bound < net.head.weight.abs().max() <= bound * (1 + 1e-6)  # held in float32


@pytest.mark.parametrize("start", ["xavier", "fan_in", "normal"])
def test_the_heads_start_is_chosen(start):
    net = network(hidden=400, initialization={"head": start})
    expected = MATRICES[start](2, 400, torch.Generator().manual_seed(0)).std().item()
    assert net.head.weight.std().item() == pytest.approx(expected, rel=0.1)


def test_the_vectors_start_with_their_scale():
    first, second = (network(initialization={"embedding": scale}) for scale in (1.0, 0.1))
    vectors, small = first.representation.vectors, second.representation.vectors
    torch.testing.assert_close(small, 0.1 * vectors)
    assert vectors[1:].std().item() == pytest.approx(1, rel=0.25)


@pytest.mark.parametrize(("kind", "expected"), [("rnn", 1), ("lstm", 4), ("gru", 3)])
def test_parameters_are_counted(kind, expected):
    net = network(cell={"kind": kind}, representation={"kind": "raw"}, initial_state="learned")
    states = 2 if kind == "lstm" else 1
    second_bias = 5 if kind == "gru" else 0
    recurrent = expected * (5 * 3 + 5 * 5 + 5) + second_bias
    assert count_parameters(net) == recurrent + 5 * states + (5 * 2 + 2)


@pytest.mark.parametrize(
    ("kind", "vocabulary", "features", "message"),
    [
        ("embedding", None, 3, "embedding is for tokens.*set it to raw"),
        ("one_hot", None, 3, "one_hot is for tokens.*set it to raw"),
        ("raw", 9, None, "raw is for numbers.*set it to embedding or one_hot"),
    ],
)
def test_a_representation_of_the_wrong_sort_is_refused(kind, vocabulary, features, message):
    model = Model.model_validate({"representation": {"kind": kind}})
    with pytest.raises(InputError, match=message):
        build(model, "synced", Sizes(vocabulary, features), 2, torch.Generator())
