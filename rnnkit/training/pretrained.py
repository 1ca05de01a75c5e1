"""Pretrained initialization: word vectors, or another run's weights."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from rnnkit.data.prepare.flat_steps import BLOCK
from rnnkit.data.prepare.ids import PADDING
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.sources.opening import archived, existing
from rnnkit.data.sources.public_files import located
from rnnkit.data.word_vectors import WordVectors, read_vectors
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params import model as blocks
from rnnkit.runs.identity import weights_of


def start(network: nn.Module, experiment: Experiment, prepared: Prepared) -> dict[str, str]:
    """Load the pretrained weights that the params name into a new network.

    Args:
        network: with initialized weights; changed in place.

    Returns: a description by params key; empty without pretrained weights.

    Raises:
        InputError: the file or run does not fit the network.
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
    """Load vectors of known words; scale the other rows to the same standard deviation."""
    assert block.vectors is not None
    vocabulary = prepared.fitted.inputs.vocabulary
    assert vocabulary is not None
    changed = existing(archived(located(block.vectors))[0]).stat().st_mtime_ns
    read = _read(block.vectors, changed, vocabulary)
    if read.width != block.size:
        raise InputError(
            f"{block.vectors}: its vectors have {read.width} numbers and "
            f"model.representation.size is {block.size}; set it to {read.width}"
        )
    embedding: Any = network.representation
    words = embedding if block.characters is None else embedding.words
    table = words.vectors
    known = [i for i, word in enumerate(vocabulary) if word in read.vectors and i != PADDING]
    if not known:
        raise InputError(
            f"{block.vectors}: has none of the {len(vocabulary) - 1:,} tokens of these "
            "data; name another file, or check data.tokenizer.lowercase"
        )
    rows = torch.stack([torch.from_numpy(read.vectors[vocabulary[i]]) for i in known])
    with torch.no_grad():
        table.mul_(rows.std() / words.scale)
        table[torch.tensor(known)] = rows.to(table.dtype)
    table.requires_grad_(not block.freeze)
    fraction = len(known) / (len(vocabulary) - 1)
    covered = f"{len(known):,} of {len(vocabulary) - 1:,} tokens ({fraction:.1%})"
    if "train" in prepared.splits:
        ids = prepared.splits["train"].inputs
        ids = ids if ids.ndim == 1 else ids[:, 0]
        members = torch.tensor(known)
        covering = sum(int(torch.isin(block.long(), members).sum()) for block in ids.split(BLOCK))
        covered += f", {covering / len(ids):.1%} of the text"
    return "; ".join([covered, *read.notes])


@lru_cache(maxsize=1)
def _read(path: str, changed: int, vocabulary: tuple[str, ...]) -> WordVectors:
    return read_vectors(path, vocabulary)


# --- another run's weights


def _weights(network: nn.Module, path: str, prepared: Prepared) -> str:
    """Copy a run's weights; match rows of tokens, characters and labels by name, keep new rows."""
    from safetensors.torch import load_file

    place = weights_of(path)
    try:
        source, record = load_file(place), Stored(place.parent).record
    except Exception as error:  # a model of an earlier version has no manifest to verify
        raise InputError(f"train.start_from: {place.parent}: is no whole model: {error}") from error
    vocabulary, characters, target = prepared.fitted.tokens
    words = record.get("vocabulary"), vocabulary
    targets = record.get("target_vocabulary"), target
    rows: dict[str, tuple[Any, Any]] = {
        "representation.vectors": words,
        "representation.words.vectors": words,
        "representation.letters.vectors": (record.get("letters"), characters),
    }
    for name in ("embedding.vectors", "head.weight", "head.bias"):
        rows[f"decoder.{name}"] = targets
    labels = (record.get("labels"), prepared.fitted.labels)
    names = next((pair for pair in (labels, targets, words) if all(pair)), None)
    if names is not None:
        rows |= {"head.weight": names, "head.bias": names}
    copied = 0
    with torch.no_grad():
        for name, weight in network.state_dict().items():
            pretrained = source.get(name)
            compared = slice(1 if name in rows else 0, None)  # rows are matched by name
            if pretrained is None or pretrained.shape[compared] != weight.shape[compared]:
                raise _unlike(path, name, pretrained, weight)
            if name in rows:
                copied += _copy_rows(weight, pretrained, *rows[name])
            else:
                weight.copy_(pretrained)
    return f"{path}, {copied:,} rows of tokens and labels by their names"


def _copy_rows(weight: Tensor, pretrained: Tensor, source_names: Any, names: Any) -> int:
    """Copy the rows with shared names; return their number."""
    place = {name: i for i, name in enumerate(source_names)}
    shared = [(i, place[name]) for i, name in enumerate(names) if name in place]
    if not shared:
        return 0
    target_rows, source_rows = (torch.tensor(rows) for rows in zip(*shared, strict=True))
    weight[target_rows] = pretrained[source_rows].to(weight.dtype)
    return len(shared)


def _unlike(path: str, name: str, pretrained: Tensor | None, weight: Tensor) -> InputError:
    has = "is not there" if pretrained is None else f"has the shape {tuple(pretrained.shape)} there"
    return InputError(
        f"train.start_from: {name} {has} and {tuple(weight.shape)} here; the model of {path} must "
        "be like this one but for its tokens and labels"
    )
