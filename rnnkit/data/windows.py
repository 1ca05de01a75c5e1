"""Training windows: whole batches, or windows for truncated BPTT.

A window starts from the detached final state of the previous window, so gradients stop at its first
step. Independent sequences start at the initial state. With carried state, a text is read as
parallel continuous streams.

Reference: R. J. Williams, J. Peng, An efficient gradient-based algorithm for on-line training of
recurrent network trajectories, Neural Computation 2(4), 1990.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from rnnkit.data.batches import IGNORED, Batch, gather, plan
from rnnkit.data.prepare.encoded_split import EncodedSplit, widened
from rnnkit.data.prepare.ids import PADDING
from rnnkit.params.experiment import Experiment


@dataclass(frozen=True, eq=False)
class Window:
    """Consecutive steps of a batch.

    Args:
        batch: inputs, targets and mask of these steps.
        begins: starts from the initial state; otherwise from the previous window's final state.
        ends: no window continues from its final state.
    """

    batch: Batch
    begins: bool
    ends: bool


def training_windows(
    split: EncodedSplit, experiment: Experiment, generator: torch.Generator
) -> Iterator[Window]:
    """Windows of one epoch; every target occurs exactly once.

    Args:
        split: the split.
        experiment: sets batch size, padding, `train.bptt` and `task.state`.
        generator: shuffles independent sequences; a text with carried state stays in order.
    """
    train = experiment.train
    if experiment.task.carries_state:
        assert train.bptt is not None
        yield from streams(split, train.batch_size, train.bptt)
        return
    for indices in plan(split, train.batch_size, generator):
        # If it is cut, windows start at each sequence's first step, whatever the side of padding.
        is_cut = train.bptt is not None and int(split.input_length[indices].max()) > train.bptt
        padding = "post" if is_cut else experiment.data.padding
        batch = gather(split, indices, padding, torch.float32)
        yield from cut(batch, train.bptt)


def count_windows(split: EncodedSplit, experiment: Experiment, generator: torch.Generator) -> int:
    """Number of windows that `training_windows` yields."""
    train = experiment.train
    if experiment.task.carries_state:
        assert train.bptt is not None
        return -(-_stream_length(split, train.batch_size) // train.bptt)
    batches = plan(split, train.batch_size, generator)
    if train.bptt is None:
        return len(batches)
    longest = [int(split.input_length[indices].max()) for indices in batches]
    return sum(-(-steps // train.bptt) for steps in longest)


def cut(batch: Batch, steps: int | None) -> Iterator[Window]:
    """Windows of a batch of independent sequences.

    Args:
        batch: of a synced task, if it is longer than a window.
        steps: maximum length of a window; None: one window.
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


def streams(split: EncodedSplit, count: int, steps: int) -> Iterator[Window]:
    """Windows of a split read as parallel continuous streams.

    The concatenated items are cut into `count` streams of equal length; the last one may be padded.

    Args:
        split: of a synced task on tokens.
        count: number of streams.
        steps: maximum length of a window.
    """
    ends = split.input_length.cumsum(0)
    firsts, total = ends - split.input_length, int(ends[-1])
    length = _stream_length(split, count)
    begin = torch.arange(count)[:, None] * length
    begin = begin[begin[:, 0] < total]
    for start in range(0, length, steps):
        place = begin + torch.arange(start, min(start + steps, length))
        mask = place < total
        place = place.clamp(max=total - 1)
        owner = torch.searchsorted(ends, place, right=True)
        within = place - firsts[owner]
        inputs = widened(split.inputs[split.input_start[owner] + within])
        targets = widened(split.targets[split.target_start[owner] + within])
        unpadded = bool(mask.all())
        if not unpadded:
            inputs = inputs.masked_fill(~mask, PADDING)
            targets = targets.masked_fill(~mask, IGNORED)
        batch = Batch(inputs, targets, None if unpadded else mask, split.item[owner[:, 0]])
        yield Window(batch, begins=start == 0, ends=start + steps >= length)


def _stream_length(split: EncodedSplit, count: int) -> int:
    return -(-int(split.input_length.sum()) // count)


def has_targets(batch: Batch) -> bool:
    """Whether a window has any real step."""
    return batch.mask is None or bool(batch.mask.any())
