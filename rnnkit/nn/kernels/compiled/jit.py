"""Compile with Numba: its options, and the first call."""

import threading
from collections.abc import Callable
from typing import Any, no_type_check

import numba

from rnnkit.nn.kernels.compiled import cache

_turn = threading.Lock()
_ready: set[tuple[str, str]] = set()
"""Kernels that this process has compiled or loaded, by name and dtype."""


@no_type_check
def jit(function):
    """Compile a function at its first call, without Python's lock.

    NaN and infinity must pass through, so the only liberty is to contract to fused multiply-adds.
    """
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache.FOLDER or "")  # read by the next line alone
    try:
        return numba.njit(function, cache=cache.FOLDER is not None, **options)
    finally:
        numba.config.CACHE_DIR = before


def call(kernel: Callable[..., None], dtype: str, *arguments: Any) -> None:
    """Call a compiled function; its first call for a dtype compiles or loads it."""
    key = (kernel.__name__, dtype)
    if key in _ready:
        kernel(*arguments)
        return
    with _turn, cache.compiling():
        kernel(*arguments)
        cache.mark("-".join(key))
        _ready.add(key)
