"""The only hand on seeds and thread counts. Every random number is a function of named parts.

No random state is ever saved: what happens in epoch 7 of seed 0 follows from (0, "epoch", 7), so
a resumed training meets the same numbers as an uninterrupted one.
"""

import contextlib
import ctypes
import gc
import hashlib
import re
import resource
import sys
from pathlib import Path

import torch


def seed_of(*parts: int | str) -> int:
    """A seed below 2**63 that depends on every part and on their order.

    >>> seed_of(0, "epoch", 1) == seed_of(0, "epoch", 2)
    False
    """
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(*parts: int | str) -> torch.Generator:
    """A random generator of its own."""
    return torch.Generator().manual_seed(seed_of(*parts))


def seed_dropout(*parts: int | str) -> None:
    """Seeds torch's global generator, which only dropout draws from."""
    torch.manual_seed(seed_of(*parts))


def set_threads(threads: int) -> None:
    """How many threads torch uses inside one operation."""
    torch.set_num_threads(threads)


def fingerprint() -> dict[str, str]:
    """What else decides the bits of a result: versions, thread count, CPU capability."""
    return {
        "torch": torch.__version__,
        "torch_threads": str(torch.get_num_threads()),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "onednn": str(torch.backends.mkldnn.is_available()),
    }


def reset_peak_memory() -> None:
    """Gives back what is free, and lets `peak_memory` begin anew, where the system can."""
    if sys.platform != "linux":
        return
    gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc; musl has none
        libc.malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): the peak is the present size


def peak_memory() -> float:
    """The most memory this process has held since `reset_peak_memory`, in MiB.

    Where the system cannot begin anew, since the process began.
    """
    with contextlib.suppress(OSError):
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        if peak:
            return int(peak[1]) / 1024.0
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kib / (1024.0**2 if sys.platform == "darwin" else 1024.0)  # macOS counts bytes
