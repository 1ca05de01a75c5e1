"""What a file or a folder is taken for: the tasks that fit it, each with its blocks of params."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rnnkit.errors import InputError
from rnnkit.params.beginning import Size

Block = Mapping[str, Any]


@dataclass(frozen=True)
class Option:
    """A task that fits the data.

    Args:
        task: keys of the task block.
        data: keys of the data block.
        size: of the data, which decides the size of the network.
        about: what the data are for this task, as "1,200 texts with one of 3 labels".
        remarks: params path -> what was guessed, or seen, about its value.
    """

    task: Block
    data: Block
    size: Size
    about: str
    remarks: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The task's kind."""
        return str(self.task["kind"])


@dataclass(frozen=True)
class Taken:
    """A file or folder, and what it is taken for.

    Args:
        path: as it stands in the params.
        form: in words, as "CSV with ; between the fields, 3 columns".
        options: the tasks that fit, the likeliest first.
        notes: what else was seen, a line each.
    """

    path: str
    form: str
    options: tuple[Option, ...]
    notes: tuple[str, ...] = ()

    def option(self, task: str | None) -> Option:
        """The option of a task, or the likeliest.

        Raises:
            InputError: the task does not fit.
        """
        if task is None:
            return self.options[0]
        for option in self.options:
            if option.kind == task:
                return option
        raise InputError(
            f"{self.path}: is taken for {self.form}, which fits {self.tasks}, and not {task}; "
            "choose one of these, or write the params by hand"
        )

    @property
    def tasks(self) -> str:
        """Names of the tasks that fit."""
        return ", ".join(option.kind for option in self.options)


class NotTaken(InputError):
    """A file that fits no task, or whose form is not recognised."""


GUESS = "guess: "
"""Begin of a remark on a value that the data do not settle."""


def counted(number: int, what: str, is_exact: bool = True) -> str:
    """A number of things in words.

    >>> counted(1, "column"), counted(31_480, "text", False)
    ('1 column', 'about 31,000 texts')
    """
    if not is_exact and number > 10:
        size = 10 ** (len(str(number)) - 2)
        return f"about {round(number / size) * size:,} {what}s"
    return f"{number:,} {what}{'' if number == 1 else 's'}"
