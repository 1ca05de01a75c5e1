"""Prepared data on disk: `prepared/<sha256>/`, whole or not there at all, verified on every load.

tensors.safetensors   every tensor once, however many splits share it
tokenizer.json        Hugging Face's, for tokens
target.json           the same for targets that are texts
references.json       these targets of valid and test as text
sources.json          of pairs of texts the same of what is read; of recordings their names
prepared.json         which tensor is which split's field; what the task stores; facts
manifest.json         sha256 of the files above
"""

from __future__ import annotations

import os
import secrets
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path

import safetensors.torch
from torch import Tensor

from rnnkit.data.prepare.facts import Facts
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.part import Part
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.stored import RECORD, Stored
from rnnkit.errors import Note
from rnnkit.params.block import FrozenDict
from rnnkit.runtime.files import (
    read_json,
    sync_folder,
    verify_manifest,
    write_atomic,
    write_json,
    write_manifest,
)

TENSORS, REFERENCES, SOURCES = "tensors.safetensors", "references.json", "sources.json"
Load = Callable[[Stored], Fitted]
"""What a task loads of its own."""


def load_or_build(place: Path, build: Callable[[], Prepared], load: Load) -> Prepared:
    """The stored data, built where they are missing or differ from their manifest.

    Args:
        place: `prepared/<sha256>`.
        build: makes them.
        load: what the task loads of its own.
    """
    if place.exists():
        differences = verify_manifest(place)
        if not differences:
            os.utime(place)  # it is in use: `rnnkit clean` goes by this
            return read(place, load)
        warnings.warn(
            f"{place}: stored data must be as they were written, but {'; '.join(differences)}; "
            "they are prepared again",
            Note,
            stacklevel=4,
        )
        _remove(place)
    publish(build(), place)
    return read(place, load)


def publish(built: Prepared, place: Path) -> None:
    """Write the files beside their place and rename: a kill leaves nothing half, the first wins."""
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = _hidden(place)
    temporary.mkdir()
    try:
        tensors, layout = _share(built.parts)
        write_atomic(temporary / TENSORS, safetensors.torch.save(tensors))
        for name, content in built.fitted.files().items():
            write_atomic(temporary / name, content)
        for name, texts in ((REFERENCES, built.references), (SOURCES, built.sources)):
            if texts:
                write_json(temporary / name, dict(texts))
        train = built.parts["train"]
        record = {
            "parts": layout,
            "synced": train.synced,
            "known": train.known,
            "unaligned": train.unaligned,
            **built.fitted.stored(),
            "facts": built.facts,
        }
        write_json(temporary / RECORD, record)
        write_manifest(temporary, names=None)
        try:
            temporary.rename(place)
        except OSError:
            if not place.is_dir():  # else another process was first, with the same content
                raise
        sync_folder(place.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def read(place: Path, load: Load) -> Prepared:
    """The data of a folder, which is not verified here. Tensors are mapped, not copied."""
    stored = Stored(place)
    record = stored.record
    tensors = safetensors.torch.load_file(place / TENSORS)
    parts = {
        part: Part(
            synced=record["synced"],
            known=record["known"],
            unaligned=record["unaligned"],
            **{field: tensors[name] for field, name in layout.items()},
        )
        for part, layout in record["parts"].items()
    }
    return Prepared(
        sha256=place.name,
        parts=FrozenDict(parts),
        fitted=load(stored),
        facts=facts_of(stored),
        references=_by_row(place / REFERENCES),
        sources=_by_row(place / SOURCES),
    )


def without_examples(folder: Path, load: Load) -> Prepared:
    """What prepared data decided, from the folder of a model made with them."""
    stored = Stored(folder)
    return Prepared("", FrozenDict(), load(stored), facts_of(stored))


def facts_of(stored: Stored) -> Facts:
    """The facts, frozen."""
    return FrozenDict(stored.facts)  # type: ignore[return-value]  # as typed as JSON can be


def _by_row(file: Path) -> Mapping[int, str]:
    told = read_json(file) if file.exists() else {}
    return FrozenDict({int(row): text for row, text in told.items()})


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
