"""rnnkit: recurrent networks, their training, diagnosis and comparison.

The public names below are imported when they are first used: `import rnnkit` alone imports neither
torch nor pandas. Whole runs, sweeps and comparisons are in `flows.notebook`.

    RNN, LSTM, GRU, CELLS, Cell   the recurrences, one step each, and what every cell is
    recur                         the loop over time: masks, both directions, fused kernels
    load, Predictor               a finished run's model, which answers new inputs
    Experiment                    a params file's content
    InputError, Note              what rnnkit raises for bad input, and what it warns with

>>> import torch
>>> import rnnkit
>>> from rnnkit.params import model
>>> cell = rnnkit.LSTM(inputs=2, hidden=3, params=model.LSTM())
>>> inputs = torch.ones(4, 5, 2)  # batch, time, feature
>>> before = cell.zeros(4, inputs.dtype, inputs.device)
>>> outputs, final = rnnkit.recur(cell, inputs, before, None, False, "auto", True)
>>> outputs.shape, final._fields
(torch.Size([4, 5, 3]), ('h', 'c'))
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnkit.errors import InputError, Note
    from rnnkit.inference.predict import Predictor, load
    from rnnkit.nn.cells import CELLS, GRU, LSTM, RNN, Cell
    from rnnkit.nn.recurrence import recur
    from rnnkit.params import Experiment

    __version__: str

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "RNN",
    "Cell",
    "Experiment",
    "InputError",
    "Note",
    "Predictor",
    "__version__",
    "load",
    "recur",
]

_HOMES = {
    "rnnkit.errors": ("InputError", "Note"),
    "rnnkit.inference.predict": ("Predictor", "load"),
    "rnnkit.nn.cells": ("CELLS", "GRU", "LSTM", "RNN", "Cell"),
    "rnnkit.nn.recurrence": ("recur",),
    "rnnkit.params": ("Experiment",),
}
"""Module -> the public names that are defined there."""
_NOTEBOOK = ("run", "tune", "compare")
"""Functions over whole experiments, which need flows."""

if not TYPE_CHECKING:  # else a type checker would take every misspelt name for one that is there

    def __getattr__(name: str) -> object:
        """Imports a public name at its first use (PEP 562)."""
        from importlib import import_module

        if name == "__version__":
            value = _version()
        else:
            home = next((module for module, names in _HOMES.items() if name in names), None)
            if home is None:
                where = f"; from flows.notebook import {name}" if name in _NOTEBOOK else ""
                raise AttributeError(f"module {__name__!r} has no attribute {name!r}{where}")
            value = getattr(import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    """pyproject.toml's version: of the checkout that this is, or of what is installed.

    A checkout comes first: on PYTHONPATH it may hide an installed one of another version.
    """
    from importlib.metadata import PackageNotFoundError, version
    from pathlib import Path

    project = Path(__file__).parents[1] / "pyproject.toml"
    if project.is_file():
        import tomllib

        table = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
        if table.get("name") == __name__:
            return str(table["version"])
    try:
        return version(__name__)
    except PackageNotFoundError:  # the package's folder alone, copied
        return "0+unknown"
