"""Readers of data sources, one per file, which return pandas frames.

Every reader defines `fingerprint(params)`, the sha256 of the source's bytes (imports neither torch
nor pandas), and `read(params, part)`, the frame. Columns of the frame, by form of the source:

    labelled_text   text, label                     text -> str
    tagged          tokens, tags                    lists of str, equally long
    text            text                            in order of appearance
    series          time, one column per variable   float64, complete, sorted by time; several
                                                    series: sorted by the column `series` first
    frames          frames, label                   floats [steps, features]
    tagged_frames   frames, tags                    as frames; list of str, equally long
    piano_rolls     frames                          lists of lists of MIDI numbers
    vectors         vector, target                  floats [features]; a list of str
    pairs           source, target                  text -> text
    audio           samples, text, name             floats [samples] at attrs["rate"]
    generated       part                            one row per sequence to generate

Optional columns: `group` (items that stay in one split) and `part` (split given by the data or
files). `attrs["columns"]` names the features of frames from files. `prepare` splits and encodes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from rnnkit.data.sources import (
    audio,
    builtin,
    conll,
    conllu,
    frames,
    generated,
    labelled_text,
    pairs,
    piano_rolls,
    pronunciations,
    table,
    text,
    tokens,
    ts,
    vectors,
)
from rnnkit.data.sources.public_files import located
from rnnkit.errors import InputError, UnreadableFile
from rnnkit.params.data import Column, Files, Fractions, Given, Split
from rnnkit.params.experiment import as_written
from rnnkit.params.source import (
    TS,
    Audio,
    Builtin,
    Conll,
    Conllu,
    Frames,
    Generated,
    LabelledText,
    Pairs,
    PianoRolls,
    Pronunciations,
    Source,
    Table,
    Text,
    Tokens,
    Vectors,
)
from rnnkit.runtime.files import sha256_json

if TYPE_CHECKING:
    import pandas as pd

FileSource = (
    LabelledText
    | Tokens
    | Conll
    | Conllu
    | Text
    | Table
    | Frames
    | TS
    | PianoRolls
    | Vectors
    | Pairs
    | Pronunciations
    | Audio
)

SOURCES: Mapping[str, ModuleType] = {
    "builtin": builtin,
    "labelled_text": labelled_text,
    "tokens": tokens,
    "conll": conll,
    "conllu": conllu,
    "text": text,
    "table": table,
    "frames": frames,
    "ts": ts,
    "piano_rolls": piano_rolls,
    "vectors": vectors,
    "pairs": pairs,
    "pronunciations": pronunciations,
    "audio": audio,
    "generated": generated,
}


def _parts(source: Source, split: Files) -> dict[str, FileSource]:
    """Source of each split that has a file."""
    if isinstance(source, Generated):
        raise InputError("data.split: drawn sequences are no files; leave it out")
    if isinstance(source, Builtin):
        raise InputError(
            f"{source.name}: built-in data are no files, so `split: {{kind: files}}` cannot hold; "
            "use `split: {kind: fractions}`, or `{kind: time}` for a series"
        )
    paths = {"train": source.path, "valid": split.valid, "test": split.test}
    return {
        part: source.model_copy(update={"path": located(path)})
        for part, path in paths.items()
        if isinstance(path, str)
    }


def _located(source: Source) -> Source:
    """The source with the local path of its file."""
    if isinstance(source, Builtin | Generated):
        return source
    return source.model_copy(update={"path": located(source.path)})


def fingerprint(source: Source, split: Split) -> str:
    """SHA-256 of all bytes of the source and the split's files; fast, without torch.

    Raises:
        InputError: a file is missing, empty or a folder.
    """
    reader = SOURCES[source.kind]
    if not isinstance(split, Files):
        result: str = reader.fingerprint(_located(source))
        return result
    parts = _parts(source, split)
    return sha256_json({part: reader.fingerprint(params) for part, params in parts.items()})


def read(source: Source, split: Split) -> pd.DataFrame:
    """Read a source; adds a column `part` for a split by files or by column.

    With files, the rows are ordered train, valid (if it is a file), test.

    Raises:
        InputError: an invalid file; one line with the file, the error and the fix.
    """
    import pandas as pd

    reader = SOURCES[source.kind]
    if not isinstance(split, Files):
        part = split.name if isinstance(split, Column) else None
        part = "part" if isinstance(split, Given) else part
        frame: pd.DataFrame = reader.read(_located(source), part)
        return frame
    frames: list[pd.DataFrame] = [
        reader.read(params, None).assign(part=part)
        for part, params in _parts(source, split).items()
    ]
    first = frames[0]
    for params, frame in zip(_parts(source, split).values(), frames, strict=True):
        if set(frame.columns) != set(first.columns):
            raise InputError(
                f"{params.path}: the files of a split must have the same columns, but it has "
                f"{', '.join(frame.columns[:-1])} and the training file "
                f"{', '.join(first.columns[:-1])}; name them in the source's params"
            )
        expected, features = (list(f.attrs.get("columns", ())) for f in (first, frame))
        if features != expected:
            raise InputError(
                f"{params.path}: the files of a split must have the same features, but it has "
                f"{', '.join(features)} and the training file {', '.join(expected)}; "
                "name them in data.source.columns"
            )
    joined = pd.concat(frames, ignore_index=True)
    notes = [
        f"{part}: {note}"
        for part, frame in zip(_parts(source, split), frames, strict=True)
        for note in frame.attrs.get("notes", ())
    ]
    # pandas keeps attrs only if all are equal; notes usually differ
    joined.attrs = {**first.attrs, **({"notes": notes} if "notes" in first.attrs else {})}
    return joined


FOR_BUILTIN: Mapping[str, Callable[..., Source]] = {
    "labelled_text": LabelledText,
    "tagged": Tokens,
    "text": Text,
    "pairs": Pairs,
}
"""Form of built-in data -> source block for a file of that form."""


def read_file(
    source: Source, path: str, columns: tuple[str, ...] | None, split: Split
) -> pd.DataFrame:
    """Read another file like a source; of a file with splits, its test split.

    Args:
        source: of a run.
        path: the file.
        columns: feature columns of the run.
        split: of the run.

    Raises:
        InputError: as in `read`, or the source has no file form.
    """
    file_source = _like(source, path, columns)
    given = isinstance(split, Given)
    try:
        frame = read(file_source, split if given else Fractions())
    except UnreadableFile:
        raise
    except InputError as error:
        params = as_written(file_source.model_dump(mode="json", exclude_defaults=True))
        raise InputError(f"{error}; it is read as the run's own data were, {params}") from None
    return frame[frame["part"] == "test"].reset_index(drop=True) if given else frame


def _like(source: Source, path: str, columns: tuple[str, ...] | None) -> Source:
    if isinstance(source, Frames | Vectors):
        return source.model_copy(update={"path": path, "columns": columns})
    if isinstance(source, Generated):
        raise InputError("drawn sequences come from no file; draw others in a new run")
    if not isinstance(source, Builtin):
        return source.model_copy(update={"path": path})
    if source.form not in FOR_BUILTIN:
        raise InputError(
            f"this run's data, {source.form}, came built in, and no file is read like them; "
            "train on a file of your own"
        )
    return FOR_BUILTIN[source.form](path=path)


def describe(source: Source) -> str:
    """Description of the source, in one line."""
    if isinstance(source, Builtin):
        return builtin.describe(source)
    if isinstance(source, Generated):
        return f"{source.train + source.valid + source.test:,} sequences drawn from {source.seed}"
    return f"{source.kind}: {source.path}"
