"""A file of lines, as guessing sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnkit.data.guess.cells import Column
from rnnkit.data.guess.taken import Option, counted
from rnnkit.data.guess.view import View


@dataclass(frozen=True)
class Lines:
    """A file of lines.

    Args:
        path: as in the params.
        keys: of `data.source`: the encoding.
        said: key -> what was guessed about it.
        rows: the lines that were read.
        scale: lines of the file for each that was read.
        given: the split that files give.
    """

    path: str
    keys: Mapping[str, Any]
    said: Mapping[str, str]
    rows: Sequence[str]
    scale: float
    given: Mapping[str, Any] | None

    def source(self, kind: str, **named: Any) -> dict[str, Any]:
        """The source block."""
        return {"kind": kind, "path": self.path, **self.keys, **named}

    def number_of(self, what: str, count: int) -> str:
        """A number in words: about, if not all lines were read."""
        return counted(count, what, self.scale == 1)

    def split(self, total: int) -> dict[str, Any]:
        """The split block, for so many items."""
        return View(self.path, {}, {}, (Column("", ()),), total, self.given).split()

    def remarks(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Remarks by params path."""
        return {**{f"data.source.{key}": text for key, text in self.said.items()}, **(more or {})}


Guessed = tuple[str, tuple[Option, ...]]
"""The form in words, and the tasks that fit."""
