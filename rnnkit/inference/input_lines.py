"""Read new inputs from the lines of a file: a text or a JSON value each."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

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
        if not line.strip() and not (stream and line):
            raise InputError(f"{where}: an input is needed, but the line is empty; leave it out")
        if as_json or not is_text:
            value = _value(line, where, form.example)
            if not (stream and isinstance(value, str)):
                value = form.of_json(value, where, predictor.experiment.data.source)
            yield where, value
        else:
            yield where, line if stream else form.of_line(line)


def _value(line: str, where: str, example: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where}, column {error.colno}: every line must be a JSON value"
            f"{example}, but {error.msg.lower()}; correct it"
        ) from None
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        raise InputError(
            f"{where}: every line must be a JSON value that can be read, and this is too large"
        ) from None
