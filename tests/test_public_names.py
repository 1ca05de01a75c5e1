"""What `import rnnkit` offers, and what it leaves unimported."""

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rnnkit
from rnnkit.inference.predict import load
from rnnkit.nn.cells import CELLS
from rnnkit.nn.recurrence import recur

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "pandas", "numpy", "pydantic", "mlflow", "prefect", "optuna", "jaxtyping"}


def modules_after(statement: str) -> set[str]:
    """The heavy packages that a fresh interpreter has imported."""
    program = f"import sys\n{statement}\nprint(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_a_bare_import_is_light() -> None:
    assert modules_after("import rnnkit") == set()
    assert modules_after("import rnnkit\nrnnkit.__version__") == set()
    assert modules_after("import rnnkit\ndir(rnnkit)") == set()
    assert "torch" in modules_after("from rnnkit import LSTM")


def test_every_cell_of_the_table_is_public() -> None:
    for cell in CELLS.values():
        assert cell.__name__ in rnnkit.__all__
        assert getattr(rnnkit, cell.__name__) is cell
    assert rnnkit.recur is recur
    assert rnnkit.load is load


def test_every_public_name_is_there_and_listed_once() -> None:
    assert sorted(set(rnnkit.__all__)) == sorted(rnnkit.__all__)
    assert set(rnnkit.__all__) <= set(dir(rnnkit))
    for module, names in rnnkit._HOMES.items():
        for name in names:
            assert getattr(rnnkit, name) is getattr(importlib.import_module(module), name)
    homed = {name for names in rnnkit._HOMES.values() for name in names}
    assert homed | {"__version__"} == set(rnnkit.__all__)


def test_a_function_over_experiments_is_pointed_to() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'run'; from flows.notebook import run"):
        _ = rnnkit.run  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"no attribute 'lstm'$"):
        _ = rnnkit.lstm  # type: ignore[attr-defined]


def test_type_checkers_see_the_same_names_from_the_same_modules() -> None:
    tree = ast.parse((ROOT / "rnnkit" / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    seen = {
        str(node.module): tuple(alias.name for alias in node.names)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
    }
    assert seen == rnnkit._HOMES


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'rnnkit' has no attribute 'LTSM'"):
        _ = rnnkit.LTSM  # type: ignore[attr-defined]


def test_the_version_is_that_of_pyproject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert rnnkit.__version__ == project["version"]
    alone = tmp_path / "rnnkit" / "__init__.py"  # installed: no pyproject.toml, or another's
    monkeypatch.setattr(rnnkit, "__file__", str(alone))
    monkeypatch.setattr("importlib.metadata.version", lambda name: f"that of {name}")
    assert rnnkit._version() == "that of rnnkit"
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'other'\nversion = '7'\n")
    assert rnnkit._version() == "that of rnnkit"
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'rnnkit'\nversion = '7'\n")
    assert rnnkit._version() == "7"


def test_the_version_of_a_folder_without_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.metadata import PackageNotFoundError

    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(rnnkit, "__file__", str(tmp_path / "rnnkit" / "__init__.py"))
    monkeypatch.setattr("importlib.metadata.version", absent)
    assert rnnkit._version() == "0+unknown"
