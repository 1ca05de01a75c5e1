"""Connectionist temporal classification: a sequence of tokens from one answer at every frame.

A path gives each frame a token or the blank; a path's text is had by taking together what follows
itself and leaving out blanks. P(text) is the sum over all of its paths. The blank is token 0, which
is padding and never part of a text.

Reference: A. Graves et al., Connectionist temporal classification: labelling unsegmented sequence
data with recurrent neural networks, 2006.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from rnnkit.data.batches import IGNORED
from rnnkit.data.prepare.prepared import PADDING, UNKNOWN

BLANK = PADDING
MOST = 64
"""Tokens that a prefix is continued with at a frame, the likeliest ones."""


def nats(logits: Tensor, mask: Tensor | None, targets: Tensor) -> Tensor:
    """-log P(text) of each item.

    Args:
        logits: [batch, time, tokens].
        mask: [batch, time], true at real frames; None: all are.
        targets: [batch, steps] tokens, IGNORED behind them.

    Returns: [batch], infinite where there are too few frames for the text.
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


def likeliest(scores: Tensor) -> tuple[Tensor, Tensor]:
    """[time] the score of each frame's likeliest token, and that token; the unknown one is no text
    and left out.

    Args:
        scores: [time, tokens] of real frames.
    """
    known = scores.clone()
    known[:, UNKNOWN] = -math.inf
    values, path = known.max(dim=1)
    return values, path


def best_path(scores: Tensor) -> tuple[list[int], float]:
    """The text of the likeliest path without unknown tokens, and that path's log-probability.

    Args:
        scores: [time, tokens] log-probabilities of real frames.
    """
    values, path = likeliest(scores)
    told = torch.unique_consecutive(path)
    return told[told != BLANK].tolist(), float(values.double().sum())


def prefix_beam(scores: Tensor, width: int) -> list[tuple[list[int], float]]:
    """The likeliest texts, the likeliest first, with their log-probabilities: the sums over the
    paths that were kept.

    Args:
        scores: [time, tokens] log-probabilities of real frames.
        width: prefixes that are kept from frame to frame.

    Reference: A. Y. Hannun et al., First-pass large vocabulary continuous speech recognition using
    bi-directional recurrent DNNs, 2014.
    """
    # Each prefix has the log-probability of its paths that end with a blank, and of the others.
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}
    for frame in scores.double():
        best = frame.topk(min(MOST, len(frame)))
        known = dict(zip(best.indices.tolist(), best.values.tolist(), strict=True))
        known.pop(UNKNOWN, None)
        blank = float(frame[BLANK])
        grown: dict[tuple[int, ...], tuple[float, float]] = {}
        for prefix, (with_blank, without) in beam.items():
            whole = _sum(with_blank, without)
            _add(grown, prefix, whole + blank, -math.inf)
            for token, score in known.items():
                if token == BLANK:
                    continue
                longer = (*prefix, token)
                if prefix and token == prefix[-1]:
                    _add(grown, prefix, -math.inf, without + score)
                    _add(grown, longer, -math.inf, with_blank + score)
                else:
                    _add(grown, longer, -math.inf, whole + score)
        possible = [(prefix, found) for prefix, found in grown.items() if max(found) > -math.inf]
        ordered = sorted(possible, key=lambda found: -_sum(*found[1]))
        beam = dict(ordered[:width])
    return [(list(prefix), _sum(*found)) for prefix, found in beam.items()]


def _add(
    beam: dict[tuple[int, ...], tuple[float, float]],
    prefix: tuple[int, ...],
    with_blank: float,
    without: float,
) -> None:
    one, other = beam.get(prefix, (-math.inf, -math.inf))
    beam[prefix] = _sum(one, with_blank), _sum(other, without)


def _sum(one: float, other: float) -> float:
    """log(exp(one) + exp(other))"""
    most = max(one, other)
    if most == -math.inf:
        return most
    return most + math.log1p(math.exp(min(one, other) - most))
