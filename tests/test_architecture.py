"""Who may import whom. The table stands here; the imports are read with `ast`, wherever they are.

A room is a module or a package of `rnnkit` or of `flows`. A room may import only rooms whose rows
stand above its own, and a permission that no module uses is refused. Inside a room modules may
import each other, without a cycle.
"""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from rnnkit.params.task import TaskBlock
from rnnkit.tasks import TASKS

HOUSE = Path(__file__).parents[1]

ROWS: Mapping[str, set[str]] = {
    "rnnkit.errors": set(),
    "rnnkit.runtime": {"rnnkit.errors"},
    "rnnkit.params": {"rnnkit.errors", "rnnkit.runtime"},
    "rnnkit.data": {"rnnkit.errors", "rnnkit.params", "rnnkit.runtime"},
    "rnnkit.nn": {"rnnkit.errors", "rnnkit.params", "rnnkit.data"},
    "rnnkit.cells": {"rnnkit.nn"},
    "rnnkit.metrics": {"rnnkit.nn"},
    "rnnkit.figures": {"rnnkit.errors", "rnnkit.runtime"},
    "rnnkit.tasks": {
        "rnnkit.errors",
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.figures",
        "rnnkit.data",
        "rnnkit.nn",
        "rnnkit.metrics",
    },
    "rnnkit.runs": {"rnnkit.errors", "rnnkit.params", "rnnkit.runtime", "rnnkit.data"},
    "rnnkit.training": {
        "rnnkit.errors",
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.data",
        "rnnkit.nn",
        "rnnkit.metrics",
        "rnnkit.tasks",
        "rnnkit.runs",
    },
    "rnnkit.inference": {
        "rnnkit.errors",
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.figures",
        "rnnkit.data",
        "rnnkit.nn",
        "rnnkit.tasks",
        "rnnkit.runs",
    },
    "rnnkit.served": {"rnnkit.inference"},
    "rnnkit": {"rnnkit.errors", "rnnkit.params", "rnnkit.nn", "rnnkit.inference"},
    "rnnkit.evaluation": {
        "rnnkit.errors",
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.data",
        "rnnkit.nn",
        "rnnkit.metrics",
        "rnnkit.tasks",
        "rnnkit.runs",
        "rnnkit.training",
        "rnnkit.inference",
    },
    "rnnkit.diagnose": {
        "rnnkit.errors",
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.data",
        "rnnkit.nn",
        "rnnkit.tasks",
        "rnnkit.runs",
        "rnnkit.training",
        "rnnkit.evaluation",
    },
    "rnnkit.claims": {
        "rnnkit.errors",
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.tasks",
        "rnnkit.runs",
        "rnnkit.training",
        "rnnkit.evaluation",
        "rnnkit.figures",
    },
    "rnnkit.report": {
        "rnnkit.errors",
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.data",
        "rnnkit.tasks",
        "rnnkit.runs",
        "rnnkit.evaluation",
        "rnnkit.diagnose",
        "rnnkit.figures",
    },
    "flows": set(),
    "flows.settings": {"rnnkit.errors", "rnnkit.params", "rnnkit.runtime"},
    "flows.console": {"rnnkit.errors"},
    "flows.processes": {"rnnkit.errors", "rnnkit.runtime", "flows.settings", "flows.console"},
    "flows.pages": {"flows.settings", "flows.console", "flows.processes"},
    "flows.tracking": {
        "rnnkit",
        "rnnkit.errors",
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.runs",
        "rnnkit.inference",
        "rnnkit.evaluation",
        "flows.settings",
        "flows.processes",
    },
    "flows.pipeline": {
        "rnnkit.params",
        "rnnkit.data",
        "rnnkit.tasks",
        "rnnkit.runs",
        "rnnkit.training",
        "rnnkit.evaluation",
        "rnnkit.diagnose",
        "rnnkit.report",
        "flows.settings",
        "flows.console",
        "flows.pages",
        "flows.tracking",
    },
    "flows.tune": {
        "rnnkit.errors",
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.data",
        "rnnkit.tasks",
        "rnnkit.runs",
        "rnnkit.training",
        "flows.settings",
        "flows.console",
        "flows.processes",
        "flows.pages",
        "flows.tracking",
        "flows.pipeline",
    },
    "flows.experiment": {
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.data",
        "rnnkit.tasks",
        "rnnkit.runs",
        "rnnkit.training",
        "flows.settings",
        "flows.console",
        "flows.pages",
        "flows.pipeline",
        "flows.tune",
    },
    "flows.schedule": {
        "rnnkit.errors",
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.runs",
        "rnnkit.evaluation",
        "flows.settings",
        "flows.console",
        "flows.processes",
        "flows.pages",
        "flows.tracking",
        "flows.experiment",
    },
    "flows.compare": {
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.runs",
        "rnnkit.training",
        "rnnkit.evaluation",
        "rnnkit.report",
        "flows.settings",
        "flows.console",
        "flows.processes",
        "flows.pages",
        "flows.tracking",
        "flows.pipeline",
    },
    "flows.claims": {
        "rnnkit.params",
        "rnnkit.runs",
        "rnnkit.training",
        "rnnkit.claims",
        "flows.settings",
        "flows.console",
        "flows.processes",
    },
    "flows.launcher": {
        "rnnkit.errors",
        "rnnkit.runtime",
        "rnnkit.runs",
        "rnnkit.evaluation",
        "flows.settings",
        "flows.console",
        "flows.processes",
        "flows.pages",
        "flows.pipeline",
        "flows.experiment",
        "flows.compare",
    },
    "flows.notebook": {
        "rnnkit.errors",
        "rnnkit.params",
        "rnnkit.runs",
        "rnnkit.inference",
        "rnnkit.report",
        "flows.settings",
        "flows.console",
        "flows.processes",
        "flows.launcher",
    },
    "flows.cli": {
        "rnnkit",
        "rnnkit.errors",
        "rnnkit.params",
        "rnnkit.runtime",
        "rnnkit.data",
        "rnnkit.tasks",
        "rnnkit.runs",
        "rnnkit.training",
        "rnnkit.inference",
        "rnnkit.evaluation",
        "rnnkit.diagnose",
        "rnnkit.claims",
        "rnnkit.report",
        "rnnkit.figures",
        "flows.settings",
        "flows.console",
        "flows.processes",
        "flows.tracking",
        "flows.schedule",
        "flows.claims",
        "flows.launcher",
    },
}
"""Room -> the rooms it may import."""

ONLY_IN: Mapping[str, set[str]] = {
    "mlflow": {"flows.tracking"},
    "optuna": {"flows.tune"},
    "prefect": {"flows.pages", "flows.processes", "flows.schedule"},
    "typer": {"flows.cli"},
    "matplotlib": {"rnnkit.figures", "rnnkit.report"},
    "numba": {"rnnkit.nn"},
    "llvmlite": {"rnnkit.nn"},
}
"""A package that is not ours -> the only rooms that import it."""

WRITTEN_ONLY_IN: Mapping[str, set[str]] = {
    "manual_seed": {"rnnkit.runtime"},
    "set_num_threads": {"rnnkit.runtime"},
    "@flow": {"flows.schedule"},
}
"""A name or a decorator -> the only rooms in which it stands."""

NEVER_IN: Mapping[str, set[str]] = {"rnnkit.params": {"torch", "pandas", "numpy", "jaxtyping"}}
"""Room -> packages it must do without, so that bad params are refused at once."""

OF_TASKS = ("rnnkit.tasks", "rnnkit.params")
"""The only rooms that may branch on a kind of task; all others ask the task."""

DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "base"}


def files(house: Path) -> dict[str, Path]:
    """Every module of the house by its dotted name; a package's is that of its `__init__`."""
    found = {}
    for path in sorted(house.glob("rnnkit/**/*.py")) + sorted(house.glob("flows/**/*.py")):
        parts = path.relative_to(house).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def imports(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """The modules that a file imports: at its top, inside functions, for types, by name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: write the whole name of the module"
            module = node.module or ""
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                yield inner if inner in known else module
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__") and node.args:
                named = node.args[0]
                if isinstance(named, ast.Constant) and isinstance(named.value, str):
                    yield named.value


def marks(path: Path) -> Iterator[str]:
    """The names and decorators in a file that WRITTEN_ONLY_IN may confine."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
        for decorator in getattr(node, "decorator_list", []):
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            yield "@" + getattr(called, "attr", getattr(called, "id", ""))


def faults(house: Path, rows: Mapping[str, set[str]]) -> list[str]:
    """Everything in a house that its table does not allow, a sentence each."""
    modules = files(house)
    rooms = {room(module) for module in modules}
    found = [f"{name} has no row in ROWS" for name in sorted(rooms - set(rows))]
    found += [f"ROWS has a row for {name}, which is not there" for name in set(rows) - rooms]
    order = list(rows)
    for name, allowed in rows.items():
        above = set(order[: order.index(name)])
        found += [
            f"ROWS: {name} may not name {low}, which is not above it" for low in allowed - above
        ]
    for module, path in modules.items():
        here = room(module)
        for target in set(imports(path, modules)):
            top = target.split(".")[0]
            if top in ("rnnkit", "flows"):
                if room(target) not in rows.get(here, set()) | {here}:
                    found.append(f"{module} may not import {target}")
            elif here not in ONLY_IN.get(top, {here}) or top in NEVER_IN.get(here, ()):
                found.append(f"{module} may not import {target}")
        for mark in set(marks(path)):
            if here not in WRITTEN_ONLY_IN.get(mark, {here}):
                found.append(f"{module} may not use {mark}")
    return found


def unused(house: Path, rows: Mapping[str, set[str]]) -> list[str]:
    """Permissions that no module uses, a sentence each."""
    modules = files(house)
    used = {
        (room(module), room(target))
        for module, path in modules.items()
        for target in imports(path, modules)
    }
    return [
        f"ROWS: {name} may import {other}, and does not"
        for name, allowed in rows.items()
        for other in sorted(allowed)
        if (name, other) not in used
    ]


def test_the_house_stands_as_its_table_says() -> None:
    assert faults(HOUSE, ROWS) == []


def test_every_permission_is_used() -> None:
    assert unused(HOUSE, ROWS) == []


def circle(house: Path) -> list[str]:
    """Modules that import each other in a circle, or nothing."""
    modules = files(house)
    graph = {
        module: {target for target in imports(path, modules) if target in modules}
        for module, path in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def branches(path: Path, kinds: set[str], blocks: set[str]) -> Iterator[str]:
    """Where a file branches on a kind of task: a comparison with its name, a test of its params'
    class, or a comparison of a topology."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            words = {
                leaf.value
                for side in sides
                for leaf in ast.walk(side)
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
            }
            names = {
                leaf.attr for side in sides for leaf in ast.walk(side) if hasattr(leaf, "attr")
            }
            if words & kinds:
                yield f"line {node.lineno} compares with {sorted(words & kinds)[0]!r}"
            if "topology" in names:
                yield f"line {node.lineno} compares a topology"
        if isinstance(node, ast.ImportFrom) and node.module == "rnnkit.params.task":
            named = {alias.name for alias in node.names} & blocks
            if named:
                yield f"line {node.lineno} imports {sorted(named)[0]}"


def test_nothing_outside_its_folder_branches_on_a_kind_of_task() -> None:
    blocks = {cls.__name__ for cls in TaskBlock.__subclasses__()}
    blocks |= {
        cls.__name__ for parent in TaskBlock.__subclasses__() for cls in parent.__subclasses__()
    }
    assert [
        f"{module}: {branch}"
        for module, path in files(HOUSE).items()
        if room(module) not in OF_TASKS
        for branch in branches(path, set(TASKS), blocks)
    ] == []


@pytest.mark.parametrize(
    ("source", "branch"),
    [
        ("if task.kind == 'music':\n    pass", "line 1 compares with 'music'"),
        ("x = kind in ('tagging', 'music')", "line 1 compares with 'music'"),
        ("x = task.topology == 'synced'", "line 1 compares a topology"),
        ("from rnnkit.params.task import Music, Task", "line 1 imports Music"),
    ],
)
def test_a_branch_on_a_kind_of_task_is_found(tmp_path: Path, source: str, branch: str) -> None:
    (tmp_path / "a.py").write_text(source + "\n")
    assert list(branches(tmp_path / "a.py", set(TASKS), {"Music"})) == [branch]


def test_modules_import_each_other_without_a_circle() -> None:
    assert circle(HOUSE) == []


def test_no_file_is_a_drawer() -> None:
    named = [
        path.relative_to(HOUSE)
        for folder in ("rnnkit", "flows", "tests")
        for path in (HOUSE / folder).rglob("*")
        if path.stem.lstrip("_") in DRAWERS
    ]
    assert named == []


def test_what_is_confined_is_there() -> None:
    """A row about something that no room uses any more would guard nothing."""
    modules = files(HOUSE)
    for name, rooms in [*ONLY_IN.items(), *WRITTEN_ONLY_IN.items()]:
        for home in rooms:
            used = {
                word
                for module, path in modules.items()
                if room(module) == home
                for word in [*marks(path), *(t.split(".")[0] for t in imports(path, modules))]
            }
            assert name in used, f"{home} does not use {name}: take it out of the table"


# ---------------------------------------------------------------------- the check itself can fail


SMALL: Mapping[str, set[str]] = {
    "rnnkit": set(),
    "rnnkit.params": set(),
    "rnnkit.train": {"rnnkit.params"},
    "flows": set(),
    "flows.schedule": {"rnnkit.train"},
}


@pytest.fixture
def small_house(tmp_path: Path) -> Path:
    for name in ("rnnkit/__init__", "rnnkit/params/__init__", "rnnkit/train", "flows/__init__"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.py").write_text("")
    (tmp_path / "rnnkit" / "params" / "load.py").write_text("import yaml\n")
    (tmp_path / "flows" / "schedule.py").write_text(
        "from prefect import flow\nimport rnnkit.train\n\n@flow(name='a')\ndef a(): ...\n"
    )
    return tmp_path


def test_a_house_in_order_has_no_fault(small_house: Path) -> None:
    assert faults(small_house, SMALL) == []


@pytest.mark.parametrize(
    ("file", "source", "fault"),
    [
        ("rnnkit/train.py", "import flows.schedule", "rnnkit.train may not import flows.schedule"),
        (
            "rnnkit/train.py",
            "from flows import schedule",
            "rnnkit.train may not import flows.schedule",
        ),
        (
            "rnnkit/train.py",
            "def late():\n    from prefect.cache_policies import NO_CACHE",
            "rnnkit.train may not import prefect.cache_policies",
        ),
        (
            "rnnkit/params/load.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import rnnkit.train",
            "rnnkit.params.load may not import rnnkit.train",
        ),
        (
            "rnnkit/params/load.py",
            "from torch import Tensor",
            "rnnkit.params.load may not import torch",
        ),
        (
            "flows/schedule.py",
            "import importlib\nimportlib.import_module('mlflow.entities')",
            "flows.schedule may not import mlflow.entities",
        ),
        ("flows/schedule.py", "import optuna as o", "flows.schedule may not import optuna"),
        (
            "rnnkit/train.py",
            "import torch\ntorch.manual_seed(0)",
            "rnnkit.train may not use manual_seed",
        ),
        (
            "rnnkit/train.py",
            "import somewhere\n\n@somewhere.flow\ndef a(): ...",
            "rnnkit.train may not use @flow",
        ),
        ("rnnkit/new.py", "", "rnnkit.new has no row in ROWS"),
    ],
)
def test_a_forbidden_import_is_found(small_house: Path, file: str, source: str, fault: str) -> None:
    (small_house / file).write_text(source + "\n")
    assert faults(small_house, SMALL) == [fault]


def test_a_row_without_its_module_is_found(small_house: Path) -> None:
    rows = {**SMALL, "flows.gone": set()}
    assert faults(small_house, rows) == ["ROWS has a row for flows.gone, which is not there"]


def test_a_row_cannot_allow_what_stands_below_it(small_house: Path) -> None:
    rows = {**SMALL, "rnnkit.params": {"rnnkit.train"}}
    assert faults(small_house, rows) == [
        "ROWS: rnnkit.params may not name rnnkit.train, which is not above it"
    ]


def test_a_circle_inside_a_room_is_found(small_house: Path) -> None:
    assert circle(small_house) == []
    for one, other in (("load", "block"), ("block", "load")):
        (small_house / f"rnnkit/params/{one}.py").write_text(f"import rnnkit.params.{other}\n")
    assert set(circle(small_house)) == {"rnnkit.params.load", "rnnkit.params.block"}


def test_a_relative_import_is_refused(small_house: Path) -> None:
    (small_house / "rnnkit" / "train.py").write_text("from . import params\n")
    with pytest.raises(AssertionError, match="write the whole name of the module"):
        faults(small_house, SMALL)


def test_a_permission_that_nobody_uses_is_found(small_house: Path) -> None:
    assert unused(small_house, SMALL) == [
        "ROWS: rnnkit.train may import rnnkit.params, and does not"
    ]
