"""Cells of a user's own: the README's one, what `__init__` may take, and what is refused."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import rnnkit.params.model as blocks
from rnnkit.errors import InputError
from rnnkit.nn.cells import make
from rnnkit.nn.model.network import describe
from rnnkit.params.model import Model

HOUSE = Path(__file__).parents[2]
Module = Callable[[str], None]
HEAD = """
from typing import NamedTuple
import torch
from rnnkit import Cell
class State(NamedTuple):
    h: torch.Tensor
class Mine(Cell):
    gates = ("h",)
    def step(self, inputs, state, dropout_mask=None):
        return State(torch.tanh(inputs @ self.W_xh.T + self.recurrent(state.h, dropout_mask)))
    def zeros(self, batch, dtype, device):
        return State(torch.zeros(batch, self.hidden, dtype=dtype, device=device))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """Writes the module `own_cells` of the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "own_cells", raising=False)

    def write(text: str) -> None:
        (tmp_path / "own_cells.py").write_text(text)

    yield write  # type: ignore[misc]  # of a generator fixture
    sys.modules.pop("own_cells", None)


def made(name: str = "Mine", **options: Any) -> Any:
    return make(blocks.Custom(module=f"own_cells:{name}", options=options), 3, 5)


def test_the_cell_of_the_readme_has_twelve_lines_and_does_what_its_equation_says(
    module: Module,
) -> None:
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(from typing.*?)```", text, re.DOTALL)[0]
    assert len([line for line in code.splitlines() if line]) == 12
    module(code)
    cell = made("Leaky")
    for weight in cell.parameters():
        torch.nn.init.normal_(weight)
    inputs, before = torch.randn(2, 3), cell.zeros(2, torch.float32, torch.device("cpu"))
    state = cell.step(inputs, before._replace(h=torch.ones(2, 5)))
    pre = inputs @ cell.W_xh.T + torch.ones(2, 5) @ cell.W_hh.T + cell.b_h
    torch.testing.assert_close(state.h, 0.5 + torch.tanh(pre) / 2)


def test_the_cell_of_the_documentation_is_that_of_the_readme() -> None:
    page = (HOUSE / "docs" / "extending.md").read_text(encoding="utf-8")
    readme = (HOUSE / "README.md").read_text(encoding="utf-8")
    step = "new = inputs @ self.W_xh.T + self.b_h + self.recurrent(state.h, dropout_mask)"
    assert step in page
    assert step in readme


def test_params_are_passed_where_init_takes_them(module: Module) -> None:
    module(
        HEAD + "class Two(Mine):\n    def __init__(self, inputs, hidden):\n"
        "        super().__init__(inputs, hidden)\n"
        "class Three(Mine):\n    def __init__(self, inputs, hidden, params):\n"
        "        super().__init__(inputs, hidden)\n        self.leak = params.options['leak']\n"
        "class Any(Mine):\n    def __init__(self, *given):\n"
        "        super().__init__(*given[:2])\n        self.given = len(given)\n"
    )
    assert made("Mine").hidden == made("Two").hidden == 5
    assert made("Three", leak=0.25).leak == 0.25
    assert made("Any").given == 3


def test_a_network_of_an_own_cell_is_named_by_its_class() -> None:
    cell = {"kind": "custom", "module": "own_cells:Mine"}
    model = Model.model_validate({"cell": cell, "hidden": 8, "bidirectional": True})
    assert describe(model, "synced") == "bidirectional Mine, 1 layer of 8"


REFUSED = [
    ("", {"leak": 1}, "model.cell.options: Mine takes none; give its class __init__(self, inputs,"),
    (
        "    def __init__(self):\n        pass\n",
        {},
        "model.cell.module: __init__ of Mine must take (self, inputs, hidden) or (self, inputs, "
        "hidden, params), and takes (self)",
    ),
]


@pytest.mark.parametrize(("more", "options", "message"), REFUSED)
def test_what_init_does_not_take_is_refused(
    module: Module, more: str, options: dict[str, Any], message: str
) -> None:
    module(HEAD + more)
    with pytest.raises(InputError) as refusal:
        made("Mine", **options)
    assert str(refusal.value).startswith(message)


BROKEN = [
    (HEAD.replace("def zeros", "def zero"), "must have gates, step, zeros, and lacks zeros; see"),
    (HEAD.replace("    gates", "    names"), "must have gates, step, zeros, and lacks gates; see"),
    ("1 / 0", "'own_cells' raises ZeroDivisionError when it is imported: division by zero"),
    ("class Mine", "'own_cells' raises SyntaxError when it is imported: expected ':'"),
    ("Mine = 3", "Mine is no class made of rnnkit.nn.cells.interface.Cell in own_cells; give"),
    ("", "Mine is not there in own_cells; give module:Class"),
    ("import nowhere_else", "'own_cells' cannot be imported, No module named 'nowhere_else'; give"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_a_cell_that_is_incomplete_is_refused_in_one_line(
    module: Module, text: str, message: str
) -> None:
    module(text)
    with pytest.raises(InputError) as refusal:
        made()
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
