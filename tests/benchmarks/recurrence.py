"""How much faster the kernels are than the loop of steps: python tests/benchmarks/recurrence.py

Forward and backward of one layer, float32, one thread, batch 32, 50 steps, 32 inputs. The two take
turns and the median of the ratios is printed, so that a busy machine slows both.
"""

import statistics
import time

import torch

from rnnkit.nn.cells import CELLS
from rnnkit.nn.kernels.padding import find_padding
from rnnkit.nn.recurrence import recur
from rnnkit.params.model import GRU, LSTM, RNN

BATCH, STEPS, INPUTS, ROUNDS = 32, 50, 32, 11
BLOCKS = {"rnn": RNN(), "lstm": LSTM(), "gru": GRU()}


def seconds(cell, inputs, mask, reverse, want_final, kernel) -> float:
    """One forward and backward pass."""
    state = cell.zeros(len(inputs), inputs.dtype, inputs.device)
    start = time.perf_counter()
    outputs, final = recur(cell, inputs, state, mask, reverse, kernel, want_final)
    loss = outputs.sum() if final is None else outputs.sum() + sum(p.sum() for p in final)
    loss.backward()
    return time.perf_counter() - start


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    length = torch.randint(STEPS // 2, STEPS + 1, (BATCH, 1))
    step = torch.arange(STEPS)
    masks = {"none": None, "post": step < length, "pre": step >= STEPS - length}
    began = time.perf_counter()
    for _ in range(100):
        find_padding(masks["post"])
    print(f"reading a mask takes {(time.perf_counter() - began) * 1e4:.0f} µs")
    print("cell hidden padding direction final   steps/ms  kernel/ms  times as fast")
    for kind, cell_class in CELLS.items():
        for hidden in (32, 128):
            cell = cell_class(INPUTS, hidden, BLOCKS[kind])
            for value in cell.parameters():
                torch.nn.init.normal_(value, std=0.1)
            inputs = torch.randn(BATCH, STEPS, INPUTS, requires_grad=True)
            for padding, reverse, final in [
                ("none", False, False),
                ("none", True, False),
                ("post", False, False),
                ("post", False, True),
                ("post", True, False),
                ("pre", False, False),
            ]:
                arguments = cell, inputs, masks[padding], reverse, final
                pairs = [
                    (seconds(*arguments, "step"), seconds(*arguments, "auto"))
                    for _ in range(ROUNDS)
                ]
                slow, fast = (
                    1e3 * statistics.median(column) for column in zip(*pairs, strict=True)
                )
                ratio = statistics.median(a / b for a, b in pairs)
                direction = "reverse" if reverse else "forward"
                print(
                    f"{kind:4} {hidden:6} {padding:7} {direction:9} {final!s:5}"
                    f" {slow:10.2f} {fast:10.2f} {ratio:10.1f}"
                )


if __name__ == "__main__":
    main()
