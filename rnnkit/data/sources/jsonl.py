"""JSON from users: the objects of a JSONL file, and what is wrong with a value."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

from rnnkit.data.sources.limits import MAX_JSON, MAX_LINE, MAX_NESTING
from rnnkit.data.sources.opening import numbered_rows
from rnnkit.errors import InputError

NESTED = (list, dict)


def objects(path: str, encoding: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file and line, JSON object) of each line of a JSONL file; blank lines are skipped.

    Raises:
        InputError: a line that is invalid JSON, or not an object; no object at all.
    """
    empty = True
    for where, line in numbered_rows(path, encoding):
        if not line.strip():
            continue
        empty = False
        if line.lstrip().startswith("["):
            raise InputError(
                f"{where}: every line must be one JSON object, but this one begins a JSON array; "
                "write one object in a line, without the brackets and the commas between objects"
            )
        value = json_value(line, where, "every line must be one JSON object")
        if not isinstance(value, dict):
            raise InputError(
                f"{where}: every line must be one JSON object, "
                f"but this is a {type(value).__name__}; write it as {{…}}"
            )
        for key in value:
            if reason := fault(key):
                shown = key.encode(errors="backslashreplace").decode()
                raise InputError(f"{where}: the key '{shown}' {reason}; correct it")
        yield where, value
    if empty:
        raise InputError(f"{path}: at least one row of data is needed, but there is none")


def json_value(text: str, where: str, rule: str, lines: bool = False) -> Any:
    """Parse JSON.

    Args:
        where: file, and line if the text is one.
        rule: start of the message.
        lines: whether the text is a file, with the line of an error to tell.

    Raises:
        InputError: invalid JSON, a number of thousands of digits, or JSON beyond a limit.
    """
    limit = MAX_JSON if lines else MAX_LINE
    if len(text) > limit:
        raise InputError(
            f"{where}: {rule} of no more than {limit:,} characters, but it has {len(text):,}; "
            "divide it"
        )
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        line = f", line {error.lineno}" if lines else ""
        shown = "" if lines else f": {text[:40]!r}"
        raise InputError(
            f"{where}{line}, column {error.colno}: {rule}, but {error.msg.lower()}{shown}; correct "
            "it"
        ) from None
    except ValueError:  # of int(), for its limit of digits
        raise InputError(
            f"{where}: {rule}, but a number in it has more digits than can be read; correct it"
        ) from None
    except RecursionError:
        is_deep = True
    else:
        is_deep = _is_deep(value)
    if is_deep:
        raise InputError(
            f"{where}: {rule} of no more than {MAX_NESTING} lists and objects within one another, "
            "but it has more; correct it"
        )
    return value


def _is_deep(value: Any) -> bool:
    """Whether lists and objects are nested more than MAX_NESTING deep."""
    level: list[Any] = [[value]]
    for _ in range(MAX_NESTING + 1):
        members = chain.from_iterable(
            outer.values() if isinstance(outer, dict) else outer for outer in level
        )
        level = [member for member in members if isinstance(member, NESTED)]
        if not level:
            return False
    return True


def fault(value: Any) -> str | None:
    """What is wrong with a value that must be one text or number; None: nothing.

    >>> fault("text"), fault([1])
    (None, 'must be one text or number, but it is [1]')
    """
    if isinstance(value, Collection) and not isinstance(value, str):  # of Parquet also bytes
        return f"must be one text or number, but it is {str(value)[:40]}"
    if isinstance(value, str) and (position := half_character(value)):
        surrogate = f"\\u{ord(value[position - 1]):04x}"
        return (
            f"must be a text, but its character {position} is half of one ({surrogate}, a "
            "surrogate without its pair)"
        )
    return None


def half_character(text: str) -> int | None:
    """Position, from 1, of the first surrogate: UTF-8 has none, so it cannot be encoded.

    >>> half_character("a\\ud83d"), half_character("a\\U0001f600")
    (2, None)
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start + 1
    return None
