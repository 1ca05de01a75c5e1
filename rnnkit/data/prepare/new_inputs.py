"""New examples for a network that is there: encoded by what its training part decided.

`encode` is for inputs alone, to be answered; `unseen` for a source with its truth, to be scored.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from rnnkit.data.prepare.audio import features
from rnnkit.data.prepare.built import begin, cut, numbered, refuse_no_tokens, tensor
from rnnkit.data.prepare.forecasting import another_series
from rnnkit.data.prepare.language_modeling import stream_part
from rnnkit.data.prepare.music import piano_roll, pieces_part
from rnnkit.data.prepare.prepared import UNKNOWN, Part, Prepared
from rnnkit.data.prepare.spelling import with_letters
from rnnkit.data.prepare.split import CONTENT
from rnnkit.data.prepare.tagged_frames import in_stretches
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.data.prepare.transcription import said_part
from rnnkit.data.prepare.writing import written_part
from rnnkit.data.sources.audio import LOUDEST, recording
from rnnkit.errors import InputError, Note
from rnnkit.params.block import FrozenDict
from rnnkit.params.data import Data
from rnnkit.params.source import PianoRolls
from rnnkit.params.task import Forecasting, Task, Vector

if TYPE_CHECKING:
    import pandas as pd


def numbered_inputs(inputs: Sequence[Any]) -> list[str]:
    """What messages call inputs that have no other names.

    >>> numbered_inputs(["a", "b"])
    ['input 1', 'input 2']
    """
    return [f"input {number}" for number, _ in enumerate(inputs, start=1)]


def encode(
    inputs: Sequence[Any],
    data: Data,
    prepared: Prepared,
    tokenizer: FittedTokenizer | None,
    as_tokens: bool,
    names: Sequence[str] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """All steps of all inputs, one after the other, and how many each input has.

    Args:
        inputs: texts, or lists of tokens; arrays [steps, features] in units; of music lists of
            lists of MIDI numbers.
        data: the params' block.
        prepared: vocabulary, letters and scaler.
        tokenizer: for tokens.
        as_tokens: whether inputs are lists of tokens and no texts.
        names: what messages call each; None: input 1, input 2.

    Raises:
        InputError: an input has no step, or not as many numbers as the network reads.
    """
    names = numbered_inputs(inputs) if names is None else names
    if tokenizer is None:
        each = zip(inputs, names, strict=True)
        arrays = [_numbers(item, name, data, prepared) for item, name in each]
        lengths = np.array([len(array) for array in arrays], dtype=np.int64)
        flat: np.ndarray = np.concatenate(arrays).astype(np.float32)
    elif as_tokens:
        tokens = list(map(_tokens, inputs, names))
        flat, lengths = tokenizer.encode_tokens(tokens)
        most: int | None = getattr(data.tokenizer, "spelling", None)
        if most is not None and prepared.letters is not None:
            flat = with_letters(flat, tokens, prepared.letters, most)
    else:
        for item, name in zip(inputs, names, strict=True):
            refuse_no_text(item, name)
        flat, lengths = tokenizer.encode(list(inputs))
    if (lengths == 0).any():
        raise InputError(f"{names[int(lengths.argmin())]}: must have at least one token or step")
    return flat, lengths


def refuse_no_text(item: Any, where: str) -> None:
    """Raise InputError for anything but a text."""
    if not isinstance(item, str):
        raise InputError(f"{where}: must be a text, got {str(item)[:40]}")
    try:
        item.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{where}: must be a text, but its character {error.start + 1} is half of one"
        ) from None


def _tokens(item: Any, where: str) -> list[str]:
    """A list of tokens; a text is its characters."""
    if not isinstance(item, str | list | tuple) or not all(isinstance(t, str) for t in item):
        raise InputError(f"{where}: must be a list of tokens, got {str(item)[:40]}")
    return list(item)


def _numbers(item: Any, where: str, data: Data, prepared: Prepared) -> np.ndarray:
    """[steps, features] scaled."""
    source = data.source
    if source.form == "audio":
        return _frames(item, where, data, prepared)
    if isinstance(source, PianoRolls):
        frames = [*item] if isinstance(item, list | tuple) else [item]
        if not all(isinstance(notes, list | tuple) for notes in frames):
            raise InputError(f"{where}: must be a list of frames, each a list of its notes")
        notes = chain.from_iterable(frames)
        if not all(type(n) is int and source.lowest <= n <= source.highest for n in notes):
            raise InputError(
                f"{where}: notes must be whole numbers from {source.lowest} to {source.highest}"
            )
        return piano_roll(frames, source)
    width = prepared.features
    assert width is not None
    array = table_of(item, where, width)
    scaled = array
    if prepared.scaler is not None:
        more = len(prepared.scaler.columns) - width  # targets, which are scaled as inputs are
        scaled = prepared.scaler.transform(np.pad(array, ((0, 0), (0, more))))[:, :width]
    refuse_infinite(scaled, array, where)
    return scaled


def table_of(item: Any, where: str, width: int) -> np.ndarray:
    """float64 [steps, width].

    Raises:
        InputError: an item is no list of steps, each a list of so many numbers.
    """
    try:
        array = np.asarray(item, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{where}: must be numbers, got {str(item)[:40]}") from None
    if array.ndim != 2 or array.shape[1] != width:
        got = array.shape[1] if array.ndim == 2 else f"the shape {array.shape}"
        raise InputError(f"{where}: must have {width} numbers per step, got {got}")
    return array


def refuse_infinite(scaled: np.ndarray, array: np.ndarray, where: str) -> None:
    """Raise InputError for a number of an array that, scaled, is none in float32."""
    with np.errstate(over="ignore"):
        finite = np.isfinite(scaled.astype(np.float32))
    if not finite.all():
        raise InputError(
            f"{where}: must be finite numbers that float32 can hold, got {array[~finite][0]}"
        )


def _frames(item: Any, where: str, data: Data, prepared: Prepared) -> np.ndarray:
    """[frames, features] of a recording, by its path or its samples."""
    rate = prepared.facts["rate"]
    if isinstance(item, str):
        heard, own, channels = recording(item, rate)
        mixed = [f"its {channels} channels were mixed to one"] * (channels > 1)
        resampled = [f"resampled from {own:,} to {rate:,} Hz"] * (own != rate)
        if changes := mixed + resampled:
            warnings.warn(f"{item}: {', '.join(changes)}", Note, stacklevel=2)
        return _of_recording(heard, data, prepared)
    samples = samples_of(item)
    if samples is None or not len(samples):
        raise InputError(
            f"{where}: must be the path of a WAV file, or a list of its samples between -1 and 1, "
            f"{rate:,} per second"
        )
    return _of_recording(samples, data, prepared)


def samples_of(value: Any) -> np.ndarray | None:
    """float32 [samples]; None: the value is no list of numbers that could be samples."""
    try:
        found = np.asarray(value)
    except ValueError:  # lists of unequal lengths
        return None
    if found.ndim != 1 or found.dtype.kind not in "iuf":
        return None
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and no sample
        samples = found.astype(np.float32)
    return samples if (np.abs(samples) <= LOUDEST).all() else None  # and of no NaN


def _of_recording(samples: np.ndarray, data: Data, prepared: Prepared) -> np.ndarray:
    found = features(samples, prepared.facts["rate"], data.features)
    return found if prepared.scaler is None else prepared.scaler.transform(found)


def unseen(
    frame: pd.DataFrame,
    data: Data,
    task: Task,
    prepared: Prepared,
    tokenizer: FittedTokenizer | None,
) -> Part:
    """A source's items as one part. `data.limit` is not applied, `data.max_length` is.

    Args:
        frame: what the source gives.
        data, task: the params' blocks of the network.
        prepared: what its training part decided.
        tokenizer: for tokens.

    Raises:
        InputError: a label the network does not know, or an input it cannot read.
    """
    return LAYOUTS[task.kind](frame, data, task, prepared, tokenizer)


def _labelled(
    frame: pd.DataFrame, data: Data, task: Task, prepared: Prepared, tokenizer: Any
) -> Part:
    flat, lengths = encode(_content(frame, data, task), data, prepared, tokenizer, False)
    kept, _ = cut(lengths, data.max_length)
    if isinstance(task, Vector) and task.loss == "squared":
        targets = _targets(frame, prepared)
    else:
        targets = tensor(_known(_names(frame, data), prepared))
    each = torch.arange(len(frame))
    return Part(
        inputs=tensor(flat),
        input_start=tensor(begin(lengths)),
        input_length=tensor(kept),
        targets=targets,
        target_start=each,
        target_length=torch.ones_like(each),
        item=each,
        synced=False,
    )


def _names(frame: pd.DataFrame, data: Data) -> list[str]:
    """The label of each row."""
    if data.source.form == "vectors":
        return [row[0] for row in frame["target"]]
    names: list[str] = frame["text" if data.source.form == "audio" else "label"].tolist()
    return names


def _tagged(
    frame: pd.DataFrame, data: Data, task: Task, prepared: Prepared, tokenizer: Any
) -> Part:
    if tokenizer is None:
        frame = in_stretches(frame, data)
    flat, lengths = encode(_content(frame, data, task), data, prepared, tokenizer, True)
    names = list(chain.from_iterable(frame["tags"]))
    start, length = tensor(begin(lengths)), tensor(cut(lengths, data.max_length)[0])
    item = torch.arange(len(frame))
    targets = tensor(_known(names, prepared))
    return Part(tensor(flat), start, length, targets, start, length, item, synced=True)


def _stream(
    frame: pd.DataFrame, data: Data, task: Task, prepared: Prepared, tokenizer: Any
) -> Part:
    flat, lengths = tokenizer.encode(frame["text"].tolist())
    rows = np.arange(len(frame))
    refuse_no_tokens("new", lengths, rows)
    return stream_part(flat, lengths, rows, data.max_length)


def _pieces(
    frame: pd.DataFrame, data: Data, task: Task, prepared: Prepared, tokenizer: Any
) -> Part:
    assert isinstance(data.source, PianoRolls)
    pieces = frame["frames"].tolist()
    return pieces_part(pieces, np.arange(len(pieces)), data.source, data.max_length)[0]


def _series(
    frame: pd.DataFrame, data: Data, task: Task, prepared: Prepared, tokenizer: Any
) -> Part:
    assert isinstance(task, Forecasting)
    assert prepared.scaler is not None
    return another_series(frame, data, task, prepared.scaler)


def _pairs(frame: pd.DataFrame, data: Data, task: Task, prepared: Prepared, tokenizer: Any) -> Part:
    assert prepared.target is not None
    each = np.arange(len(frame))
    if data.source.form == "labelled_text":
        categories = prepared.vocabulary or ()
        _refuse_unknown(frame["label"].tolist(), categories[UNKNOWN + 1 :], "categories")
        read = tokenizer.encode_tokens([[label] for label in frame["label"]])
    elif tokenizer is None:
        read = encode(_content(frame, data, task), data, prepared, None, False)
    else:
        read = tokenizer.encode(frame["source"].tolist())
    wanted = prepared.target.encode(written_texts(frame, data))
    for lengths in (read[1], wanted[1]):
        refuse_no_tokens("new", lengths, each)
    return written_part(read, wanted, each)


def _recordings(
    frame: pd.DataFrame, data: Data, task: Task, prepared: Prepared, tokenizer: Any
) -> Part:
    assert prepared.target is not None
    each = np.arange(len(frame))
    read = encode(frame["samples"].tolist(), data, prepared, None, False)
    wanted = prepared.target.encode(frame["text"].tolist())
    refuse_no_tokens("new", wanted[1], each)
    return said_part(read, wanted, each, frame["name"].tolist())


def written_texts(frame: pd.DataFrame, data: Data) -> list[str]:
    """The text that is to be written or transcribed, of each row."""
    if data.source.form in ("labelled_text", "audio"):
        texts: list[str] = frame["text"].tolist()
        return texts
    return [row if isinstance(row, str) else row[0] for row in frame["target"]]


def with_references(prepared: Prepared, frame: pd.DataFrame, data: Data) -> Prepared:
    """The same with the true texts of a frame's rows, for tasks whose targets are text; of pairs
    with what is read, and of recordings with their names."""
    rows = range(len(frame))
    if "name" in frame:
        prepared = replace(prepared, sources=FrozenDict(zip(rows, frame["name"], strict=True)))
    if prepared.target is None:
        return prepared
    normal = prepared.target.normal
    references = zip(rows, map(normal, written_texts(frame, data)), strict=True)
    if "source" in frame:
        sources = zip(rows, map(normal, frame["source"]), strict=True)
        prepared = replace(prepared, sources=FrozenDict(sources))
    return replace(prepared, references=FrozenDict(references))


LAYOUTS: Mapping[str, Callable[..., Part]] = {
    "classification": _labelled,
    "vector": _labelled,
    "tagging": _tagged,
    "language_modeling": _stream,
    "music": _pieces,
    "forecasting": _series,
    "translation": _pairs,
    "captioning": _pairs,
    "transcription": _recordings,
}
"""Task -> how its items are laid out."""


def _content(frame: pd.DataFrame, data: Data, task: Task) -> list[Any]:
    content: list[Any] = frame[CONTENT[data.source.form]].tolist()
    if data.source.form == "vectors":
        return [np.asarray(item, dtype=np.float64).reshape(1, -1) for item in content]
    return content


def _known(names: list[str], prepared: Prepared) -> np.ndarray:
    labels = prepared.labels or ()
    _refuse_unknown(names, labels, "labels")
    return numbered(names, labels)


def _refuse_unknown(names: list[str], known: Sequence[str], what: str) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InputError(
            f"data.source: the network knows the {what} {', '.join(known[:8])}"
            f"{', …' if len(known) > 8 else ''} alone, but {unknown[0]!r} "
            f"{f'and {len(unknown) - 1:,} others are' if unknown[1:] else 'is'} there, too; leave "
            "them out, or train with them"
        )


def _targets(frame: pd.DataFrame, prepared: Prepared) -> Tensor:
    """[items, targets] scaled."""
    from rnnkit.data.prepare.vector import numbers

    scaler = prepared.scaler
    assert scaler is not None
    told = numbers(frame, scaler.targets)
    more = len(scaler.columns) - told.shape[1]
    scaled = scaler.transform(np.pad(told, ((0, 0), (more, 0))))[:, more:]
    return tensor(scaled.astype(np.float32))
