"""The console of standard output."""

import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from rnnkit.errors import escaped

QUIET = r"(prefect|mlflow|pydantic|websockets|tqdm)"
"""Modules whose warnings are for their own developers, not for users."""


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, in which HTML is shown."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return hasattr(shell, "kernel")


class Terminal(Console):
    """The terminal or file of standard output; texts are shown with control characters escaped."""

    @property
    def is_terminal(self) -> bool:
        """Whether lines can be drawn again; a kernel's output says so, and cannot."""
        return super().is_terminal and not in_notebook()

    def render_str(self, text: str, **options: Any) -> Text:
        """A text, or one in a table, as rich prints it."""
        return super().render_str(escaped(text), **options)


out = Terminal(highlight=False, soft_wrap=True, markup=False, emoji=False, force_jupyter=False)
