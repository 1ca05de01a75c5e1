"""What a new task, source or metric is missing, in one sentence that names the places.

A new cell's places are checked in tests/nn/test_cells.py.
"""

import ast
from collections.abc import Mapping, Set
from pathlib import Path
from typing import get_args

import pytest

from rnnkit import metrics
from rnnkit.data import sources
from rnnkit.data.sources import builtin
from rnnkit.params import load
from rnnkit.params import source as params
from rnnkit.params.task import Task
from rnnkit.tasks import TASKS

ROOT = Path(__file__).parents[1]


def missing(what: str, places: Mapping[str, Set[str]]) -> list[str]:
    """A sentence for each name that stands in some of the places and not in all.

    Args:
        what: such as "source".
        places: the names that stand there, by the place.
    """
    sentences = []
    for name in sorted(set().union(*places.values())):
        absent = [place for place, names in places.items() if name not in names]
        if absent:
            sentences.append(f"the {what} {name} is missing in {' and in '.join(absent)}")
    return sentences


def meters(path: Path) -> set[str]:
    """The classes of a module that are meters."""
    nodes = ast.parse(path.read_text()).body
    return {n.name for n in nodes if isinstance(n, ast.ClassDef) and n.name.endswith("Meter")}


def used(names: Set[str], folder: Path) -> set[str]:
    """Those of the names that a Python file below the folder contains."""
    text = "\n".join(file.read_text() for file in folder.rglob("*.py"))
    return {name for name in names if name in text}


def test_every_task_has_its_folder_row_block_page_and_example() -> None:
    kinds = {kind.model_fields["kind"].default for kind in get_args(get_args(Task)[0])}
    folders = ROOT / "rnnkit" / "tasks"
    files = ("examples.py", "task.py", "__init__.py")
    whole = {f.name for f in folders.iterdir() if all((f / name).exists() for name in files)}
    examples = {load(file).task.kind for file in ROOT.glob("params/*.yaml")}
    pages = {page.stem.replace("-", "_") for page in ROOT.glob("docs/tasks/*.md")} - {"index"}
    places = {
        "rnnkit.params.task.Task": kinds,
        "rnnkit.tasks.TASKS": set(TASKS),
        f"rnnkit/tasks/KIND ({', '.join(files)})": whole - {"sequence_to_sequence"},
        "params/ (no example)": examples,
        "docs/tasks": pages,
    }
    assert missing("task", places) == []


def test_every_source_is_in_the_params_and_in_the_table() -> None:
    kinds = {kind.model_fields["kind"].default for kind in get_args(get_args(params.Source)[0])}
    places = {"rnnkit.data.sources.SOURCES": set(sources.SOURCES), "params.source.Source": kinds}
    assert missing("source", places) == []


def test_every_built_in_source_has_its_form_and_its_reader() -> None:
    places = {
        "rnnkit.data.sources.builtin.BUILTINS": set(builtin.BUILTINS),
        "rnnkit.params.source.BUILTINS": set(params.BUILTINS),
    }
    assert missing("built-in source", places) == []


def test_every_meter_is_exported_listed_and_used_by_a_task() -> None:
    folder = Path(metrics.__file__).parent
    defined = set().union(*map(meters, folder.glob("*.py")))
    assert len(defined) >= 9
    assert metrics.__doc__ is not None
    places = {
        "a module of rnnkit.metrics": defined,
        "rnnkit.metrics.__all__": {name for name in metrics.__all__ if name.endswith("Meter")},
        "the table in rnnkit.metrics": {n for n in defined if f"`{n}`" in metrics.__doc__},
        "any task": used(defined, ROOT / "rnnkit" / "tasks"),
    }
    assert missing("meter", places) == []


@pytest.mark.parametrize("kind", ["task", "source", "meter"])
def test_a_missing_place_is_named(kind: str) -> None:
    places = {"the table": {"a", "b"}, "the params": {"a"}, "the docs": {"a"}}
    assert missing(kind, places) == [f"the {kind} b is missing in the params and in the docs"]
