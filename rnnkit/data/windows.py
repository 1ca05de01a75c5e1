"""The pieces in which a training reads its batches: whole, or in windows for truncated BPTT.

A window goes on from the state that the one before it left, detached: gradients reach back to the
window's own first step and no further. Independent sequences begin at the initial state, always. A
text whose state is carried is read as parallel continuous streams, from its first token to its
last.

Reference: R. J. Williams, J. Peng, An efficient gradient-based algorithm for on-line training of
recurrent network trajectories, Neural Computation 2(4), 1990.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from rnnkit.data.batches import IGNORED, Batch, gather, plan
from rnnkit.data.prepare.ids import PADDING
from rnnkit.data.prepare.part import Part, positions
from rnnkit.params.experiment import Experiment


@dataclass(frozen=True, eq=False)
class Window:
    """Some steps of a batch.

    Args:
        batch: its inputs, targets and mask are of these steps alone.
        begins: it starts from the initial state; otherwise from what the window before it left.
        ends: no window goes on from its state.
    """

    batch: Batch
    begins: bool
    ends: bool


def is_carried(experiment: Experiment) -> bool:
    """Whether the state is carried through the whole text."""
    return experiment.task.carries_state


def training_windows(
    part: Part, experiment: Experiment, generator: torch.Generator
) -> Iterator[Window]:
    """One epoch: every target exactly once.

    Args:
        part: the examples.
        experiment: gives the batch size, the side of the padding, `train.bptt` and `task.state`.
        generator: shuffles independent sequences; a carried text is read in its own order.
    """
    train = experiment.train
    if is_carried(experiment):
        assert train.bptt is not None
        yield from streams(part, train.batch_size, train.bptt)
        return
    for indices in plan(part, train.batch_size, generator):
        batch = gather(part, indices, experiment.data.padding, torch.float32)
        yield from cut(batch, train.bptt)


def count_windows(part: Part, experiment: Experiment, generator: torch.Generator) -> int:
    """How many windows `training_windows` gives, without making them."""
    train = experiment.train
    if is_carried(experiment):
        assert train.bptt is not None
        return -(-_stream_length(part, train.batch_size) // train.bptt)
    batches = plan(part, train.batch_size, generator)
    if train.bptt is None:
        return len(batches)
    longest = [int(part.input_length[indices].max()) for indices in batches]
    return sum(-(-steps // train.bptt) for steps in longest)


def cut(batch: Batch, steps: int | None) -> Iterator[Window]:
    """A batch of independent sequences in windows.

    Args:
        batch: of a synced task, where it is longer than a window.
        steps: the longest window; None: the batch is one.
    """
    time = batch.inputs.shape[1]
    if steps is None or steps >= time:
        yield Window(batch, begins=True, ends=True)
        return
    starts = range(0, time, steps)
    for start in starts:
        span = slice(start, start + steps)
        mask = None if batch.mask is None else batch.mask[:, span]
        if mask is not None and bool(mask.all()):
            mask = None
        piece = Batch(batch.inputs[:, span], batch.targets[:, span], mask, batch.item)
        yield Window(piece, begins=start == 0, ends=start == starts[-1])


def streams(part: Part, count: int, steps: int) -> Iterator[Window]:
    """A part as parallel continuous streams, in windows.

    The items are joined in their order and the whole is cut into `count` streams of equal length,
    the last of which may be shorter: its missing steps are padding.

    Args:
        part: of a synced task on tokens.
        count: streams side by side.
        steps: the longest window.
    """
    read = positions(part.input_start, part.input_length)
    wanted = positions(part.target_start, part.target_length)
    item = part.item.repeat_interleave(part.input_length)
    length = _stream_length(part, count)
    begin = torch.arange(count)[:, None] * length
    begin = begin[begin[:, 0] < len(read)]
    for start in range(0, length, steps):
        place = begin + torch.arange(start, min(start + steps, length))
        mask = place < len(read)
        place = place.clamp(max=len(read) - 1)
        inputs, targets = part.inputs[read[place]], part.targets[wanted[place]]
        whole = bool(mask.all())
        if not whole:
            inputs = inputs.masked_fill(~mask, PADDING)
            targets = targets.masked_fill(~mask, IGNORED)
        batch = Batch(inputs, targets, None if whole else mask, item[place[:, 0]])
        yield Window(batch, begins=start == 0, ends=start + steps >= length)


def _stream_length(part: Part, count: int) -> int:
    return -(-int(part.input_length.sum()) // count)


def has_targets(batch: Batch) -> bool:
    """Whether any step of a window is no padding."""
    return batch.mask is None or bool(batch.mask.any())
