"""Generate text one token at a time, each drawn given all tokens before it.

A token costs one step, whatever the length of the text so far.
"""

import math

import torch
from torch import Tensor

from rnnkit.data.prepare.ids import END, PADDING, UNKNOWN
from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor
from rnnkit.runtime import numerics
from rnnkit.tasks.interface import Continuation


def generate(
    predictor: Predictor, prompt: str, tokens: int, temperature: float, top_k: int | None, seed: int
) -> str:
    """A text that begins with the prompt and ends at the item's end or the number of tokens.

    Args:
        predictor: of a language model, or of captioning.
        prompt: of a language model a text, also an empty one, whose unknown words become the
            unknown token; of captioning a category, or a vector in units as a JSON list.
        tokens: maximum number of tokens after the prompt.
        temperature: divides the logits; 0 takes the most probable token.
        top_k: draw from the k most probable tokens only; None: all.
        seed: the same seed gives the same text.

    Raises:
        InputError: a model of another task, an unknown category, a vector that the network cannot
            read, or a number out of range.
    """
    continuation = predictor.task.continuation(predictor.network, prompt)
    if tokens < 1:
        raise InputError(f"at least one token must be asked for, got {tokens}")
    if not (math.isfinite(temperature) and temperature >= 0):
        raise InputError(f"the temperature must be a number from 0 on, got {temperature}")
    if top_k is not None and top_k < 1:
        raise InputError(f"top-k must be at least 1, got {top_k}")
    return draw(continuation, tokens, temperature, top_k, numerics.generator(seed, "generate"))


@torch.no_grad()
def draw(
    continuation: Continuation,
    tokens: int,
    temperature: float,
    top_k: int | None,
    generator: torch.Generator,
) -> str:
    """As `generate`, of a text that was begun."""
    drawn = list[int]()
    while len(drawn) < tokens:
        token = choose(continuation.scores(), temperature, top_k, generator)
        if token == END:
            break
        drawn.append(token)
        continuation.append(token)
    return continuation.text(drawn)


def choose(
    logits: Tensor, temperature: float, top_k: int | None, generator: torch.Generator
) -> int:
    """Draw a token's id, never padding or the unknown token; logits: [vocabulary]."""
    logits = logits.double()
    logits[[PADDING, UNKNOWN]] = -math.inf
    if temperature == 0:
        return int(logits.argmax())
    if top_k is not None and top_k < len(logits):
        least = logits.topk(top_k).values[-1]
        logits = logits.masked_fill(logits < least, -math.inf)
    shares = (logits / temperature).softmax(dim=0)
    return int(torch.multinomial(shares, 1, generator=generator))
