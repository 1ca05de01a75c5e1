"""New inputs from a file or from standard input: lines, JSON lines, a recording, or a file of the
form of the run's data."""

import tempfile
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from rnnkit.data import sources
from rnnkit.data.sources import opening, own_form
from rnnkit.data.sources.public_files import located
from rnnkit.data.sources.tabular import format_of
from rnnkit.errors import InputError, Note
from rnnkit.inference import own_table
from rnnkit.inference.input_lines import inputs as inputs_of_lines
from rnnkit.inference.predict import Predictor
from rnnkit.params.source import Source

SEEN_LINES = 64
"""First lines of standard input that say of which form it is."""
Named = Iterator[tuple[str, Any]]
"""What messages call an input, and the input."""


@dataclass(frozen=True)
class Form:
    """How a file is read.

    Args:
        as_json: every line is a JSON value.
        as_lines: every line is an input, also in a file of the form of the run's data.
        stream: a line is a step.
    """

    as_json: bool
    as_lines: bool
    stream: bool


def inputs(predictor: Predictor, file: str, form: Form, standard_input: BinaryIO) -> Named:
    """The inputs of a file, decoded as the run's source says.

    Args:
        predictor: of the run.
        file: its path; - for standard input.
        form: how it is read.
        standard_input: the stream of bytes.

    Raises:
        InputError: the file cannot be read so.
    """
    if form.as_json and form.as_lines:
        raise InputError("--lines and --json-lines say different things of a line; leave one out")
    file = file if file == "-" else located(file)
    ending = predictor.inputs.file_ending
    if ending is not None and file.lower().endswith(ending):
        if form.stream or form.as_json or form.as_lines:
            raise InputError(
                f"{file}: a recording is one input and no lines; leave --stream, --lines and "
                "--json-lines out"
            )
        return iter([(file, file)])
    source = _like(predictor, file)
    encoding = getattr(source, "encoding", "utf-8")  # drawn sequences have none
    if file == "-":
        rows = opening.stream_rows(standard_input, encoding, "standard input")
        return _of_rows(predictor, "standard input", rows, source, form)
    if not (form.as_json or form.as_lines):
        if own_form.is_named_as_own(source, file):
            return _of_own_form(predictor, file, form)
        if own_form.is_table(file):
            opening.existing(file)
            raise InputError(
                f"{file}: every line must be an input, and this is a table, which the run's data "
                "were not; give one column as a text file, or JSON lines with --json-lines"
            )
    if ending is not None and b"\0" in opening.read_bytes(file)[:1024]:
        raise InputError(
            f"{file}: a recording must be a WAV file, and be named .wav; convert or rename it, or "
            "give a text file with the paths of recordings"
        )
    return _of_rows(predictor, file, opening.read_rows(file, encoding), source, form)


def _like(predictor: Predictor, file: str) -> Source:
    """The block that reads a file as the run's source; the source itself if it has no files.
    Standard input is taken for a file with the name of the run's own."""
    source = predictor.experiment.data.source
    path = getattr(source, "path", file) if file == "-" else file
    try:
        return sources.like(source, path, predictor.prepared.fitted.columns)
    except InputError:
        return source


def _of_rows(
    predictor: Predictor, name: str, rows: Iterable[str], source: Source, form: Form
) -> Named:
    as_json = form.as_json
    if not (as_json or form.as_lines or (form.stream and name == "standard input")):
        rows = iter(rows)
        first = list(islice(rows, SEEN_LINES))
        rows = chain(first, rows)
        fitted, encoder = predictor.prepared.fitted, predictor.inputs
        is_json = own_form.is_json_lines(first, encoder.keys(source))
        known = fitted.labels or encoder.names
        if not is_json and own_form.is_own_form(source, first, encoder.column, known):
            _note(name, predictor, "as the run's data were")
            if name != "standard input":
                return _of_own_form(predictor, name, form)
            return _of_stream(predictor, list(rows), source, form)
        as_json = format_of(name, "auto", "lines") == "jsonl"
        if encoder.is_text and is_json and not as_json:
            _note(name, predictor, "as JSON lines")
            as_json = True
    return inputs_of_lines(rows, predictor, name, as_json, form.stream)


def _note(name: str, predictor: Predictor, how: str) -> None:
    """Say how a file is read where its name does not."""
    path = getattr(predictor.experiment.data.source, "path", "")
    if name == "standard input" or Path(name).suffix != Path(path).suffix:
        note = f"{name}: is read {how}; --lines reads an input in each line"
        warnings.warn(note, Note, stacklevel=3)


def _of_own_form(predictor: Predictor, file: str, form: Form) -> Named:
    if form.stream:
        raise InputError(
            f"{file}: --stream reads a step from each line, and this file is of the form of the "
            "run's data; leave --stream out"
        )
    items = own_table.items(predictor.prepared.fitted, file)
    return ((f"{file}, item {number}", item) for number, item in enumerate(items, start=1))


def _of_stream(predictor: Predictor, rows: list[str], source: Source, form: Form) -> Named:
    """Inputs of standard input of the form of the run's data, through a file named as theirs."""
    if predictor.inputs.file_ending is not None:
        raise InputError(
            "standard input: paths in a table begin where the table lies; give the table by its "
            "name, or the paths in lines with --lines"
        )
    ending = Path(getattr(predictor.experiment.data.source, "path", "")).suffix.replace(".gz", "")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"standard input{ending}"
        encoding = getattr(source, "encoding", "utf-8")
        file.write_bytes("".join(f"{row}\n" for row in rows).encode(encoding))
        try:
            named = list(_of_own_form(predictor, str(file), form))
        except InputError as error:
            raise InputError(str(error).replace(str(file), "standard input")) from None
    return ((name.replace(str(file), "standard input"), item) for name, item in named)
