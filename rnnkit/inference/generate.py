"""Text from a network: one token at a time, each drawn given all before it.

The state is what remembers: a token is read in one step, whatever the length of the text so far.
"""

import math

import torch
from torch import Tensor

from rnnkit.data.prepare.ids import END, PADDING, UNKNOWN
from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor
from rnnkit.runtime import numerics


@torch.no_grad()
def generate(
    predictor: Predictor,
    prompt: str,
    tokens: int,
    temperature: float,
    top_k: int | None,
    seed: int,
) -> str:
    """A text that begins with the prompt, up to the item's end or the number of tokens; of
    captioning one of the category or the vector that the prompt is.

    Args:
        predictor: of a language model, or of captioning.
        prompt: of a language model it may be empty, and words that training did not have are read
            as the unknown token; a category; a vector in units as a JSON list.
        tokens: how many follow the prompt, at the most.
        temperature: divides the logits; below 1 the text is more usual, 0 takes the likeliest.
        top_k: only the k likeliest tokens are drawn from; None: all.
        seed: the same seed gives the same text.

    Raises:
        InputError: no language model and no captioning, a category that is not there, no vector
            that the network reads, or a number that has no meaning.
    """
    continuation = predictor.task.continuation(predictor.network, prompt)
    _refuse(tokens, temperature, top_k)
    draw = numerics.generator(seed, "generate")
    drawn = list[int]()
    while len(drawn) < tokens:
        token = choose(continuation.scores(), temperature, top_k, draw)
        if token == END:
            break
        drawn.append(token)
        continuation.append(token)
    return continuation.text(drawn)


def choose(
    logits: Tensor, temperature: float, top_k: int | None, generator: torch.Generator
) -> int:
    """A token's id, never padding or the unknown token, which are no text.

    Args:
        logits: [vocabulary].
        temperature, top_k: as in `generate`.
        generator: draws.
    """
    logits = logits.double()
    logits[[PADDING, UNKNOWN]] = -math.inf
    if temperature == 0:
        return int(logits.argmax())
    if top_k is not None and top_k < len(logits):
        least = logits.topk(top_k).values[-1]
        logits = logits.masked_fill(logits < least, -math.inf)
    shares = (logits / temperature).softmax(dim=0)
    return int(torch.multinomial(shares, 1, generator=generator))


def _refuse(tokens: int, temperature: float, top_k: int | None) -> None:
    if tokens < 1:
        raise InputError(f"at least one token must be asked for, got {tokens}")
    if not (math.isfinite(temperature) and temperature >= 0):
        raise InputError(f"the temperature must be a number from 0 on, got {temperature}")
    if top_k is not None and top_k < 1:
        raise InputError(f"top-k must be at least 1, got {top_k}")
