"""Where a network may start beside chance: at word vectors, or at another run's weights."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.sources.opening import existing
from rnnkit.data.sources.public_files import located
from rnnkit.data.word_vectors import WordVectors, read_vectors
from rnnkit.errors import InputError
from rnnkit.nn.model.representation import Embedding, SpelledEmbedding
from rnnkit.params import Experiment
from rnnkit.params import model as blocks
from rnnkit.runs.identity import weights_of


def start(network: nn.Module, experiment: Experiment, prepared: Prepared) -> dict[str, str]:
    """Puts into a new network what the params name, and says what it was.

    Args:
        network: with its weights drawn; changed in place.

    Returns: facts for a person, none where nothing is named.

    Raises:
        InputError: a file or run that does not fit the network.
    """
    facts = {}
    block = experiment.model.representation
    if isinstance(block, blocks.Embedding) and block.vectors is not None:
        facts["vectors"] = _vectors(network, block, prepared)
    if experiment.train.start_from is not None:
        facts["start_from"] = _weights(network, experiment.train.start_from, prepared)
    return facts


# --- word vectors


def _vectors(network: nn.Module, block: blocks.Embedding, prepared: Prepared) -> str:
    """Known words get their vectors; the others stay as drawn, brought to the same deviation."""
    assert block.vectors is not None
    vocabulary = prepared.fitted.inputs.vocabulary
    assert vocabulary is not None
    changed = existing(located(block.vectors)).stat().st_mtime_ns
    read = _read(block.vectors, changed, vocabulary)
    if read.width != block.size:
        raise InputError(
            f"{block.vectors}: its vectors have {read.width} numbers and "
            f"model.representation.size is {block.size}; set it to {read.width}"
        )
    table = _embedding(network).vectors
    known = [i for i, word in enumerate(vocabulary) if word in read.vectors]
    if not known:
        raise InputError(
            f"{block.vectors}: has none of the {len(vocabulary) - 1:,} tokens of these "
            "data; name another file, or check data.tokenizer.lowercase"
        )
    rows = torch.stack([torch.from_numpy(read.vectors[vocabulary[i]]) for i in known])
    with torch.no_grad():
        table.mul_(rows.std())
        table[torch.tensor(known)] = rows.to(table.dtype)
    table.requires_grad_(not block.freeze)
    share = len(known) / (len(vocabulary) - 1)
    told = f"{len(known):,} of {len(vocabulary) - 1:,} tokens ({share:.1%})"
    if "train" in prepared.parts:
        ids = prepared.parts["train"].inputs
        ids = ids if ids.ndim == 1 else ids[:, 0]
        told += f", {float(torch.isin(ids, torch.tensor(known)).float().mean()):.1%} of the text"
    return "; ".join([told, *read.notes])


@lru_cache(maxsize=1)
def _read(path: str, changed: int, vocabulary: tuple[str, ...]) -> WordVectors:
    return read_vectors(path, vocabulary)


def _embedding(network: nn.Module) -> Embedding:
    found = network.representation
    found = found.words if isinstance(found, SpelledEmbedding) else found
    assert isinstance(found, Embedding)
    return found


# --- another run's weights


def _weights(network: nn.Module, path: str, prepared: Prepared) -> str:
    """Rows of tokens, letters and labels go by their names; what is new there stays as drawn."""
    from safetensors.torch import load_file

    place = weights_of(path)
    theirs, rest = load_file(place), Stored(place.parent).record
    vocabulary, letters, target = prepared.fitted.tokens
    rows: dict[str, tuple[Any, Any]] = {
        "representation.vectors": (rest.get("vocabulary"), vocabulary),
        "representation.words.vectors": (rest.get("vocabulary"), vocabulary),
        "representation.letters.vectors": (rest.get("letters"), letters),
    }
    written = (rest.get("target_vocabulary"), target)
    for name in ("embedding.vectors", "head.weight", "head.bias"):
        rows[f"decoder.{name}"] = written
    labels = (rest.get("labels"), prepared.fitted.labels)
    named = (labels, written, (rest.get("vocabulary"), vocabulary))
    names = next((both for both in named if both[0] and both[1]), None)
    if names is not None:
        rows |= {"head.weight": names, "head.bias": names}
    kept = 0
    with torch.no_grad():
        for name, own in network.state_dict().items():
            there = theirs.get(name)
            shape = None if there is None else tuple(there.shape)
            if name in rows and there is not None and shape is not None:
                if shape[1:] != own.shape[1:]:
                    raise _unlike(path, name, shape, own)
                kept += _by_name(own, there, *rows[name])
            elif there is None or shape != tuple(own.shape):
                raise _unlike(path, name, shape, own)
            else:
                own.copy_(there)
    return f"{path}, {kept:,} rows of tokens and labels by their names"


def _by_name(own: Tensor, there: Tensor, their_names: Any, our_names: Any) -> int:
    """Copies the rows that both have; how many."""
    place = {name: i for i, name in enumerate(their_names)}
    shared = [(i, place[name]) for i, name in enumerate(our_names) if name in place]
    if not shared:
        return 0
    ours, others = (torch.tensor(which) for which in zip(*shared, strict=True))
    own[ours] = there[others].to(own.dtype)
    return len(shared)


def _unlike(path: str, name: str, there: tuple[int, ...] | None, own: Tensor) -> InputError:
    has = "is not there" if there is None else f"has the shape {there} there"
    return InputError(
        f"train.start_from: {name} {has} and {tuple(own.shape)} here; the model of {path} must be "
        "like this one but for its tokens and labels"
    )
