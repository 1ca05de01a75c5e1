"""Readers of data sources, which return pandas frames. Columns by form of the source:

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
    generated       part                             one row per sequence to generate

Optional columns: `group` (items that stay in one split) and `part` (split given by the data or
files). `attrs["columns"]` names the features of frames from files, `attrs["notes"]` tells what was
changed, `attrs["single"]` why a file has only one item, `attrs["numbers"]` where a file declares
that its labels are numbers. `prepare` splits and encodes.

A path may name several files of one form, a folder or with `*`. Their rows follow one another, in
the order of the names: tables and frames are joined before they are read (`tabular.TableFile`), the
items of the kinds in `SEVERAL` afterwards.

A reader is a function of the source's block, with a local path, and of the column that says train,
valid or test (None: the data do not say); readers in NO_COLUMN take the block alone. All raise
InputError for a file that they cannot read: one line with the file, the error and the fix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from rnnkit.data.sources import audio, opening, piano_rolls, table, token_table, ts, vectors
from rnnkit.data.sources.builtin import BUILTINS
from rnnkit.data.sources.frames import read_frames
from rnnkit.data.sources.pairs import pairs_sha256, read_pairs, read_pronunciations
from rnnkit.data.sources.public_files import located
from rnnkit.data.sources.tagged import read_conll, read_conllu, read_tokens
from rnnkit.data.sources.texts import labelled_text_sha256, read_labelled_text, read_text
from rnnkit.errors import InputError, UnreadableFile
from rnnkit.params.data import Column, Files, Fractions, Given, Split
from rnnkit.params.experiment import as_yaml
from rnnkit.params.source import (
    Builtin,
    Frames,
    Generated,
    LabelledText,
    Pairs,
    Source,
    Table,
    Text,
    Tokens,
    Vectors,
)
from rnnkit.runtime.files import sha256_json

if TYPE_CHECKING:
    import pandas as pd


def _generated(source: Generated, column: str | None) -> pd.DataFrame:
    import pandas as pd

    counts = {"train": source.train, "valid": source.valid, "test": source.test}
    return pd.DataFrame({"part": [name for name, count in counts.items() for _ in range(count)]})


SOURCES: Mapping[str, Callable[..., pd.DataFrame]] = {
    "builtin": lambda source: BUILTINS[source.name].read(),
    "labelled_text": read_labelled_text,
    "tokens": read_tokens,
    "token_table": token_table.read,
    "conll": read_conll,
    "conllu": read_conllu,
    "text": read_text,
    "table": table.read,
    "frames": read_frames,
    "ts": ts.read,
    "piano_rolls": piano_rolls.read,
    "vectors": vectors.read,
    "pairs": read_pairs,
    "pronunciations": read_pronunciations,
    "audio": audio.read,
    "generated": _generated,
}

NO_COLUMN: Mapping[str, str] = {
    "builtin": "built-in data have",
    "conll": "its columns are those of the tokens, and there is",
    "conllu": "its columns are those of the tokens, and there is",
    "text": "plain text has",
    "ts": "the .ts format has",
    "pronunciations": "a pronouncing dictionary has",
}
"""Kinds without a column for the split, and the start of the refusal."""

SEVERAL = frozenset(
    {
        "labelled_text",
        "tokens",
        "token_table",
        "conll",
        "conllu",
        "text",
        "ts",
        "piano_rolls",
        "vectors",
        "pairs",
        "pronunciations",
    }
)
"""Kinds whose files are read one by one where a path names several."""

FINGERPRINTS: Mapping[str, Callable[[Any], str]] = {
    "builtin": lambda source: BUILTINS[source.name].fingerprint(),
    "generated": lambda source: sha256_json(source.model_dump(mode="json")),
    "labelled_text": labelled_text_sha256,
    "pairs": pairs_sha256,
    "audio": audio.fingerprint,
}
"""SHA-256 of everything a source reads; of other kinds, of the one file."""


def _located(source: Any, path: str) -> Any:
    """The source with the local path of a file."""
    return source.model_copy(update={"path": located(path)})


def _parts(source: Any, split: Split) -> dict[str, Any]:
    """Split -> source of its file; "" -> the source, if the split is not by files."""
    if not isinstance(split, Files):
        no_file = isinstance(source, Builtin | Generated)
        return {"": source if no_file else _located(source, source.path)}
    if isinstance(source, Generated):
        raise InputError("data.split: drawn sequences are no files; leave it out")
    if isinstance(source, Builtin):
        raise InputError(
            f"{source.name}: built-in data are no files, so `split: {{kind: files}}` cannot hold; "
            "use `split: {kind: fractions}`, or `{kind: time}` for a series"
        )
    paths = {"train": source.path, "valid": split.valid, "test": split.test}
    return {part: _located(source, path) for part, path in paths.items() if isinstance(path, str)}


def fingerprint(source: Source, split: Split) -> str:
    """SHA-256 of all bytes of the source and the split's files; fast, without torch.

    Raises:
        InputError: a file is missing, empty or a folder.
    """
    sha256 = FINGERPRINTS.get(source.kind, lambda params: opening.fingerprint(params.path))
    hashes = {part: sha256(params) for part, params in _parts(source, split).items()}
    return sha256_json(hashes) if isinstance(split, Files) else hashes[""]


def read(source: Source, split: Split) -> pd.DataFrame:
    """Read a source; adds a column `part` for a split by files or by column.

    With files, the rows are ordered train, valid (if it is a file), test.
    """
    splits = _parts(source, split)
    if isinstance(split, Files):
        frames = {part: _read(params, None) for part, params in splits.items()}
        parts = {part: frame.assign(part=part) for part, frame in frames.items()}
        return _joined(splits, parts, "of a split")
    column = split.name if isinstance(split, Column) else None
    return _read(splits[""], "part" if isinstance(split, Given) else column)


def _read(source: Any, column: str | None) -> pd.DataFrame:
    if source.kind in SEVERAL and len(opening.alternatives(source.path)) == 1:
        paths = opening.files_of(source.path)
        if paths != [source.path]:
            sources = {path: source.model_copy(update={"path": path}) for path in paths}
            frames = {path: _read_one(file, column) for path, file in sources.items()}
            joined = _joined(sources, frames, "of one source")
            if len(joined) > 1:
                joined.attrs.pop("single", None)
            return joined
    return _read_one(source, column)


def _read_one(source: Any, column: str | None) -> pd.DataFrame:
    if source.kind not in NO_COLUMN:
        return SOURCES[source.kind](source, column)
    if column is not None:
        builtin = isinstance(source, Builtin)
        raise InputError(
            f"{source.name if builtin else source.path}: {NO_COLUMN[source.kind]} no column "
            f"{column!r}; use `split: {{kind: fractions}}`"
            f"{'' if builtin else ' or `split: {kind: files}`'}"
        )
    return SOURCES[source.kind](source)


def _joined(
    sources: Mapping[str, Any], frames: Mapping[str, pd.DataFrame], which: str
) -> pd.DataFrame:
    """The rows of several files.

    Args:
        sources: of each file, by its split or its path.
        frames: its rows.
        which: of what the files are, for messages.

    Raises:
        InputError: their columns or their features differ.
    """
    import pandas as pd

    (name, first), *_ = frames.items()
    reference = "the training file" if name == "train" else name
    for part, frame in frames.items():
        path = sources[part].path
        if set(frame.columns) != set(first.columns):
            raise InputError(
                f"{path}: the files {which} must have the same columns, but it has "
                f"{_names(frame)} and {reference} {_names(first)}; name them in the source's params"
            )
        expected, features = (list(f.attrs.get("columns", ())) for f in (first, frame))
        if features != expected:
            raise InputError(
                f"{path}: the files {which} must have the same features, but it has "
                f"{', '.join(features)} and {reference} {', '.join(expected)}; "
                "name them in data.source.columns"
            )
    joined = pd.concat(frames.values(), ignore_index=True)
    notes = [
        f"{part}: {note}" for part, frame in frames.items() for note in frame.attrs.get("notes", ())
    ]
    if len(notes) > MAX_NOTES and len(frames) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"and {len(notes) - MAX_NOTES:,} notes more on {len(frames):,} files"]
    # pandas keeps attrs only if all are equal; notes usually differ
    joined.attrs = {}
    for frame in [*frames.values(), first]:
        joined.attrs |= frame.attrs
    joined.attrs |= {"notes": notes} if notes else {}
    return joined


def _names(frame: pd.DataFrame) -> str:
    return ", ".join(name for name in frame.columns if name != "part")


MAX_NOTES = 5
"""Notes that are kept of many files."""

FOR_BUILTIN: Mapping[str, Callable[..., Source]] = {
    "labelled_text": LabelledText,
    "tagged": Tokens,
    "text": Text,
    "pairs": Pairs,
    "series": Table,
}
"""Form of built-in data -> source block for a file of that form."""


def read_file(
    source: Source, path: str, columns: tuple[str, ...] | None, split: Split
) -> pd.DataFrame:
    """Read another file like a run's source; of a file with splits, its test split.

    Args:
        columns: feature columns of the run.

    Raises:
        InputError: as in `read`, or the source has no file form.
    """
    file_source = like(source, path, columns)
    given = isinstance(split, Given)
    with _explained(file_source):
        frame = read(file_source, split if given else Fractions())
    return frame[frame["part"] == "test"].reset_index(drop=True) if given else frame


def read_series_with_rows_ahead(
    source: Source, path: str | None, columns: Sequence[str], targets: Sequence[str]
) -> pd.DataFrame:
    """Read a series whose last rows may lack the targets (`table.read_with_rows_ahead`).

    Args:
        path: of a file like the run's source; None: the source itself. Built-in series have no rows
            ahead.
        columns: to read, `targets` among them.

    Raises:
        InputError: as in `read`.
    """
    file_source = source if path is None else like(source, path, None)
    if not isinstance(file_source, Table):
        return _read(file_source, None)
    with nullcontext() if path is None else _explained(file_source):
        located_source = _located(file_source, file_source.path)
        return table.read_with_rows_ahead(located_source, columns, targets)


@contextmanager
def _explained(file_source: Source) -> Iterator[None]:
    """Adds to refusals of a file as which source it is read."""
    try:
        yield
    except UnreadableFile:
        raise
    except InputError as error:
        params = as_yaml(file_source.model_dump(mode="json", exclude_defaults=True))
        raise InputError(f"{error}; it is read as the run's own data were, {params}") from None


def like(source: Source, path: str, columns: tuple[str, ...] | None) -> Source:
    """The block that reads another file as a run's source was read; arguments of `read_file`."""
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
        return f"{source.name}: {BUILTINS[source.name].description}"
    if isinstance(source, Generated):
        return f"{source.train + source.valid + source.test:,} sequences drawn from {source.seed}"
    return f"{source.kind}: {source.path}"
