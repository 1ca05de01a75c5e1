"""What a network writes: token by token, greedily or with a beam.

Padding and the unknown token are no text and are never written; the scores are still those of the
network's whole distribution.
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from rnnkit.data.prepare.ids import END, PADDING, UNKNOWN
from rnnkit.nn.model.writing import Read


@runtime_checkable
class HasDecoder(Protocol):
    """A network whose decoder has `advance`, as rnnkit.nn.model.decoder.Decoder."""

    decoder: Any


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One sequence that was written.

    Args:
        tokens: without the end.
        log_probability: of the tokens, and of the end if it has one, in nats.
        ended: whether it has an end, or stopped at the longest that was allowed.
        attention: where the decoder looked before each token and the end; None
            without attention.
    """

    tokens: tuple[int, ...]
    log_probability: float
    ended: bool
    attention: Float[Tensor, "steps time"] | None

    @property
    def steps(self) -> int:
        """How many tokens were written, the end among them."""
        return len(self.tokens) + self.ended

    def score(self, length_penalty: float) -> float:
        """What hypotheses are ordered by: log P / steps^penalty."""
        return self.log_probability / float(max(1, self.steps) ** length_penalty)


@torch.no_grad()
def greedy(network: HasDecoder, read: Read, longest: int) -> list[Hypothesis]:
    """The likeliest token at every step.

    Args:
        network: in evaluation mode.
        read: what its decoder is given of some items.
        longest: tokens at the most, the end among them.
    """
    written = read.written
    token = torch.full((read.items,), END)
    nats = torch.zeros(read.items, dtype=torch.float64)
    tokens, looks = list[Tensor](), list[Tensor]()
    alive = torch.ones(read.items, dtype=torch.bool)
    while len(tokens) < longest and bool(alive.any()):
        scores, written, weights = network.decoder.advance(token, written, read.memory)
        shares = scores.double().log_softmax(dim=1)
        token = without_reserved(shares).argmax(dim=1)
        nats += torch.where(alive, shares.gather(1, token[:, None])[:, 0], 0.0)
        token = torch.where(alive, token, PADDING)
        alive = alive & (token != END)
        tokens.append(token)
        if weights is not None:
            looks.append(weights)
    table = torch.stack(tokens, dim=1).tolist()
    seen = torch.stack(looks, dim=1) if looks else None
    found = []
    for row, line in enumerate(table):
        ended = END in line
        own = line[: line.index(END)] if ended else line
        look = None if seen is None else seen[row, : len(own) + ended]
        found.append(Hypothesis(tuple(own), float(nats[row]), ended, look))
    return found


@torch.no_grad()
def beam_search(
    network: HasDecoder, read: Read, longest: int, width: int, length_penalty: float
) -> list[list[Hypothesis]]:
    """The best hypotheses of each item, the best first, at most `width`.

    At each step every hypothesis is continued with every token, and of all these the `width`
    likeliest are kept; those that end there are set aside. An item is done when none goes on, or
    when `width` have ended and none that goes on could still come before the best of them: log P
    only falls, and no hypothesis is longer than the longest. Those without an end come last.

    Args:
        network, read, longest: as of `greedy`.
        width: how many are kept side by side; 1: greedy decoding.
        length_penalty: they are ordered by log P / steps^this.
    """
    items = read.items
    read = read.rows(torch.arange(items).repeat_interleave(width))
    written, token = read.written, torch.full((items * width,), END)
    alive = torch.full((items, width), -math.inf, dtype=torch.float64)
    alive[:, 0] = 0.0  # all begin alike: the first step has one hypothesis for each item
    tokens = torch.empty(items, width, 0, dtype=torch.int64)
    looks: Tensor | None = None
    found: list[list[Hypothesis]] = [[] for _ in range(items)]
    going = torch.ones(items, dtype=torch.bool)
    while tokens.shape[2] < longest and bool(going.any()):
        scores, written, weights = network.decoder.advance(token, written, read.memory)
        shares = without_reserved(scores.double().log_softmax(dim=1))
        size = shares.shape[1]
        total = (alive[:, :, None] + shares.view(items, width, size)).flatten(1)
        best, place = total.topk(width, dim=1)
        parent, token = place // size, place % size
        looks = _grown(looks, weights, items, width)
        rows = (parent + torch.arange(items)[:, None] * width).flatten()
        written = written.rows(rows)
        tokens = tokens.flatten(0, 1)[rows].view(tokens.shape)
        looks = None if looks is None else looks.flatten(0, 1)[rows].view(looks.shape)
        is_end = (token == END) & best.isfinite()
        for item, k in is_end.nonzero().tolist():
            found[item].append(_hypothesis(tokens, looks, best, item, k, ended=True))
        tokens = torch.cat([tokens, token[:, :, None]], dim=2)
        alive = best.masked_fill(is_end, -math.inf)
        for item in going.nonzero()[:, 0].tolist():
            found[item] = _best(found[item], width, length_penalty)
            hope = float(alive[item].max()) / longest**length_penalty
            settled = len(found[item]) == width and found[item][0].score(length_penalty) >= hope
            if settled or hope == -math.inf:
                going[item], alive[item] = False, -math.inf
        token = token.flatten()
    for item, k in alive.isfinite().nonzero().tolist():
        found[item].append(_hypothesis(tokens, looks, alive, item, k, ended=False))
    return [_best(each, width, length_penalty) for each in found]


def _hypothesis(
    tokens: Tensor, looks: Tensor | None, nats: Tensor, item: int, k: int, ended: bool
) -> Hypothesis:
    """The one in place k of an item, from [items, width, …] of all."""
    look = None if looks is None else looks[item, k]
    return Hypothesis(tuple(tokens[item, k].tolist()), float(nats[item, k]), ended, look)


def _best(found: list[Hypothesis], width: int, length_penalty: float) -> list[Hypothesis]:
    """Those that ended first, and of them the best."""
    return sorted(found, key=lambda one: (not one.ended, -one.score(length_penalty)))[:width]


def _grown(
    looks: Float[Tensor, "items width steps time"] | None,
    weights: Float[Tensor, "rows time"] | None,
    items: int,
    width: int,
) -> Float[Tensor, "items width longer time"] | None:
    """The attention of all steps, the newest appended."""
    if weights is None:
        return None
    newest = weights.view(items, width, 1, -1)
    return newest if looks is None else torch.cat([looks, newest], dim=2)


def without_reserved(scores: Float[Tensor, "rows tokens"]) -> Float[Tensor, "rows tokens"]:
    """The scores, with -infinity at the padding and the unknown token."""
    scores = scores.clone()
    scores[:, [PADDING, UNKNOWN]] = -math.inf
    return scores
