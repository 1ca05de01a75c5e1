"""Every item once, padding where it was asked for, and real steps untouched."""

import time
from dataclasses import replace
from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnkit.data.batches import IGNORED, POOL, gather, padding_waste, plan
from rnnkit.data.prepare.encoded_split import EncodedSplit

LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=60)
EITHER = st.sampled_from(["post", "pre"])


def tokens_with_tags(lengths: list[int]) -> EncodedSplit:
    """Token n of all has the id n + 1 and the tag n."""
    length = torch.tensor(lengths)
    start = length.cumsum(0) - length
    total = int(length.sum())
    item = torch.arange(len(lengths)) * 10
    ids = torch.arange(total)
    return EncodedSplit(ids + 1, start, length, ids, start, length, item, synced=True)


def labelled(lengths: list[int]) -> EncodedSplit:
    length = torch.tensor(lengths)
    start = length.cumsum(0) - length
    count = torch.arange(len(lengths))
    frames = torch.arange(int(length.sum()) * 2, dtype=torch.float32).view(-1, 2) + 1
    return EncodedSplit(
        frames, start, length, count % 3, count, torch.ones_like(count), count, False
    )


def windows(rows: int, window: int, horizon: int) -> EncodedSplit:
    values = torch.arange(rows * 2, dtype=torch.float32).view(-1, 2)
    start = torch.arange(window, rows - horizon + 1)
    return EncodedSplit(
        values,
        start - window,
        torch.full_like(start, window),
        values[:, 1:],
        start,
        torch.full_like(start, horizon),
        start,
        synced=False,
    )


@given(LENGTHS, st.integers(1, 7), st.none() | st.integers(0, 2**32))
def test_a_plan_has_every_item_exactly_once(
    lengths: list[int], batch_size: int, seed: int | None
) -> None:
    split = tokens_with_tags(lengths)
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    batches = plan(split, batch_size, generator)
    assert sorted(torch.cat(batches).tolist()) == list(range(len(lengths)))
    sizes = sorted(len(batch) for batch in batches)
    assert sizes[-1] <= batch_size
    assert sizes[1:] == [batch_size] * (len(sizes) - 1)  # one alone may be smaller


def test_a_plan_depends_on_the_generator_alone() -> None:
    split = tokens_with_tags([1, 5, 3, 2, 4] * 40)
    first, again, other = (
        [batch.tolist() for batch in plan(split, 8, torch.Generator().manual_seed(seed))]
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_a_pool_is_sorted_by_length_and_the_batches_are_shuffled() -> None:
    split = tokens_with_tags([1 + n % 40 for n in range(POOL * 8)])
    batches = plan(split, 8, torch.Generator().manual_seed(0))
    lengths = [split.input_length[batch] for batch in batches]
    assert max(int(found.max() - found.min()) for found in lengths) <= 1  # 10 of each length
    first = [int(found.min()) for found in lengths]
    assert first != sorted(first)


def test_evaluation_is_ordered_by_length_and_stable() -> None:
    split = tokens_with_tags([3, 1, 2, 1])
    assert [batch.tolist() for batch in plan(split, 3, None)] == [[1, 3, 2], [0]]


@given(LENGTHS, EITHER)
def test_synced_targets_stand_under_their_inputs(
    lengths: list[int], padding: Literal["post", "pre"]
) -> None:
    split = tokens_with_tags(lengths)
    indices = torch.arange(len(lengths)).flip(0)
    batch = gather(split, indices, padding, torch.float32)
    mask = batch.inputs != 0
    assert (batch.mask is None) == (len(set(lengths)) == 1)
    if batch.mask is not None:
        assert batch.mask.equal(mask)
    assert batch.inputs.shape == batch.targets.shape == (len(lengths), max(lengths))
    assert batch.item.tolist() == (indices * 10).tolist()
    for row, item in enumerate(indices.tolist()):
        length, start = lengths[item], int(split.input_start[item])
        real = slice(0, length) if padding == "post" else slice(max(lengths) - length, None)
        assert batch.inputs[row, real].tolist() == list(range(start + 1, start + length + 1))
        assert batch.targets[row, real].tolist() == list(range(start, start + length))
    assert batch.targets[~mask].eq(IGNORED).all()


@given(LENGTHS, EITHER)
def test_many_to_one_has_a_label_an_item_and_frames_are_padded_with_zeros(
    lengths: list[int], padding: Literal["post", "pre"]
) -> None:
    split = labelled(lengths)
    indices = torch.arange(len(lengths))
    batch = gather(split, indices, padding, torch.float64)
    assert batch.inputs.dtype == torch.float64
    assert batch.targets.tolist() == (indices % 3).tolist()
    assert batch.targets.dim() == 1
    real = (batch.inputs != 0).all(dim=2)
    assert real.sum(dim=1).tolist() == lengths
    assert batch.inputs.sum() == split.inputs.double().sum()
    edge = real[:, 0] if padding == "post" else real[:, -1]
    assert edge.all()


def test_items_of_one_step_keep_the_shape_of_their_targets() -> None:
    both = torch.arange(2)
    assert gather(tokens_with_tags([1, 1]), both, "post", torch.float32).targets.dim() == 2
    assert gather(labelled([1, 1]), both, "post", torch.float32).targets.dim() == 1


@given(LENGTHS, EITHER)
def test_numbers_at_every_step_are_padded_with_zeros(
    lengths: list[int], padding: Literal["post", "pre"]
) -> None:
    tags = tokens_with_tags(lengths)
    numbers = tags.targets[:, None].float() + torch.tensor([1.0, 2.0])
    split = replace(tags, targets=numbers)
    batch = gather(split, torch.arange(len(lengths)), padding, torch.float64)
    mask = torch.ones_like(batch.inputs, dtype=torch.bool) if batch.mask is None else batch.mask
    assert batch.targets[mask].equal(numbers.double())
    assert batch.targets[~mask].eq(0).all()


def test_forecasting_targets_are_the_rows_behind_the_window() -> None:
    split = windows(rows=10, window=3, horizon=2)
    batch = gather(split, torch.tensor([0, 5]), "post", torch.float64)
    assert batch.mask is None
    assert batch.inputs[1].tolist() == [[10, 11], [12, 13], [14, 15]]
    assert batch.targets.tolist() == [[[7], [9]], [[17], [19]]]
    assert batch.item.tolist() == [3, 8]
    assert batch.targets.dtype == torch.float64


def test_next_tokens_are_read_from_the_same_stream() -> None:
    stream, length = torch.arange(2, 9), torch.tensor([3, 3])
    start = torch.tensor([0, 3])
    split = EncodedSplit(stream, start, length, stream, start + 1, length, start, True)
    batch = gather(split, torch.tensor([1]), "pre", torch.float32)
    assert batch.inputs.tolist() == [[5, 6, 7]]
    assert batch.targets.tolist() == [[6, 7, 8]]


def test_gathering_changes_nothing_in_the_part() -> None:
    split = tokens_with_tags([2, 5])
    before = split.inputs.clone()
    gather(split, torch.arange(2), "post", torch.float32).inputs.zero_()
    assert split.inputs.equal(before)


def test_padding_waste_counts_padded_steps() -> None:
    assert padding_waste(tokens_with_tags([4, 4, 4]), 2) == 0
    assert padding_waste(tokens_with_tags([1, 3]), 2) == pytest.approx(2 / 6)
    assert padding_waste(tokens_with_tags([1, 9] * 4), 4) == 0


def test_a_small_batch_is_gathered_fast() -> None:
    split = tokens_with_tags([20 + n % 10 for n in range(1000)])
    indices = torch.arange(32)
    durations = []
    for _ in range(200):
        begin = time.perf_counter()
        gather(split, indices, "post", torch.float32)
        durations.append(time.perf_counter() - begin)
    # About 50 µs; the fastest of many, and room for a busy machine.
    assert min(durations) < 300e-6
