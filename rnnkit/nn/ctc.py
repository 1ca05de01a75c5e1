"""Connectionist temporal classification: a token sequence from one distribution per frame.

A path assigns a token or the blank to each frame; its text is the path with repeats merged and
blanks removed. P(text) is the sum over all its paths. The blank is token 0 (padding), which never
occurs in a text.

Reference: A. Graves et al., Connectionist temporal classification: labelling unsegmented sequence
data with recurrent neural networks, 2006.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from rnnkit.data.batches import IGNORED
from rnnkit.data.prepare.ids import PADDING, UNKNOWN

BLANK = PADDING
Beam = dict[tuple[int, ...], tuple[float, float]]
"""Prefix -> log-probability of its paths that end with a blank, and of its other paths."""
MAX_BEAM_TOKENS = 64
"""Number of best tokens that extend a prefix at each frame."""


def ctc_loss(
    logits: Float[Tensor, "batch time tokens"],
    mask: Bool[Tensor, "batch time"] | None,
    targets: Int[Tensor, "batch steps"],
) -> Float[Tensor, " batch"]:
    """-log P(text) of each item, in nats; infinity where the text needs more frames than there are.

    Args:
        mask: true at real frames; None: all are real.
        targets: tokens, then IGNORED.
    """
    lengths = torch.full((len(logits),), logits.shape[1])
    if mask is not None:
        lengths = mask.sum(dim=1)
        first = mask.to(torch.uint8).argmax(dim=1)
        time = (first[:, None] + torch.arange(logits.shape[1])).clamp(max=logits.shape[1] - 1)
        logits = logits.gather(1, time[:, :, None].expand_as(logits))
    real = targets != IGNORED
    return functional.ctc_loss(
        logits.log_softmax(dim=2).transpose(0, 1),
        targets.masked_fill(~real, BLANK),
        lengths,
        real.sum(dim=1),
        blank=BLANK,
        reduction="none",
    )


def best_tokens(
    scores: Float[Tensor, "time tokens"],
) -> tuple[Float[Tensor, " time"], Int[Tensor, " time"]]:
    """The score and id of each real frame's best token, the unknown token excluded."""
    scores = scores.clone()
    scores[:, UNKNOWN] = -math.inf
    values, path = scores.max(dim=1)
    return values, path


def best_path(scores: Float[Tensor, "time tokens"]) -> tuple[list[int], float]:
    """The text of the best path without unknown tokens, and the path's log-probability, from
    log-probabilities of real frames."""
    values, path = best_tokens(scores)
    tokens = torch.unique_consecutive(path)
    return tokens[tokens != BLANK].tolist(), float(values.double().sum())


def prefix_beam(scores: Float[Tensor, "time tokens"], width: int) -> list[tuple[list[int], float]]:
    """Prefix beam search: the best texts, best first, with their log-probabilities (sums over
    the paths in the beam).

    Args:
        scores: log-probabilities of real frames.
        width: number of prefixes kept per frame.

    Reference: A. Y. Hannun et al., First-pass large vocabulary continuous speech recognition using
    bi-directional recurrent DNNs, 2014.
    """
    beam: Beam = {(): (0.0, -math.inf)}
    for frame in scores.double():
        best = frame.topk(min(MAX_BEAM_TOKENS, len(frame)))
        known = dict(zip(best.indices.tolist(), best.values.tolist(), strict=True))
        for token in (UNKNOWN, BLANK):
            known.pop(token, None)
        blank = float(frame[BLANK])
        extended: Beam = {}
        for prefix, (with_blank, without) in beam.items():
            total = _sum(with_blank, without)
            _add(extended, prefix, total + blank, -math.inf)
            for token, score in known.items():
                longer = (*prefix, token)
                if prefix and token == prefix[-1]:
                    _add(extended, prefix, -math.inf, without + score)
                    _add(extended, longer, -math.inf, with_blank + score)
                else:
                    _add(extended, longer, -math.inf, total + score)
        possible = [(prefix, pair) for prefix, pair in extended.items() if max(pair) > -math.inf]
        beam = dict(sorted(possible, key=lambda entry: -_sum(*entry[1]))[:width])
    return [(list(prefix), _sum(*pair)) for prefix, pair in beam.items()]


def _add(beam: Beam, prefix: tuple[int, ...], with_blank: float, without: float) -> None:
    before = beam.get(prefix, (-math.inf, -math.inf))
    beam[prefix] = _sum(before[0], with_blank), _sum(before[1], without)


def _sum(a: float, b: float) -> float:
    """log(exp(a) + exp(b))"""
    most = max(a, b)
    if most == -math.inf:
        return most
    return most + math.log1p(math.exp(min(a, b) - most))
