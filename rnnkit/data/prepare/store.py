"""Prepared data on disk: `prepared/<sha256>/`, written atomically, verified on every load.

tensors.safetensors   each tensor once, even if splits share it
tokenizer.json        Hugging Face tokenizer of the inputs
target.json           Hugging Face tokenizer of target texts
references.json       target texts of valid and test
sources.json          source texts of pairs, or names of recordings
originals.json        tokens of test as the source has them, where the vocabulary has another form
prepared.json         the tensor of each field of each split; fields of the task; facts
manifest.json         sha256 of the files above
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.numbered_texts import NumberedTexts
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.stored import RECORD, Stored
from rnnkit.data.prepare.tensor_file import write_tensors
from rnnkit.errors import Note
from rnnkit.params.block import FrozenDict
from rnnkit.runtime import scratch
from rnnkit.runtime.disk import naming
from rnnkit.runtime.files import (
    read_json,
    sync_folder,
    verify_manifest,
    write_atomic,
    write_json,
    write_manifest,
)
from rnnkit.runtime.unfinished import remove_unfinished, temporary_path

TENSORS, REFERENCES, SOURCES = "tensors.safetensors", "references.json", "sources.json"
ORIGINALS = "originals.json"
KIND = {"synced": "synced", "known": "known", "unaligned": "is_sequence_to_sequence"}
"""Key of the record -> field that the splits have in common."""
Load = Callable[[Stored], Fitted]
"""Loads the fit of a task."""


def load_or_build(place: Path, build: Callable[[], Prepared], load: Load) -> Prepared:
    """Load stored data; build them if they are missing or differ from their manifest.

    Args:
        place: `prepared/<sha256>`.
        build: prepares the data.
        load: loads the fit of the task.
    """
    if place.exists():
        differences = verify_manifest(place)
        if not differences:
            with contextlib.suppress(OSError):  # of a folder that can only be read
                os.utime(place)  # last use, for `rnnkit clean`
            return read(place, load)
        warnings.warn(
            f"{place}: stored data must be as they were written, but {'; '.join(differences)}; "
            "they are prepared again",
            Note,
            stacklevel=4,
        )
        _remove(place)
    with naming(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    with scratch.within(place.parent):
        built = build()
    with naming(place):
        publish(built, place)
    return read(place, load)


def publish(built: Prepared, place: Path) -> None:
    """Write to a temporary folder and rename it; the first of concurrent processes wins."""
    place.parent.mkdir(parents=True, exist_ok=True)
    remove_unfinished(place.parent)
    temporary = temporary_path(place)
    temporary.mkdir()
    try:
        tensors, layout = _share(built.splits)
        write_tensors(temporary / TENSORS, tensors)
        for name, content in built.fitted.files().items():
            write_atomic(temporary / name, content)
        texts = {REFERENCES: built.references, SOURCES: built.sources, ORIGINALS: built.originals}
        for name, by_number in texts.items():
            if by_number:
                _write_texts(temporary / name, by_number)
        train = built.splits["train"]
        record = {
            "parts": layout,
            **{key: getattr(train, field) for key, field in KIND.items()},
            **built.fitted.stored(),
            "facts": built.facts,
        }
        write_json(temporary / RECORD, record)
        write_manifest(temporary, names=None)
        try:
            temporary.rename(place)
        except OSError:
            if not place.is_dir():  # else another process wrote the same content first
                raise
        sync_folder(place.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def read(place: Path, load: Load, examples: bool = True) -> Prepared:
    """Load a folder without verification. Tensors are memory-mapped.

    Args:
        place: `prepared/<sha256>`, or the folder of a model.
        load: loads the fit of the task.
        examples: whether to load the splits, which the folder of a model does not have.
    """
    stored = Stored(place)
    facts = FrozenDict(stored.facts)
    fitted = load(stored)
    if not examples:
        return Prepared("", FrozenDict(), fitted, facts)
    tensors: dict[str, Any] = safetensors.torch.load_file(place / TENSORS)
    kind: dict[str, Any] = {field: stored.record[key] for key, field in KIND.items()}
    splits = {
        split: EncodedSplit(**kind, **{field: tensors[name] for field, name in layout.items()})
        for split, layout in stored.record["parts"].items()
    }
    references, sources = (FrozenDict(_numbered(place / name)) for name in (REFERENCES, SOURCES))
    originals = NumberedTexts(_numbered(place / ORIGINALS))
    return Prepared(place.name, FrozenDict(splits), fitted, facts, references, sources, originals)


def _numbered(file: Path) -> Iterator[tuple[int, str]]:
    """(row or step, text); an older version wrote no originals."""
    texts = read_json(file) if file.exists() else {}
    return ((int(number), text) for number, text in texts.items())


def _write_texts(file: Path, by_number: Mapping[int, str]) -> None:
    """As `write_json`, a text at a time."""
    pairs = by_number.pairs() if isinstance(by_number, NumberedTexts) else by_number.items()
    with naming(file), file.open("x", encoding="utf-8") as stream:
        before = "{\n"
        for number, text in pairs:
            stream.write(f'{before} "{number}": {json.dumps(text, ensure_ascii=False)}')
            before = ",\n"
        stream.write("\n}\n")
        stream.flush()
        os.fsync(stream.fileno())


def _share(
    splits: Mapping[str, EncodedSplit],
) -> tuple[dict[str, Tensor], dict[str, dict[str, str]]]:
    """Unique tensors by name of their first use, and the name of each field's tensor."""
    names: dict[int, str] = {}
    tensors: dict[str, Tensor] = {}
    layout: dict[str, dict[str, str]] = {split: {} for split in splits}
    for split, examples in splits.items():
        for field, value in vars(examples).items():
            if isinstance(value, Tensor):
                name = names.setdefault(id(value), f"{split}.{field}")
                tensors[name], layout[split][field] = value, name
    return tensors, layout


def _remove(place: Path) -> None:
    """Delete a folder; rename it first, so that it is never seen half deleted."""
    hidden = temporary_path(place)
    try:
        place.rename(hidden)
    except FileNotFoundError:  # another process was first
        return
    shutil.rmtree(hidden, ignore_errors=True)
