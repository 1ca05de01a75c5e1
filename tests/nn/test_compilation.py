"""Compiling the recurrences in new processes: one at a time, and for other processors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import torch
from rnnkit.nn.cells import make
from rnnkit.nn.kernels.compiled import backward, forward, tile
from rnnkit.nn.recurrence import recur
from rnnkit.params.model import GRU, LSTM, RNN
print(tile.VECTOR_BYTES)
torch.manual_seed(0)
largest = 0.0
for block in (RNN(), LSTM(), GRU()):
    cell = make(block, 5, 21)
    for value in cell.parameters():
        torch.nn.init.normal_(value, std=0.3)
    inputs = torch.randn(7, 4, 5)
    state = cell.zeros(7, torch.float32, inputs.device)
    found = []
    for kernel in ("numba", "steps"):
        cell.zero_grad()
        outputs, _ = recur(cell, inputs, state, None, False, kernel, False)
        outputs.sin().sum().backward()
        found.append([outputs, *(value.grad.clone() for value in cell.parameters())])
    for a, b in zip(*found, strict=True):
        largest = max(largest, float((a - b).detach().abs().max()))
print(largest)
for kernel in (forward.forward, backward.backward):
    print(sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values()))
"""
NARROWER = {
    32: {"NUMBA_CPU_NAME": "x86-64-v3", "NUMBA_CPU_FEATURES": "+sse2,+sse4.2,+avx,+avx2,+fma"},
    16: {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": "+sse2"},
}


def start(folder: Path, **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder), **variables}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT], env=environment, stdout=subprocess.PIPE, text=True
    )


def result(process: subprocess.Popen[str]) -> tuple[int, float, list[str]]:
    """Bytes of a vector, the largest difference from the steps, and hits and misses."""
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    width, difference, *counts = out.splitlines()
    return int(width), float(difference), counts


@pytest.mark.slow
def test_of_two_processes_one_compiles_and_the_other_loads(tmp_path: Path) -> None:
    results = [result(process) for process in (start(tmp_path), start(tmp_path))]
    assert sorted(counts for _, _, counts in results) == [["0 1", "0 1"], ["1 0", "1 0"]]
    assert all(difference < 1e-5 for _, difference, _ in results)


@pytest.mark.slow
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="names processors of x86-64")
@pytest.mark.parametrize("width", NARROWER)
def test_vectors_are_as_wide_as_the_processor_has_them(tmp_path: Path, width: int) -> None:
    found, difference, _ = result(start(tmp_path, **NARROWER[width]))
    assert found == width
    assert difference < 1e-5  # float32, 4 steps
