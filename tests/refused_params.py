"""Params files as text, and the message that refuses one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rnnkit.errors import InputError
from rnnkit.params import load

TAGGING = """\
name: a
task: {kind: tagging}
data:
  source: {kind: builtin, name: python_tokens}
"""
FORECASTING = """\
name: a
task: {kind: forecasting}
data:
  source: {kind: builtin, name: sunspots}
  split: {kind: time}
model:
  representation: {kind: raw}
"""
Write = Callable[[str | bytes], Path]


def refusal(file: Path, *overrides: str) -> str:
    """The message that refuses a file, in one line; the file is called by its name alone."""
    with pytest.raises(InputError) as caught:
        load(file, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{file.parent}/", "")
