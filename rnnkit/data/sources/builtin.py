"""Readers of data that ship with Python or an installed package."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from rnnkit.data.sources import (
    co2,
    dates,
    digits,
    python_docs,
    python_docstrings,
    python_tokens,
    spelled_digits,
    sunspots,
    touch_tones,
)
from rnnkit.errors import InputError
from rnnkit.params.source import Builtin

if TYPE_CHECKING:
    import pandas as pd

BUILTINS: Mapping[str, ModuleType] = {
    "python_tokens": python_tokens,
    "python_docstrings": python_docstrings,
    "python_docs": python_docs,
    "sunspots": sunspots,
    "co2": co2,
    "digits": digits,
    "dates": dates,
    "spelled_digits": spelled_digits,
    "touch_tones": touch_tones,
}


def fingerprint(params: Builtin) -> str:
    """SHA-256 of the source bytes; does not import their packages."""
    result: str = BUILTINS[params.name].fingerprint(params)
    return result


def read(params: Builtin, part: str | None) -> pd.DataFrame:
    """Read the source.

    Raises:
        InputError: a split by column, which no built-in source has.
    """
    if part is not None:
        raise InputError(
            f"{params.name}: built-in data have no column {part!r} that names their parts; "
            "use `split: {kind: fractions}`, or `{kind: time}` for a series"
        )
    frame: pd.DataFrame = BUILTINS[params.name].read(params)
    return frame


def describe(params: Builtin) -> str:
    """Description of the source, in one line."""
    text: str = BUILTINS[params.name].DESCRIPTION
    return f"{params.name}: {text}"
