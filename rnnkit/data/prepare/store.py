"""Prepared data on disk: `prepared/<sha256>/`, whole or not there at all, verified on every load.

tensors.safetensors   every tensor once, however many parts share it
tokenizer.json        Hugging Face's, for tokens
target.json           the same for targets that are written
references.json       these targets of valid and test as text
sources.json          of translation the same of what is read; of recordings their names
prepared.json         which tensor is which part's field; vocabulary, labels, scaler, facts
manifest.json         sha256 of the files above
"""

from __future__ import annotations

import os
import secrets
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from rnnkit.data import sources
from rnnkit.data.prepare import (
    classification,
    forecasting,
    language_modeling,
    memory,
    music,
    tagging,
    transcription,
    vector,
    writing,
)
from rnnkit.data.prepare.built import Built
from rnnkit.data.prepare.prepared import Part, Prepared
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.errors import Note
from rnnkit.params.block import FrozenDict
from rnnkit.params.data import Data
from rnnkit.params.task import Task
from rnnkit.runtime.files import (
    read_json,
    sync_folder,
    verify_manifest,
    write_atomic,
    write_json,
    write_manifest,
)

BUILDERS: Mapping[str, Callable[..., Built]] = {
    "classification": classification.build,
    "tagging": tagging.build,
    "language_modeling": language_modeling.build,
    "forecasting": forecasting.build,
    "memory": memory.build,
    "music": music.build,
    "vector": vector.build,
    "translation": writing.build_translation,
    "captioning": writing.build_captioning,
    "transcription": transcription.build,
}
TENSORS, TOKENIZER, REST = "tensors.safetensors", "tokenizer.json", "prepared.json"
TARGET, REFERENCES, SOURCES = "target.json", "references.json", "sources.json"


def load_or_build(data: Data, task: Task, sha256: str, folder: Path) -> Prepared:
    """The stored data, built where they are missing or differ from their manifest.

    Args:
        sha256: what the data depend on.
        folder: holds a folder for each hash.
    """
    place = folder / sha256
    if place.exists():
        differences = verify_manifest(place)
        if not differences:
            os.utime(place)  # it is in use: `rnnkit clean` goes by this
            return load(place)
        warnings.warn(
            f"{place}: stored data must be as they were written, but {'; '.join(differences)}; "
            "they are prepared again",
            Note,
            stacklevel=3,
        )
        _remove(place)
    frame = sources.read(data.source, data.split)
    built = BUILDERS[task.kind](frame, data, task)
    facts = {
        "source": sources.describe(data.source),
        "notes": frame.attrs.get("notes", []),
        **built.facts,
    }
    publish(built, facts, place)
    return load(place)


def publish(built: Built, facts: Mapping[str, Any], place: Path) -> None:
    """Write the files beside their place and rename: a kill leaves nothing half, the first wins."""
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = _hidden(place)
    temporary.mkdir()
    try:
        tensors, layout = _share(built.parts)
        write_atomic(temporary / TENSORS, safetensors.torch.save(tensors))
        if built.tokenizer is not None:
            write_atomic(temporary / TOKENIZER, built.tokenizer.to_json())
        if built.target is not None:
            write_atomic(temporary / TARGET, built.target.to_json())
            write_json(temporary / REFERENCES, dict(built.references))
        if built.sources:
            write_json(temporary / SOURCES, dict(built.sources))
        rest = {
            "parts": layout,
            "synced": built.parts["train"].synced,
            "known": built.parts["train"].known,
            "unaligned": built.parts["train"].unaligned,
            "vocabulary": None if built.tokenizer is None else built.tokenizer.vocabulary,
            "labels": built.labels,
            "scaler": None if built.scaler is None else built.scaler.to_json(),
            "features": built.features,
            "letters": built.letters,
            "target_vocabulary": None if built.target is None else built.target.vocabulary,
            "facts": facts,
        }
        write_json(temporary / REST, rest)
        write_manifest(temporary, names=None)
        try:
            temporary.rename(place)
        except OSError:
            if not place.is_dir():  # else another process was first, with the same content
                raise
        sync_folder(place.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def load(place: Path) -> Prepared:
    """The data of a folder, which is not verified here. Tensors are mapped, not copied."""
    rest = read_json(place / REST)
    tensors = safetensors.torch.load_file(place / TENSORS)
    parts = {
        part: Part(
            synced=rest["synced"],
            known=rest["known"],
            unaligned=rest["unaligned"],
            **{field: tensors[name] for field, name in layout.items()},
        )
        for part, layout in rest["parts"].items()
    }
    return replace(
        without_examples(place),
        sha256=place.name,
        parts=FrozenDict(parts),
        references=_by_row(place / REFERENCES),
        sources=_by_row(place / SOURCES),
    )


def _by_row(file: Path) -> Mapping[int, str]:
    told = read_json(file) if file.exists() else {}
    return FrozenDict({int(row): text for row, text in told.items()})


def without_examples(place: Path) -> Prepared:
    """What prepared data decided, from their own folder or from that of a model made with them."""
    rest = read_json(place / REST)
    vocabulary, labels, letters = rest["vocabulary"], rest["labels"], rest.get("letters")
    return Prepared(
        sha256="",
        parts=FrozenDict(),
        vocabulary=None if vocabulary is None else tuple(vocabulary),
        labels=None if labels is None else tuple(labels),
        scaler=None if rest["scaler"] is None else Scaler.from_json(rest["scaler"]),
        features=rest["features"],
        facts=FrozenDict(rest["facts"]),
        letters=None if letters is None else tuple(letters),
        tokenizer=_tokenizer(place / TOKENIZER, rest["vocabulary"]),
        target=_tokenizer(place / TARGET, rest.get("target_vocabulary")),
    )


def _tokenizer(file: Path, vocabulary: list[str] | None) -> FittedTokenizer | None:
    import tokenizers

    if vocabulary is None:
        return None
    return FittedTokenizer(tokenizers.Tokenizer.from_file(str(file)), tuple(vocabulary))


def _share(parts: Mapping[str, Part]) -> tuple[dict[str, Tensor], dict[str, dict[str, str]]]:
    """Each tensor once under the name of its first use, and which name each field has."""
    names: dict[int, str] = {}
    tensors: dict[str, Tensor] = {}
    layout: dict[str, dict[str, str]] = {}
    for part, examples in parts.items():
        layout[part] = {}
        for field in fields(Part):
            value = getattr(examples, field.name)
            if not isinstance(value, Tensor):
                continue
            name = names.setdefault(id(value), f"{part}.{field.name}")
            tensors[name] = value
            layout[part][field.name] = name
    return tensors, layout


def _hidden(place: Path) -> Path:
    return place.with_name(f".{place.name}.{os.getpid()}.{secrets.token_hex(4)}")


def _remove(place: Path) -> None:
    """Take a folder away whole: renamed first, so that nobody sees it half deleted."""
    aside = _hidden(place)
    try:
        place.rename(aside)
    except FileNotFoundError:  # another process was first
        return
    shutil.rmtree(aside, ignore_errors=True)
