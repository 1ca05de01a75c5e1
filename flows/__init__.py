"""The flows: order, decorators and names around the library `rnnkit`. No arithmetic.

For notebooks: `run`, `tune`, `compare` and `load`, which stand in `flows.notebook`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.notebook import Run, compare, load, run, tune

__all__ = ["Run", "compare", "load", "run", "tune"]


def __getattr__(name: str) -> Any:
    """Loaded when asked for: the command's help imports nothing heavy."""
    if name not in __all__:
        raise AttributeError(f"module 'flows' has no attribute {name!r}")
    from flows import notebook

    return getattr(notebook, name)
