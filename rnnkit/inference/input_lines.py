"""New inputs as the lines of a file: a text each, or a JSON value each."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params.data import Characters

TEXTS = ("labelled_text", "tagged", "text", "pairs", "audio")
"""Forms whose items a person can write as they are."""


def inputs(
    lines: Iterable[str], experiment: Experiment, name: str, as_json: bool, stream: bool
) -> Iterator[tuple[str, Any]]:
    """What a `Predictor` takes, or of a stream its steps, each behind what messages call it.

    Args:
        lines: with their line breaks or without.
        experiment: of the run. Its data say what a line is: a text; of tagging its tokens with
            single spaces between them, or its characters; of recordings the path of a WAV file; for
            numbers JSON, a list of steps.
        name: of the file, for messages.
        as_json: every line is a JSON value, of texts too: a text, a list of tokens, or an object
            that has it under the source's own key.
        stream: a line is one step: a token, or a step's numbers; of a recording some samples.

    Raises:
        InputError: a line is empty, no JSON, or an object without the key.
    """
    form = experiment.data.source.form
    for number, raw in enumerate(lines, start=1):
        line = raw.rstrip("\n").removesuffix("\r")
        where = f"{name}, line {number}"
        if not line.strip() and not (stream and line):
            raise InputError(f"{where}: an input is needed, but the line is empty; leave it out")
        if as_json or form not in TEXTS or (stream and form == "audio"):
            yield where, _value(line, where, experiment)
        elif stream:
            yield where, line
        else:
            yield where, value_of(line, where, experiment)


def value_of(value: Any, where: str, experiment: Experiment) -> Any:
    """An input as it comes in JSON, as a `Predictor` takes it.

    Args:
        value: a text, a list, or an object that has it under the source's own key.
        where: for messages.
        experiment: of the run.

    Raises:
        InputError: an object without the key.
    """
    if isinstance(value, str) and experiment.data.source.form == "tagged":
        characters = isinstance(experiment.data.tokenizer, Characters)
        return list(value) if characters else value.split(" ")
    return _in_object(value, where, experiment) if isinstance(value, dict) else value


def _value(line: str, where: str, experiment: Experiment) -> Any:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where}, column {error.colno}: every line must be a JSON value"
            f"{_example(experiment)}, but {error.msg.lower()}; correct it"
        ) from None
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        raise InputError(
            f"{where}: every line must be a JSON value that can be read, and this is too large"
        ) from None
    return _in_object(value, where, experiment) if isinstance(value, dict) else value


def _example(experiment: Experiment) -> str:
    """What a value of numbers looks like, for messages."""
    form = experiment.data.source.form
    if form == "audio":
        return " (of a stream a list of samples, as [0.01, -0.02])"
    return " (as [0.5, -1])" if form == "vectors" else ""


def _in_object(value: dict[str, Any], where: str, experiment: Experiment) -> Any:
    source = experiment.data.source
    own = ("text", "tokens", "source", "audio")
    keys = [*(getattr(source, key, key) for key in own), "frames", "vector", "window"]
    if experiment.task.kind == "captioning":
        keys = ["vector" if source.form == "vectors" else getattr(source, "label", "label")]
    if source.form == "audio":
        keys = [getattr(source, "audio", "audio")]
    for key in keys:
        if key in value:
            return value[key]
    raise InputError(
        f"{where}: an object must have its input under one of {', '.join(keys)}, but its keys are "
        f"{', '.join(value)}; rename one"
    )
