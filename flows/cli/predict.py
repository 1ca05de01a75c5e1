"""`rnnkit predict`: a run's model on new input."""

import json
import sys
import warnings
from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any

import typer

from flows.cli.options import MLRUNS, Home, Model
from flows.cli.run_lookup import find_model
from rnnkit.errors import InputError, Note

INPUTS_PER_BATCH = 64  # inputs in one batch


def predict(
    run: Model,
    file: Annotated[
        str, typer.Argument(help="An input in a line, or a WAV file; - for standard input.")
    ] = "-",
    stream: Annotated[
        bool,
        typer.Option(
            "--stream",
            help="A step in a line, answered at once: a token, or numbers or samples as JSON.",
        ),
    ] = False,
    json_lines: Annotated[
        bool, typer.Option("--json-lines", help="Lines are JSON, as of a file named .jsonl.")
    ] = False,
    mlruns: Home = MLRUNS,
) -> None:
    """Answer new inputs with a run's model, as JSON lines.

    A line is a text, or tokens with single spaces between them; of recordings the path of a WAV
    file; of numbers it is JSON, a list of steps.
    """
    from flows import settings as places

    model = find_model(places.read(mlruns), run)
    from rnnkit.data.sources import opening
    from rnnkit.data.sources.tabular import format_of
    from rnnkit.inference import input_lines as lines
    from rnnkit.inference import predict as prediction
    from rnnkit.runtime import numerics, process_settings

    process_settings.settle()
    numerics.set_threads(1)
    predictor = prediction.load(model)
    as_json = json_lines or file.removesuffix(".gz").endswith(".jsonl")
    name = "standard input" if file == "-" else file
    ending = predictor.inputs.file_ending
    recorded = ending is not None and file.lower().endswith(ending)
    if recorded and (stream or json_lines):
        raise InputError(
            f"{file}: a recording is one input and no lines; leave --stream and --json-lines out"
        )
    if not as_json and format_of(file, "auto", "lines") in ("csv", "tsv", "parquet"):
        opening.existing(file)
        raise InputError(
            f"{file}: every line must be an input, and this is a table; give one column as a text "
            "file, or JSON lines with --json-lines; rnnkit evaluate reads tables, with the truth"
        )
    if (
        ending is not None
        and file != "-"
        and not recorded
        and b"\0" in opening.read_bytes(file)[:1024]
    ):
        raise InputError(
            f"{file}: a recording must be a WAV file, and be named .wav; convert or rename it, or "
            "give a text file with the paths of recordings"
        )
    rows: Iterable[str] = [file] if recorded else sys.stdin
    if file != "-" and not recorded:
        rows = opening.read_rows(file, "utf-8")
    inputs = lines.inputs(rows, predictor, name, as_json, stream)
    if stream:
        _stream(predictor, inputs)
        return
    empty = True
    while chunk := list(islice(inputs, INPUTS_PER_BATCH)):
        empty = False
        names, values = zip(*chunk, strict=True)
        for answer in predictor(values, names):
            print(json.dumps(answer), flush=True)
    if empty:
        raise InputError(f"{name}: there is no input in it")


def _stream(predictor: Any, inputs: Any) -> None:
    from rnnkit.inference.stream import Stream

    sequence, answer = Stream(predictor), {}
    for where, value in inputs:
        answer = sequence.step(value, where)
        print(json.dumps(answer), flush=True)
    if answer == {"frames": 0}:
        note = "the stream ended before its first frame; without --stream silence is put behind it"
        warnings.warn(note, Note, stacklevel=2)
    if (end := sequence.end()) is not None:
        print(json.dumps({"end": True, **end}), flush=True)
