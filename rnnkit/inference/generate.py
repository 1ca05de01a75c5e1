"""Text from a network: one token at a time, each drawn given all before it.

The state is what remembers: a token is read in one step, whatever the length of the text so far.
"""

import json
import math
from typing import Any

import torch
from torch import Tensor

from rnnkit.data.prepare.prepared import END, PADDING, UNKNOWN
from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor
from rnnkit.nn.model.network import Synced
from rnnkit.nn.model.writing import OneToMany
from rnnkit.params.data import Words
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
    _refuse(predictor, prompt, tokens, temperature, top_k)
    if predictor.experiment.task.kind == "captioning":
        return _captioned(predictor, prompt, tokens, temperature, top_k, seed)
    network, tokenizer = predictor.network, predictor.tokenizer
    assert isinstance(network, Synced)
    assert tokenizer is not None
    read, _ = tokenizer.encode([prompt])
    given = torch.cat([torch.tensor([END]), torch.as_tensor(read)])
    draw = numerics.generator(seed, "generate")
    states, drawn = None, list[int]()
    while len(drawn) < tokens:
        outputs, states = network.run(given[None], None, states, True, "auto")
        token = choose(outputs[0, -1], temperature, top_k, draw)
        if token == END:
            break
        drawn.append(token)
        given = torch.tensor([token])
    words = isinstance(predictor.experiment.data.tokenizer, Words)
    between = " " if words and prompt and drawn else ""
    return f"{prompt}{between}{tokenizer.model.decode(drawn)}"


def _captioned(
    predictor: Predictor,
    prompt: str,
    tokens: int,
    temperature: float,
    top_k: int | None,
    seed: int,
) -> str:
    network, target = predictor.network, predictor.prepared.target
    assert isinstance(network, OneToMany)
    assert target is not None
    of = prompt if predictor.tokenizer is not None else _vector(prompt)
    inputs, _ = predictor.encode([of], ["the prompt"])
    read = network.read(inputs[None], None)
    written, token = read.written, torch.tensor([END])
    draw = numerics.generator(seed, "generate")
    drawn = list[int]()
    while len(drawn) < tokens:
        scores, written, _ = network.decoder.advance(token, written, read.memory)
        token = torch.tensor([choose(scores[0], temperature, top_k, draw)])
        if int(token) == END:
            break
        drawn.append(int(token))
    return target.decode(drawn)


def _vector(prompt: str) -> Any:
    try:
        return json.loads(prompt)
    except (ValueError, RecursionError):
        raise InputError(
            f"the prompt: must be a vector, a JSON list of its numbers, got {prompt[:40]!r}"
        ) from None


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


def _refuse(
    predictor: Predictor, prompt: str, tokens: int, temperature: float, top_k: int | None
) -> None:
    kind = predictor.experiment.task.kind
    if kind not in ("language_modeling", "captioning"):
        raise InputError(
            f"only a language model or a captioner generates text, and this run's task is {kind}; "
            "rnnkit predict has its answers"
        )
    if kind == "captioning" and not prompt:
        known = (predictor.prepared.vocabulary or ())[UNKNOWN + 1 :]
        if not known:
            raise InputError(
                f"which vector is it to be of? Give its {predictor.prepared.features} numbers with "
                "--prompt, as a JSON list"
            )
        raise InputError(
            f"which category is it to be of? Give it with --prompt; there are "
            f"{', '.join(known[:20])}"
        )
    if tokens < 1:
        raise InputError(f"at least one token must be asked for, got {tokens}")
    if not (math.isfinite(temperature) and temperature >= 0):
        raise InputError(f"the temperature must be a number from 0 on, got {temperature}")
    if top_k is not None and top_k < 1:
        raise InputError(f"top-k must be at least 1, got {top_k}")
