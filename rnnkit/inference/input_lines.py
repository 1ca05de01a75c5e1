"""Read new inputs from the lines of a file: a text or a JSON value each."""

from collections.abc import Iterable, Iterator
from typing import Any

from rnnkit.data.sources.jsonl import json_value
from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor


def inputs(
    lines: Iterable[str], predictor: Predictor, name: str, as_json: bool, stream: bool
) -> Iterator[tuple[str, Any]]:
    """Yield what messages call a line, and the input (of a stream: the step) that it holds.

    Args:
        lines: with or without line breaks: a text each; for tagging the tokens, separated by
            spaces or tabs, or the characters; the path of a WAV file; for numbers a JSON list.
        predictor: of the run.
        name: of the file, for messages.
        as_json: whether every line is a JSON value, also of texts: a text, a list of tokens, or an
            object that has it under the source's own key.
        stream: a line is one step: a token, or a step's numbers; of a recording some samples.

    Raises:
        InputError: a line is empty, no JSON, or an object without the key.
    """
    form = predictor.inputs
    is_text = form.step_is_text if stream else form.is_text
    for number, raw in enumerate(lines, start=1):
        line = raw.rstrip("\n").removesuffix("\r")
        where = f"{name}, line {number}"
        if as_json and not line.strip():  # as in every JSONL file
            continue
        if not line.strip() and not (stream and line):
            raise InputError(f"{where}: an input is needed, but the line is empty; leave it out")
        if as_json or not is_text:
            value = json_value(line, where, f"every line must be a JSON value{form.example}")
            if not (stream and isinstance(value, str)):
                value = form.of_json(value, where, predictor.experiment.data.source)
            yield where, value
        else:
            yield where, line if stream else form.of_line(line)
