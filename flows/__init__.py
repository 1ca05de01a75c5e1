"""The flows: order, decorators and names around the library `rnnkit`. No arithmetic.

For notebooks: `run`, `tune`, `compare` and `load`.
"""

from flows.notebook import Run, compare, load, run, tune

__all__ = ["Run", "compare", "load", "run", "tune"]
