"""Seeds, thread counts and memory of the process. No other module sets them.

Epoch 7 of seed 0 is seeded from (0, "epoch", 7), so a resumed training draws the same numbers as an
uninterrupted one. Random state is saved only within an epoch.
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


def seed_of(*splits: int | str) -> int:
    """Seed below 2**63, derived from all splits in order.

    >>> seed_of(0, "epoch", 1) == seed_of(0, "epoch", 2)
    False
    """
    digest = hashlib.sha256("\0".join(map(str, splits)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(*splits: int | str) -> torch.Generator:
    """A new random generator, seeded from the parts."""
    return torch.Generator().manual_seed(seed_of(*splits))


def seed_dropout(*splits: int | str) -> None:
    """Seed torch's global generator, which only dropout uses."""
    torch.manual_seed(seed_of(*splits))


def dropout_state() -> torch.Tensor:
    """State of torch's global generator, to go on from within an epoch."""
    return torch.get_rng_state()


def restore_dropout(state: torch.Tensor) -> None:
    """Go on with the random numbers that follow a `dropout_state`."""
    torch.set_rng_state(state)


def set_threads(threads: int) -> None:
    """Set the number of threads that torch uses inside one operation."""
    torch.set_num_threads(threads)


def fingerprint() -> dict[str, str]:
    """Versions, thread count and CPU capability, which affect the bits of a result."""
    return {
        "torch": torch.__version__,
        "torch_threads": str(torch.get_num_threads()),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "onednn": str(torch.backends.mkldnn.is_available()),
    }


def reset_peak_memory() -> None:
    """Return free memory to the system and restart `peak_memory`; Linux only."""
    if sys.platform != "linux":
        return
    gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc; musl has none
        libc.malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): reset the peak


def peak_memory() -> float:
    """Peak memory since `reset_peak_memory` (other systems: since process start), in MiB."""
    with contextlib.suppress(OSError):
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        if peak:
            return int(peak[1]) / 1024.0
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kib / (1024.0**2 if sys.platform == "darwin" else 1024.0)  # macOS counts bytes
