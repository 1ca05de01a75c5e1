"""Attention: scores of the encoder's outputs, and the context vector weighted by them."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnnkit.nn.kernels.padding import Mask
from rnnkit.nn.model.initialization import make_head, xavier

Hidden = Float[Tensor, "batch time memory"]
Keys = Float[Tensor, "batch time query"]
Scores = Float[Tensor, "batch steps time"]
"""The score of every step of the memory for every query."""


class Memory(NamedTuple):
    """An encoder's outputs and their keys. mask None: all steps are real."""

    hidden: Hidden
    keys: Keys
    mask: Mask | None

    def rows(self, which: Int[Tensor, " rows"]) -> "Memory":
        """The memory of the given items; an index may repeat."""
        mask = None if self.mask is None else self.mask[which]
        return Memory(self.hidden[which], self.keys[which], mask)


class Additive(nn.Module):
    """score(q, m) = v · tanh(W_q q + W_m m + b)

    Reference: D. Bahdanau, K. Cho, Y. Bengio, Neural machine translation by jointly learning to
    align and translate, 2015, appendix A.1.2.
    """

    def __init__(self, query: int, memory: int, generator: torch.Generator) -> None:
        super().__init__()
        self.of_memory = make_head(memory, query, generator)
        self.W_q = nn.Parameter(xavier(query, query, generator).to(torch.get_default_dtype()))
        self.v = nn.Parameter(xavier(query, 1, generator)[:, 0].to(torch.get_default_dtype()))

    def keys(self, hidden: Hidden) -> Keys:
        """W_m m + b, shared by all queries."""
        return self.of_memory(hidden)  # type: ignore[no-any-return]  # modules give Any

    def forward(self, query: Float[Tensor, "batch steps query"], keys: Keys) -> Scores:
        projected = query @ self.W_q.T
        return (projected[:, :, None] + keys[:, None]).tanh() @ self.v


class Dot(nn.Module):
    """score(q, m) = q · W m, for any sizes of q and m (`general` in the paper).

    Reference: M.-T. Luong, H. Pham, C. D. Manning, Effective approaches to attention-based neural
    machine translation, 2015, section 3.1.
    """

    def __init__(self, query: int, memory: int, generator: torch.Generator) -> None:
        super().__init__()
        self.W = nn.Parameter(xavier(query, memory, generator).to(torch.get_default_dtype()))

    def keys(self, hidden: Hidden) -> Keys:
        """W m, shared by all queries."""
        return hidden @ self.W.T

    def forward(self, query: Float[Tensor, "batch steps query"], keys: Keys) -> Scores:
        return query @ keys.transpose(1, 2)


ATTENTIONS: dict[str, Callable[..., Additive | Dot]] = {"additive": Additive, "dot": Dot}
"""By name: (query units, memory units, generator) -> scoring module."""


def attend(
    scores: Scores, hidden: Hidden, mask: Mask | None
) -> tuple[Float[Tensor, "batch steps memory"], Scores]:
    """The context, Σ_t softmax(score)_t m_t over real steps, and the attention weights."""
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None], -torch.inf)
    weights = scores.softmax(dim=-1)
    return weights @ hidden, weights
