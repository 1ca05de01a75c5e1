"""Output on the terminal: progress bars while a run goes on, its table when it ends."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from rnnkit.errors import escaped

QUIET = r"(prefect|mlflow|pydantic|websockets|torchmetrics)"
"""Modules whose warnings are for their own developers, not for users."""


class Terminal(Console):
    """The terminal or file of standard output; texts are shown with control characters escaped."""

    def render_str(self, text: str, **options: Any) -> Text:
        """A text, or one in a table, as rich prints it."""
        return super().render_str(escaped(text), **options)


out = Terminal(highlight=False, soft_wrap=True, markup=False, emoji=False)


class Stages(Progress):
    """Progress bars, one per stage; plain lines where the output is no terminal."""

    def __init__(self) -> None:
        super().__init__(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=out,
            disable=not out.is_terminal,
        )

    def begin(self, name: str, total: int | None) -> TaskID:
        """A new bar; without a total it only shows that something happens."""
        return self.add_task(escaped(name), total=total, note="")

    def show(self, stage: TaskID, done: int, note: str) -> None:
        """Where a stage stands."""
        self.update(stage, completed=done, note=escaped(note))

    def end(self, stage: TaskID, note: str) -> None:
        """A stage is done."""
        total = self.tasks[stage].total or 1
        self.update(stage, total=total, completed=total, note=escaped(note))
        if not out.is_terminal:
            out.print(f"{self.tasks[stage].description}: {note or 'done'}", markup=False)


def number(value: float | None) -> str:
    """A figure as a person reads it.

    >>> number(0.98765), number(639.304), number(None)
    ('0.9877', '639.30', '')
    """
    if value is None:
        return ""
    size = abs(value)
    return format(value, ".4g" if size < 10 else ".3f" if size < 100 else ".2f")


def comparison(title: str, result: Mapping[str, Any]) -> Table:
    """The network against its baselines."""
    names = [n for n in result["shown"] if n in result["test"]]
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in names:
        table.add_column(name, justify="right")
    rows = [(result["network"], result["test"]), *result["baselines"].items()]
    for i, (name, metrics) in enumerate(rows):
        cells = [number(metrics.get(metric)) for metric in names]
        table.add_row(name, *cells, style="bold" if i == 0 else None)
    return table


def print_result(run_id: str, result: Mapping[str, Any]) -> None:
    """The table of the model against its baselines, and the tuned values."""
    out.print(comparison(f"{run_id}: test split", result))
    out.print(result["verdict"], markup=False)
    if training := result.get("training"):
        out.print(training, markup=False)
    for what, how in {**result.get("start", {}), **result.get("counted", {})}.items():
        out.print(f"{what}: {how}", markup=False)
    if result["tuned"]:
        values = ", ".join(
            f"{k} = {number(v) if isinstance(v, float) else v}" for k, v in result["tuned"].items()
        )
        trials = ", ".join(f"{n} {state}" for state, n in result["trials"].items() if n)
        out.print(f"Tuned: {values} ({trials} trials).", markup=False)
