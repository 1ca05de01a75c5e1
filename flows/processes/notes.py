"""Notes as lines on standard error, in commands and in their workers."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

from rnnkit.errors import Note, as_message, escaped
from rnnkit.runtime.secrets import without_secrets


def print_notes_as_lines() -> None:
    """Print a note as a refusal is printed; what other libraries warn of keeps its form."""
    usual = warnings.formatwarning
    if not isinstance(usual, functools.partial):  # called before
        warnings.formatwarning = functools.partial(_line, usual)


def _line(
    usual: Callable[..., str], message: Warning | str, category: type[Warning], *place: Any
) -> str:
    if issubclass(category, Note):
        return f"rnnkit: {as_message(without_secrets(str(message)))}\n"
    return escaped(without_secrets(usual(message, category, *place)))
