"""The params file for what a file is taken for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rnnkit.data.guess.taken import GUESS, Option, Taken
from rnnkit.errors import escaped
from rnnkit.params import Experiment
from rnnkit.params.beginning import beginning
from rnnkit.params.load import validated
from rnnkit.params.written import written

MAX_NAME = 60
"""Characters of an experiment's name."""


def name_of(path: str) -> str:
    """An experiment's name, from a path.

    >>> name_of("data/my texts (1).csv.gz"), name_of("names/{a,b}.txt"), name_of("x/*.csv")
    ('my-texts-1', 'names', 'x')
    """
    plain = path
    while re.search(r"[*{]", Path(plain).name):
        plain = str(Path(plain).parent / re.sub(r"[.]?[*{].*", "", Path(plain).name))
        if plain.endswith("/") or not Path(plain).name:
            break
    stem = Path(plain).name.partition(".")[0] or Path(plain).name or "data"
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:MAX_NAME]
    return name or "data"


def params_file(taken: Taken, option: Option, name: str, head: list[str]) -> tuple[Experiment, str]:
    """The experiment, and its params file with comments.

    Args:
        head: comment lines below the description.

    Raises:
        InputError: a rule of params does not hold.
    """
    model, train = beginning(option.kind, option.size)
    values: dict[str, Any] = {
        "name": name,
        "task": dict(option.task),
        "data": dict(option.data),
        "model": model,
        "train": train,
    }
    remarks = {
        "model": f"{GUESS}a size to begin with, for {option.size.items:,} items",
        **{path: text for path, text in option.remarks.items() if text},
    }
    text = written(values, [described(taken, option), *head], remarks)
    return validated(values, name), text


def described(taken: Taken, option: Option) -> str:
    """What the file is taken for, in a sentence."""
    return escaped(f"{taken.path}: {option.about}, for {option.kind.replace('_', ' ')}.")
