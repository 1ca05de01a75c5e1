"""The console of standard output."""

from typing import Any

from rich.console import Console
from rich.text import Text

from rnnkit.errors import escaped

QUIET = r"(prefect|mlflow|pydantic|websockets|torchmetrics)"
"""Modules whose warnings are for their own developers, not for users."""


class Terminal(Console):
    """The terminal or file of standard output; texts are shown with control characters escaped."""

    def render_str(self, text: str, **options: Any) -> Text:
        """A text, or one in a table, as rich prints it."""
        return super().render_str(escaped(text), **options)


out = Terminal(highlight=False, soft_wrap=True, markup=False, emoji=False, force_jupyter=False)
