"""What a process must settle before torch is imported: memory allocation and idle threads.

Measured on two cores: keeping large blocks instead of giving them back to the system after every
step makes an LSTM of 500 steps up to twice as fast; idle OpenMP threads that spin take the cores
of the other processes.
"""

import ctypes
import os
import sys
from collections.abc import Mapping

KEEP = 1 << 30  # bytes: blocks up to this size are reused, not given back
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h

ENVIRONMENT: Mapping[str, str] = {
    "MALLOC_MMAP_THRESHOLD_": str(KEEP),
    "MALLOC_TRIM_THRESHOLD_": str(KEEP),
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Inherited by worker processes; a value the user has set stays."""


def settle() -> dict[str, str]:
    """Applies the settings to this process and to those it will start.

    Returns:
        what is in force, for the run's fingerprint.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    settings = {name: os.environ[name] for name in ENVIRONMENT}
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):  # glibc; musl has none
            libc.mallopt(_M_MMAP_THRESHOLD, int(os.environ["MALLOC_MMAP_THRESHOLD_"]))
            libc.mallopt(_M_TRIM_THRESHOLD, int(os.environ["MALLOC_TRIM_THRESHOLD_"]))
    return settings
