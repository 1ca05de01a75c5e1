"""Nearest neighbours of embeddings: the tokens whose vectors have the largest cosine."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from rnnkit.data.prepare.ids import UNKNOWN
from rnnkit.diagnose.subject import Subject
from rnnkit.nn.model.representation import Embedding

NEIGHBOURS = "neighbours"
"""Name of the measurement."""
MAX_TOKENS, NEAREST = 24, 5
"""Tokens that are shown, the most frequent ones, and neighbours of each."""
MIN_COUNT = 5
"""Occurrences in training of a token whose vector has been learned."""


def measure(subject: Subject) -> Mapping[str, Any]:
    """The neighbours of the most frequent tokens.

    Returns: tokens: token, count (in training) and nearest, each with token and cosine; empty
        where the inputs are no tokens with learned vectors of their own.
    """
    inputs = subject.prepared.fitted.inputs
    table = next((m for m in subject.network.modules() if isinstance(m, Embedding)), None)
    tokens = subject.prepared.splits["train"].all_inputs
    if table is None or inputs.vocabulary is None or tokens.ndim > 1:
        return {}
    if len(table.vectors) != len(inputs.vocabulary):  # of a decoder
        return {}
    counts = torch.bincount(tokens, minlength=len(table.vectors))
    rows = nearest(table.vectors.detach(), counts)
    named = [
        {
            "token": inputs.pieces([token])[0],
            "count": int(counts[token]),
            "nearest": [
                {"token": inputs.pieces([other])[0], "cosine": round(cosine, 3)}
                for other, cosine in others
            ],
        }
        for token, others in rows.items()
    ]
    return {"tokens": named} if named else {}


def nearest(vectors: Tensor, counts: Tensor) -> dict[int, list[tuple[int, float]]]:
    """Token -> the tokens with the largest cosine, each with it.

    Args:
        vectors: [tokens, size]; padding and the unknown token are left out.
        counts: [tokens] occurrences; rare tokens are left out.
    """
    known = (counts >= MIN_COUNT).nonzero()[:, 0]
    known = known[known > UNKNOWN]
    if len(known) <= NEAREST:
        return {}
    unit = torch.nn.functional.normalize(vectors[known].double(), dim=1)
    shown = counts[known].argsort(descending=True, stable=True)[:MAX_TOKENS]
    cosines = unit[shown] @ unit.T
    cosines[torch.arange(len(shown)), shown] = -torch.inf
    best = cosines.topk(NEAREST, dim=1)
    return {
        int(known[token]): [
            (int(known[other]), float(cosine))
            for cosine, other in zip(best.values[row], best.indices[row], strict=True)
        ]
        for row, token in enumerate(shown.tolist())
    }


def table_rows(measured: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a table for readers."""
    return [
        {
            "token": repr(row["token"]),
            "count": row["count"],
            "nearest": ", ".join(f"{n['token']!r} {n['cosine']:.2f}" for n in row["nearest"]),
        }
        for row in measured.get("tokens", ())
    ]
