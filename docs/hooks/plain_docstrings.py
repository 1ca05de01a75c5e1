"""Docstrings as they stand in the code -> Markdown: what is aligned by blanks stays aligned.

A doctest and a list of names with their meanings in columns become blocks of code, which Markdown
would otherwise run together into one paragraph.
"""

import re
from typing import Any

from griffe import Extension, Object

DOCTEST = ">>> "
COLUMNS = re.compile(r"\S+( \S+)* {2,}\S")
"""A line of a list in columns: a name, two blanks or more, its meaning."""


def fenced(text: str) -> str:
    """A docstring with its doctests and columns as blocks of code.

    >>> print(fenced("One more.\\n\\n>>> 1 + 1\\n2"))
    One more.
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    """
    return "\n\n".join(map(_fenced, re.split(r"\n[ \t]*\n", text)))


def _fenced(paragraph: str) -> str:
    lines = paragraph.split("\n")
    if any(line.startswith(("    ", "```")) for line in lines[:1]):
        return paragraph  # code already, or what belongs to a section above
    if lines[0].startswith(DOCTEST):
        return "\n".join(["```pycon", *lines, "```"])
    at_names = [line for line in lines if not line.startswith(" ")]
    if len(lines) > 1 and all(COLUMNS.match(line) for line in at_names):
        return "\n".join(["```text", *lines, "```"])
    return paragraph


class PlainDocstrings(Extension):
    """Rewrites each docstring before mkdocstrings parses it."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called for every object that has been read."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
