"""What the kernels of a layer cost: python tests/benchmarks/recurrence.py [quick]

Forward and backward passes of one layer, float32, one thread, 100 steps, 32 inputs, by cell, batch
and units. The kernels take turns and medians of the ratios of their processor time are printed, so
that a busy machine slows all of them. The speed is that of Numba's kernel, beside a large product
of matrices. `prototype` is there where ../shared/prototypes is.
"""

import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from rnnkit.nn.cells import make
from rnnkit.nn.cells.interface import Cell
from rnnkit.nn.kernels.padding import find_padding
from rnnkit.nn.recurrence import recur
from rnnkit.params.model import GRU, LSTM, RNN
from rnnkit.params.train import Kernel
from rnnkit.runtime import numerics, process_settings

STEPS, INPUTS, ROUNDS = 100, 32, 9
QUICK = len(sys.argv) > 1
SIZES = [(32, 64)] if QUICK else [(32, 32), (32, 64), (32, 128), (32, 256), (64, 64), (4, 64)]
"""Batch and units."""
BLOCKS = {"rnn": RNN(), "sigmoid": RNN(activation="sigmoid"), "lstm": LSTM(), "gru": GRU()}
TORCH = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
PROTOTYPES = Path(__file__).parents[3] / "shared" / "prototypes"
Pass = Callable[[], None]


def prototype() -> Any:
    """The prototype's operator, on one thread; None where it is not."""
    if not (PROTOTYPES / "nbop.py").exists():
        return None
    os.environ.setdefault("NUMBA_CACHE_DIR", str(Path.home() / ".cache" / "rnnkit-prototypes"))
    sys.path.insert(0, str(PROTOTYPES))
    operator = importlib.import_module("nbop")
    operator.CFG["pool"] = 1  # its loop without threads
    return operator


def passes(name: str, batch: int, hidden: int, old: Any) -> Mapping[str, Pass]:
    """A forward and backward pass by each kernel, without padding."""
    cell = drawn(name, hidden)
    inputs = torch.randn(batch, STEPS, INPUTS, requires_grad=True)
    gradient = torch.randn(batch, STEPS, hidden)
    state = cell.zeros(batch, torch.float32, torch.device("cpu"))

    def ours(kernel: Kernel) -> Pass:
        def run() -> None:
            recur(cell, inputs, state, None, False, kernel, False)[0].backward(gradient)

        return run

    measured = {"numba": ours("numba"), "steps": ours("steps")}
    if name in TORCH:
        module = TORCH[name](INPUTS, hidden, batch_first=True)
        measured["torch.nn"] = lambda: module(inputs)[0].backward(gradient)
    if old is not None and name in TORCH:
        weights = [part.detach()[None].clone().requires_grad_() for part in module.parameters()]
        by_time = inputs.detach().transpose(0, 1)[None].contiguous().requires_grad_()
        its_gradient = gradient.transpose(0, 1)[None].contiguous()
        measured["prototype"] = lambda: old.layer(name, by_time, None, None, *weights)[0].backward(
            its_gradient
        )
    return measured


def padded_passes(name: str, batch: int, hidden: int) -> Mapping[str, Pass]:
    """As `passes`, with lengths from half to all of the steps, with recurrent dropout, and both."""
    cell = drawn(name, hidden)
    inputs = torch.randn(batch, STEPS, INPUTS, requires_grad=True)
    gradient = torch.randn(batch, STEPS, hidden)
    state = cell.zeros(batch, torch.float32, torch.device("cpu"))
    length = torch.randint(STEPS // 2, STEPS + 1, (batch, 1))
    padding = find_padding(torch.arange(STEPS) < length)
    kept = torch.empty(batch, hidden).bernoulli_(0.7) / 0.7

    def run(kernel: Kernel, reverse: bool, dropout_mask: Any) -> Pass:
        def both() -> None:
            outputs, _ = recur(cell, inputs, state, padding, reverse, kernel, False, dropout_mask)
            outputs.backward(gradient)

        return both

    return {
        "numba": run("numba", False, None),
        "masked": run("torch", False, None),
        "masked, reverse": run("torch", True, None),
        "masked, dropout": run("torch", False, kept),
    }


def drawn(name: str, hidden: int) -> Cell[Any]:
    """A cell with random weights."""
    cell = make(BLOCKS[name], INPUTS, hidden)
    for value in cell.parameters():
        torch.nn.init.normal_(value, std=0.1)
    return cell


def compared(measured: Mapping[str, Pass]) -> tuple[float, dict[str, float]]:
    """Seconds of the first pass, and how many times as long the others take, medians."""
    seconds: dict[str, list[float]] = {name: [] for name in measured}
    for turn in range(ROUNDS + 1):
        for name, run in measured.items():
            began = time.process_time()
            run()
            if turn:  # the first is warm-up
                seconds[name].append(time.process_time() - began)
    first = seconds.pop("numba")
    return statistics.median(first), {
        name: statistics.median(b / a for a, b in zip(first, times, strict=True))
        for name, times in seconds.items()
    }


def product_peak() -> float:
    """GFLOP/s of a large matrix product."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    seconds = []
    for _ in range(7):
        began = time.process_time()
        a @ b
        seconds.append(time.process_time() - began)
    return 2 * 1024**3 / min(seconds) / 1e9


def main() -> None:
    """Print the table."""
    process_settings.settle()
    numerics.set_threads(1)
    old = prototype()
    torch.manual_seed(0)  # type: ignore[no-untyped-call]
    print(f"a product of matrices of 1024: {product_peak():.0f} GFLOP/s")
    print("times as long as Numba's kernel:")
    for name in BLOCKS:
        for batch, hidden in SIZES:
            seconds, ratios = compared(passes(name, batch, hidden, old))
            _, padded = compared(padded_passes(name, batch, hidden))
            gates = len(drawn(name, hidden).gates)
            speed = 6 * batch * STEPS * gates * hidden * (hidden + INPUTS) / seconds / 1e9
            shown = ", ".join(f"{other} {ratio:.2f}" for other, ratio in (ratios | padded).items())
            print(
                f"{name:7} batch {batch:2} hidden {hidden:3}: {1e3 * seconds:6.2f} ms, "
                f"{speed:4.0f} GFLOP/s; {shown}",
                flush=True,
            )


if __name__ == "__main__":
    main()
