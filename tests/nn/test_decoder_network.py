"""Networks that write: attention, decoder, decoding; each held to what it is defined as."""

import itertools
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import additive, general, mean_of, softmax
from torch import Tensor

from rnnkit.data.batches import IGNORED
from rnnkit.data.prepare.ids import END, PADDING, UNKNOWN
from rnnkit.nn.beam_search import beam_search, greedy
from rnnkit.nn.cells.gru import GRUState
from rnnkit.nn.losses import cross_entropy
from rnnkit.nn.model.attention import ATTENTIONS, attend
from rnnkit.nn.model.decoder import DecoderState, EncodedInputs
from rnnkit.nn.model.network import build
from rnnkit.nn.model.representation import Sizes
from rnnkit.params.model import Model
from rnnkit.tasks.sequence_to_sequence.task import before

TOKENS, LONGEST = 7, 5
CELLS = ("rnn", "lstm", "gru")


def network(seed: int = 0, topology: str = "encoder_decoder", **model: Any) -> Any:
    """A small network in float64 whose weights are large enough to tell tokens apart."""
    tree: dict[str, Any] = {"hidden": 5, "target_embedding": 4, **model}
    sizes = Sizes(9, None)
    draw = torch.Generator().manual_seed(seed)
    made = build(Model.model_validate(tree), topology, sizes, TOKENS, draw).double().eval()
    with torch.no_grad():
        for value in made.parameters():
            value.mul_(2.5)
    return made


def sources(items: int = 3, steps: int = 4, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Token ids and a mask of rows of different lengths, padded behind."""
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(2, 9, (items, steps), generator=draw)
    mask = torch.arange(steps) < torch.arange(steps, steps - items, -1)[:, None]
    return ids.masked_fill(~mask, PADDING), mask


# --- attention


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_attention_is_its_equation(kind: str) -> None:
    draw = torch.Generator().manual_seed(3)
    module = ATTENTIONS[kind](4, 6, draw).double()
    query = torch.randn(2, 3, 4, generator=draw, dtype=torch.float64)
    hidden = torch.randn(2, 5, 6, generator=draw, dtype=torch.float64)
    mask = torch.tensor([[True] * 5, [True, True, True, False, False]])
    scores = module(query, module.keys(hidden))
    context, weights = attend(scores, hidden, mask)
    names = {name: value.tolist() for name, value in module.named_parameters()}
    twin = general
    if kind == "additive":
        names = {
            "W_q": names["W_q"],
            "v": names["v"],
            "W_m": names["of_memory.weight"],
            "b": names["of_memory.bias"],
        }
        twin = additive
    for item, length in enumerate((5, 3)):
        memory = hidden[item, :length].tolist()
        for step in range(3):
            expected = twin(names, query[item, step].tolist(), memory)
            shares = softmax(expected)
            assert scores[item, step, :length].tolist() == pytest.approx(expected, abs=1e-12)
            assert weights[item, step, :length].tolist() == pytest.approx(shares, abs=1e-12)
            mean = mean_of(memory, shares)
            assert context[item, step].tolist() == pytest.approx(mean, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 1000))
def test_weights_sum_to_one_over_real_positions_only(items: int, steps: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, steps + 1, (items,), generator=draw)
    mask = torch.arange(steps) < lengths[:, None]
    scores = 30 * torch.randn(items, 2, steps, generator=draw, dtype=torch.float64)
    hidden = torch.randn(items, steps, 3, generator=draw, dtype=torch.float64)
    _, weights = attend(scores, hidden, mask)
    assert torch.allclose(weights.sum(dim=2), torch.ones(items, 2).double(), atol=1e-12)
    assert (weights.transpose(1, 2)[~mask] == 0).all()
    assert (weights >= 0).all()


# --- the decoder


KINDS = [
    {"attention": kind, **fed, "cell": {"kind": cell}, "depth": depth}
    for kind, fed in (
        ("none", {}),
        ("dot", {}),
        ("dot", {"input_feeding": False}),
        ("additive", {}),
        ("additive", {"input_feeding": False}),
    )
    for cell, depth in (("gru", 1), ("lstm", 2), ("rnn", 1))
]


def step_by_step(made: Any, inputs: Tensor, mask: Tensor, previous: Tensor) -> Tensor:
    """The decoder's definition: one step after the other."""
    read = made.encode_for_decoder(inputs, mask)
    written, outputs = read.state, []
    for token in previous.unbind(1):
        scores, written, _ = made.decoder.advance(token, written, read.memory)
        outputs.append(scores)
    return torch.stack(outputs, dim=1)


@pytest.mark.parametrize("model", KINDS, ids=str)
def test_all_steps_at_once_are_the_steps_one_by_one_with_all_gradients(
    model: dict[str, Any],
) -> None:
    made = network(bidirectional=True, **model)
    inputs, mask = sources()
    previous = torch.tensor([[END, 3, 4, 5], [END, 6, 3, 3], [END, 4, 4, 6]])
    outputs, gradients = [], []
    for run in (made, lambda *rest: step_by_step(made, *rest)):
        made.zero_grad()
        found = run(inputs, mask, previous)
        (found * torch.linspace(-1, 1, found.numel()).view(found.shape)).sum().backward()
        outputs.append(found.detach())
        gradients.append({name: value.grad.clone() for name, value in made.named_parameters()})
    assert torch.allclose(*outputs, atol=1e-12)
    for name, gradient in gradients[0].items():
        assert torch.allclose(gradient, gradients[1][name], atol=1e-10), name
        assert gradient.abs().sum() > 0, f"{name} has no influence"


@pytest.mark.parametrize("model", KINDS[::3], ids=str)
def test_sampling_its_own_tokens_always_is_writing_greedily(model: dict[str, Any]) -> None:
    made = network(**model)
    inputs, mask = sources()
    true = torch.full((3, LONGEST), 3)
    true[:, 0] = END
    logits = made(inputs, mask, true, 1.0)
    read = made.encode_for_decoder(inputs, mask)
    token, written = true[:, 0], read.state
    for step in range(LONGEST):  # no token is forbidden here
        scores, written, _ = made.decoder.advance(token, written, read.memory)
        assert torch.allclose(scores, logits[:, step], atol=1e-12)
        token = scores.argmax(dim=1)


def test_never_sampling_is_teacher_forcing() -> None:
    made = network(attention="dot")
    inputs, mask = sources()
    previous = torch.tensor([[END, 3, 4], [END, 5, 6], [END, 3, 3]])
    forced = made(inputs, mask, previous, 0.0)
    assert torch.equal(forced, made(inputs, mask, previous))
    torch.manual_seed(0)
    assert not torch.allclose(forced, made(inputs, mask, previous, 0.9))


def test_the_token_before_each_target() -> None:
    targets = torch.tensor([[5, 6, END], [4, END, IGNORED]])
    assert before(targets).tolist() == [[END, 5, 6], [END, 4, END]]


def test_smoothing_is_its_equation_and_nothing_at_zero() -> None:
    logits = torch.randn(2, 3, TOKENS, dtype=torch.float64)
    targets = torch.tensor([[5, 6, 2], [4, 2, IGNORED]])
    plain = cross_entropy(logits, targets)
    assert torch.allclose(cross_entropy(logits, targets, 0.0), plain)
    every = -logits.log_softmax(dim=2).mean(dim=2)
    expected = (0.9 * plain + 0.1 * every).masked_fill(targets == IGNORED, 0.0)
    assert torch.allclose(cross_entropy(logits, targets, 0.1), expected)


@pytest.mark.parametrize("topology", ["encoder_decoder", "one_to_many"])
def test_dropout_is_there_in_training_alone(topology: str) -> None:
    made = network(topology=topology, dropout=0.5, depth=2)
    inputs, previous = torch.tensor([[3], [4]]), torch.tensor([[END, 3], [END, 4]])
    assert torch.equal(made(inputs, None, previous), made(inputs, None, previous))
    made.train()
    assert not torch.equal(made(inputs, None, previous), made(inputs, None, previous))


# --- decoding


def log_probability(made: Any, inputs: Tensor, tokens: tuple[int, ...], ended: bool) -> float:
    """By the network itself, given its tokens."""
    line = [*tokens, *([END] if ended else [])]
    previous = torch.tensor([[END, *line[:-1]]])
    shares = made(inputs, None, previous).detach().log_softmax(dim=2)
    return float(sum(shares[0, step, token] for step, token in enumerate(line)))


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["none", "additive", "dot"]),
    st.sampled_from(CELLS),
    st.integers(0, 10_000),
)
def test_a_beam_of_one_is_greedy(attention: str, cell: str, seed: int) -> None:
    made = network(seed, attention=attention, cell={"kind": cell})
    inputs, mask = sources(seed=seed)
    one = greedy(made, made.encode_for_decoder(inputs, mask), LONGEST)
    other = [
        found[0]
        for found in beam_search(made, made.encode_for_decoder(inputs, mask), LONGEST, 1, 1.0)
    ]
    for a, b in zip(one, other, strict=True):
        assert (a.tokens, a.ended) == (b.tokens, b.ended)
        assert a.log_probability == pytest.approx(b.log_probability, abs=1e-12)
        if a.attention is not None:
            assert torch.allclose(a.attention, b.attention)


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["none", "additive", "dot"]),
    st.integers(1, 4),
    st.integers(0, 10_000),
)
def test_scores_are_the_networks_own(attention: str, width: int, seed: int) -> None:
    made = network(seed, attention=attention)
    inputs, mask = sources(seed=seed)
    for item, found in enumerate(
        beam_search(made, made.encode_for_decoder(inputs, mask), LONGEST, width, 0.7)
    ):
        alone = inputs[item][mask[item]][None]
        assert 1 <= len(found) <= width
        assert len({(one.tokens, one.ended) for one in found}) == len(found)
        ranks = [(one.ended, one.log_probability / one.steps**0.7) for one in found]
        assert ranks == sorted(ranks, reverse=True)
        for one in found:
            own = log_probability(made, alone, one.tokens, one.ended)
            assert one.log_probability == pytest.approx(own, abs=1e-9)
            assert not {PADDING, UNKNOWN, END} & set(one.tokens)
            assert one.ended or one.steps == LONGEST
            if one.attention is not None:
                assert one.attention.shape == (one.steps, inputs.shape[1])
                sums = one.attention.sum(dim=1)
                assert torch.allclose(sums, torch.ones_like(sums))
                assert (one.attention[:, ~mask[item]] == 0).all()


def plain_beam(
    made: Any, inputs: Tensor, width: int, penalty: float
) -> tuple[tuple[int, ...], bool]:
    """The definition, without any rule when to stop: all that end up to the longest are judged."""
    alive: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    judged = []
    for _ in range(LONGEST):
        grown = []
        for _, line in alive:
            previous = torch.tensor([[END, *line]])
            shares = made(inputs, None, previous).detach().log_softmax(dim=2)
            before_it = sum(float(shares[0, step, token]) for step, token in enumerate(line))
            grown += [
                (before_it + float(shares[0, -1, token]), (*line, token))
                for token in range(TOKENS)
                if token not in (PADDING, UNKNOWN)
            ]
        kept = sorted(grown, reverse=True)[:width]
        judged += [
            (True, p / len(line) ** penalty, line[:-1]) for p, line in kept if line[-1] == END
        ]
        alive = [(p, line) for p, line in kept if line[-1] != END]
    judged += [(False, p / len(line) ** penalty, line) for p, line in alive]
    ended, _, best = max(judged)
    return best, ended


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["none", "additive"]),
    st.integers(1, 5),
    st.sampled_from([0.0, 0.6, 1.0, 2.0]),
    st.integers(0, 10_000),
)
def test_stopping_early_changes_no_answer(
    attention: str, width: int, penalty: float, seed: int
) -> None:
    made = network(seed, attention=attention)
    inputs, mask = sources(seed=seed)
    for item, found in enumerate(
        beam_search(made, made.encode_for_decoder(inputs, mask), LONGEST, width, penalty)
    ):
        alone = inputs[item][mask[item]][None]
        assert (found[0].tokens, found[0].ended) == plain_beam(made, alone, width, penalty)


class Knowing:
    """What stands for a network that knows what to write, and for a decoder: the next token of
    3, 4, … 9 and the end with the given share, the end with half of the rest at any other time."""

    def __init__(self, share: float) -> None:
        self.decoder, self.share = self, share

    def advance(self, token: Tensor, written: DecoderState, memory: None) -> Any:
        (state,) = written.states["layer0"]
        shares = torch.full((len(token), 10), (1 - self.share) / 14, dtype=torch.float64)
        shares[:, END] = (1 - self.share) / 2
        for row, step in enumerate(state[:, 0].tolist()):
            shares[row, 3 + int(step) if step < 7 else END] = self.share
        return shares.log(), DecoderState({"layer0": GRUState(state + 1)}, None), None


@pytest.mark.parametrize("penalty", [0.0, 1.0])
@pytest.mark.parametrize("width", [2, 5, 10])
@pytest.mark.parametrize("share", [0.9, 0.99])
def test_unlikely_ends_do_not_crowd_out_what_is_likely(
    share: float, width: int, penalty: float
) -> None:
    made: Any = Knowing(share)
    read = EncodedInputs(DecoderState({"layer0": GRUState(torch.zeros(1, 1))}, None), None)
    (found,) = beam_search(made, read, 20, width, penalty)
    assert found[0].tokens == tuple(range(3, 10))
    assert found[0].ended
    assert len(found) == width


def test_a_beam_wide_enough_finds_the_likeliest_of_all() -> None:
    made = network(5, attention="dot")
    inputs, _ = sources(1)
    usual = [token for token in range(TOKENS) if token not in (PADDING, UNKNOWN, END)]
    everything = {
        tokens: log_probability(made, inputs, tokens, True)
        for length in range(3)
        for tokens in itertools.product(usual, repeat=length)
    }
    (found,) = beam_search(made, made.encode_for_decoder(inputs, None), 3, 200, 0.0)
    ended = [one for one in found if one.ended]
    assert len(ended) == len(everything)
    best = max(everything, key=lambda tokens: everything[tokens])
    assert ended[0].tokens == best
    assert math.fsum(math.exp(p) for p in everything.values()) < 1


def test_a_greater_penalty_never_prefers_a_shorter_one() -> None:
    made = network(11)
    inputs, mask = sources()
    lengths = [
        [
            found[0].steps
            for found in beam_search(
                made, made.encode_for_decoder(inputs, mask), LONGEST, 4, penalty
            )
        ]
        for penalty in (0.0, 1.0, 3.0)
    ]
    assert all(a <= b <= c for a, b, c in zip(*lengths, strict=True))


def test_one_to_many_starts_from_a_single_step() -> None:
    made = network(topology="one_to_many")
    asked = torch.tensor([[3], [4]])
    found = greedy(made, made.encode_for_decoder(asked, None), LONGEST)
    assert [one.attention for one in found] == [None, None]
    other = network(1, topology="one_to_many")
    changed = greedy(other, other.encode_for_decoder(asked, None), LONGEST)
    assert [one.tokens for one in found] != [one.tokens for one in changed]
