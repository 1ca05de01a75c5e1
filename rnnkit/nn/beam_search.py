"""Greedy decoding and beam search.

Padding and the unknown token are never generated. Scores are not renormalized: they are
log-probabilities over the full vocabulary.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rnnkit.data.prepare.ids import END, PADDING, UNKNOWN
from rnnkit.nn.model.decoder import EncodedInputs


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A decoded sequence.

    Args:
        tokens: without the end token.
        log_probability: of the tokens, and of the end token if generated, in nats.
        ended: whether the end token was generated before the maximum length.
        attention: attention weights at each token and the end; None without attention.
    """

    tokens: tuple[int, ...]
    log_probability: float
    ended: bool
    attention: Float[Tensor, "steps time"] | None

    @property
    def steps(self) -> int:
        """Number of tokens generated, the end token included."""
        return len(self.tokens) + self.ended

    def score(self, length_penalty: float) -> float:
        """Sort key of hypotheses: log P / steps^penalty."""
        return self.log_probability / float(max(1, self.steps) ** length_penalty)


@torch.no_grad()
def greedy(network: Any, read: EncodedInputs, longest: int) -> list[Hypothesis]:
    """Decode with the most probable token at every step.

    Args:
        network: in evaluation mode; its `decoder` has `advance`, as rnnkit.nn.model.decoder has.
        read: the decoder's first states and the memory of a batch.
        longest: maximum number of tokens, the end token included.
    """
    state = read.state
    token = torch.full((read.items,), END)
    nats = torch.zeros(read.items, dtype=torch.float64)
    tokens, attention = list[Tensor](), list[Tensor]()
    alive = torch.ones(read.items, dtype=torch.bool)
    while len(tokens) < longest and bool(alive.any()):
        scores, state, weights = network.decoder.advance(token, state, read.memory)
        log_probs = scores.double().log_softmax(dim=1)
        token = without_reserved(log_probs).argmax(dim=1)
        nats += torch.where(alive, log_probs.gather(1, token[:, None])[:, 0], 0.0)
        token = torch.where(alive, token, PADDING)
        alive = alive & (token != END)
        tokens.append(token)
        if weights is not None:
            attention.append(weights)
    table = torch.stack(tokens, dim=1).tolist()
    attended = torch.stack(attention, dim=1) if attention else None
    hypotheses = []
    for row, line in enumerate(table):
        ended = END in line
        text = line[: line.index(END)] if ended else line
        look = None if attended is None else attended[row, : len(text) + ended]
        hypotheses.append(Hypothesis(tuple(text), float(nats[row]), ended, look))
    return hypotheses


@torch.no_grad()
def beam_search(
    network: Any, read: EncodedInputs, longest: int, width: int, length_penalty: float
) -> list[list[Hypothesis]]:
    """The best hypotheses of each item, best first, at most `width`.

    Each step extends every hypothesis with every token and keeps the `width` most probable;
    those that end are set aside. An item is done when no hypothesis is active, or when `width`
    have ended and no active one can beat the best of them (log P only falls, and the length is
    limited by `longest`). Hypotheses without an end token come last.

    Args:
        network, read, longest: as in `greedy`.
        width: beam width; 1 is greedy decoding.
        length_penalty: exponent p of the sort key log P / steps^p.
    """
    items = read.items
    read = read.rows(torch.arange(items).repeat_interleave(width))
    state, token = read.state, torch.full((items * width,), END)
    alive = torch.full((items, width), -math.inf, dtype=torch.float64)
    alive[:, 0] = 0.0  # all rows start equal: the first step has one hypothesis per item
    tokens = torch.empty(items, width, 0, dtype=torch.int64)
    looks: Tensor | None = None  # attention weights [items, width, steps, time]
    ended: list[list[Hypothesis]] = [[] for _ in range(items)]
    active = torch.ones(items, dtype=torch.bool)
    while tokens.shape[2] < longest and bool(active.any()):
        scores, state, weights = network.decoder.advance(token, state, read.memory)
        log_probs = without_reserved(scores.double().log_softmax(dim=1))
        size = log_probs.shape[1]
        total = (alive[:, :, None] + log_probs.view(items, width, size)).flatten(1)
        best, place = total.topk(width, dim=1)
        parent, token = place // size, place % size
        rows = (parent + torch.arange(items)[:, None] * width).flatten()
        state = state.rows(rows)
        tokens = tokens.flatten(0, 1)[rows].view(tokens.shape)
        if weights is not None:
            newest = weights.view(items, width, 1, -1)
            looks = newest if looks is None else torch.cat([looks, newest], dim=2)
            looks = looks.flatten(0, 1)[rows].view(looks.shape)
        is_end = (token == END) & best.isfinite()
        for item, k in is_end.nonzero().tolist():
            ended[item].append(_hypothesis(tokens, looks, best, item, k, ended=True))
        tokens = torch.cat([tokens, token[:, :, None]], dim=2)
        alive = best.masked_fill(is_end, -math.inf)
        for item in active.nonzero()[:, 0].tolist():
            ended[item] = _best(ended[item], width, length_penalty)
            bound = float(alive[item].max()) / longest**length_penalty
            done = len(ended[item]) == width and ended[item][0].score(length_penalty) >= bound
            if done or bound == -math.inf:
                active[item], alive[item] = False, -math.inf
        token = token.flatten()
    for item, k in alive.isfinite().nonzero().tolist():
        ended[item].append(_hypothesis(tokens, looks, alive, item, k, ended=False))
    return [_best(hypotheses, width, length_penalty) for hypotheses in ended]


def _hypothesis(
    tokens: Tensor, looks: Tensor | None, nats: Tensor, item: int, k: int, ended: bool
) -> Hypothesis:
    """Hypothesis k of an item, from tensors [items, width, …]."""
    look = None if looks is None else looks[item, k]
    return Hypothesis(tuple(tokens[item, k].tolist()), float(nats[item, k]), ended, look)


def _best(hypotheses: list[Hypothesis], width: int, length_penalty: float) -> list[Hypothesis]:
    """The `width` best: ended hypotheses first, then by score."""
    return sorted(hypotheses, key=lambda h: (not h.ended, -h.score(length_penalty)))[:width]


def without_reserved(scores: Float[Tensor, "rows tokens"]) -> Float[Tensor, "rows tokens"]:
    """The scores, with -infinity at padding and the unknown token."""
    scores = scores.clone()
    scores[:, [PADDING, UNKNOWN]] = -math.inf
    return scores
