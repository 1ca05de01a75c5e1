"""The stages of a run while it goes on: bars on a terminal or in a notebook, else plain lines."""

import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from html import escape
from typing import Any, Self

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

from flows.console.output import in_notebook, out
from rnnkit.errors import escaped

REFRESH_SECONDS = 0.2
"""Least time between two updates of a notebook."""


@dataclass
class Stage:
    """A stage of a run.

    Args:
        total: steps of it; None: it only shows that something happens.
        note: text beside it.
        done: steps that are done.
        is_over: whether it has ended.
    """

    name: str
    total: int | None
    note: str = ""
    done: int = 0
    is_over: bool = False
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    """Until its last change."""


class View(ABC):
    """Where stages are shown."""

    frame: AbstractContextManager[Any] = nullcontext()
    """Held while there are stages."""

    @abstractmethod
    def draw(self, stages: list[Stage], changed: Stage) -> None:
        """A stage has begun, changed or ended."""


class Bars(View):
    """Progress bars on a terminal."""

    def __init__(self) -> None:
        self._tasks: dict[int, TaskID] = {}
        self.frame = self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=out,
        )

    def draw(self, stages: list[Stage], changed: Stage) -> None:
        key, note = id(changed), escaped(changed.note)
        if key not in self._tasks:
            name = escaped(changed.name)
            self._tasks[key] = self._progress.add_task(name, total=changed.total, note=note)
        total = (changed.total or 1) if changed.is_over else changed.total
        done = total if changed.is_over else changed.done
        self._progress.update(self._tasks[key], total=total, completed=done, note=note)


class Lines(View):
    """A line for each change of a stage's note, and for its end."""

    def __init__(self) -> None:
        self._printed: dict[int, str] = {}

    def draw(self, stages: list[Stage], changed: Stage) -> None:
        key, note = id(changed), changed.note
        printed = self._printed.get(key)
        if changed.is_over and (not note or note != printed):
            out.print(f"{changed.name}: {note or 'done'}")
        elif note and note != printed:
            count = "" if changed.total is None else f" {changed.done}/{changed.total}"
            out.print(f"{changed.name}{count}: {note}")
        self._printed[key] = note


class NotebookTable(View):
    """A table in the output of a notebook's cell, which is drawn again while the stages go on."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._drawn = 0.0

    def draw(self, stages: list[Stage], changed: Stage) -> None:
        now = time.monotonic()
        is_new = changed.done == 0 and not changed.note
        if not (is_new or changed.is_over) and now - self._drawn < REFRESH_SECONDS:
            return
        self._drawn = now
        from IPython.display import HTML, display

        if self._handle is None:
            self._handle = display(HTML(table_of(stages)), display_id=True)
        else:
            self._handle.update(HTML(table_of(stages)))


def table_of(stages: list[Stage]) -> str:
    """Stages as a table in HTML.

    >>> stage = Stage("train", 4, "valid/loss <0.5>", done=1)
    >>> print(table_of([stage]).replace("</td>", "</td>\\n"))
    <table><tr><td>…</td>
    <td>train</td>
    <td><progress value="1" max="4"></progress></td>
    <td>1/4</td>
    <td>0 s</td>
    <td style="text-align: left">valid/loss &lt;0.5&gt;</td>
    </tr></table>
    """
    rows = []
    for stage in stages:
        bar = "" if stage.total is None else f'value="{stage.done}" max="{stage.total}"'
        bar = 'value="1" max="1"' if stage.is_over else bar
        count = "" if stage.total is None else f"{stage.done}/{stage.total}"
        mark, name = "✓" if stage.is_over else "…", escape(escaped(stage.name))
        cells = (mark, name, f"<progress {bar}></progress>", count, f"{stage.seconds:.0f} s")
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(
            f'<tr>{row}<td style="text-align: left">{escape(escaped(stage.note))}</td></tr>'
        )
    return f"<table>{''.join(rows)}</table>"


class Stages:
    """The stages of a run, shown where its user is."""

    def __init__(self) -> None:
        self._stages: list[Stage] = []
        self._view: View = Bars() if out.is_terminal else Lines()
        if in_notebook():
            self._view = NotebookTable()

    def begin(self, name: str, total: int | None) -> Stage:
        """A new stage; without a total it only shows that something happens."""
        stage = Stage(name, total)
        self._stages.append(stage)
        self._draw(stage)
        return stage

    def show(self, stage: Stage, done: int, note: str) -> None:
        """Where a stage stands."""
        stage.done, stage.note = done, note
        self._draw(stage)

    def end(self, stage: Stage, note: str) -> None:
        """A stage is done."""
        stage.note, stage.is_over = note, True
        stage.done = stage.total or stage.done
        self._draw(stage)

    def _draw(self, stage: Stage) -> None:
        stage.seconds = time.monotonic() - stage.began
        if not out.quiet:
            self._view.draw(self._stages, stage)

    def __enter__(self) -> Self:
        self._view.frame.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._view.frame.__exit__(*error)
