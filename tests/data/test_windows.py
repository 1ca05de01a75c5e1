"""Truncated BPTT: every target once, the state carried where it belongs, and nowhere else."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rnnkit.data.batches import IGNORED, gather
from rnnkit.data.inputs.tokens import EndedTexts
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.tokenize import fit
from rnnkit.data.windows import count_windows, cut, has_targets, streams, training_windows
from rnnkit.nn.model.network import Synced
from rnnkit.params import Experiment
from rnnkit.params.data import Characters
from rnnkit.runtime import numerics
from rnnkit.tasks import task_for
from rnnkit.tasks.language_modeling.examples import LanguageModelingFitted
from rnnkit.training.evaluate import evaluate
from rnnkit.training.loop import train
from rnnkit.training.state import Epoch, State
from rnnkit.training.trainer import make_network

TOKENIZER = fit(Characters(), ["abcdefghi"], end=True)
VOCABULARY = TOKENIZER.vocabulary


def text(lengths: list[int], seed: int) -> EncodedSplit:
    """Items of one stream; the target of every token is the next."""
    draw = torch.Generator().manual_seed(seed)
    stream = torch.randint(3, len(VOCABULARY), (sum(lengths) + 1,), generator=draw)
    length = torch.tensor(lengths)
    start = length.cumsum(0) - length
    item = torch.arange(len(lengths))
    return EncodedSplit(stream, start, length, stream, start + 1, length, item, synced=True)


def prepared_of(**splits: EncodedSplit) -> Prepared:
    it = experiment_of({})
    inputs = EndedTexts(TOKENIZER)
    return Prepared("0" * 64, splits, LanguageModelingFitted(it.task, it.data, inputs), {})


def experiment_of(overrides: dict[str, Any]) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "x",
            "task": {"kind": "language_modeling"},
            "data": {"source": {"kind": "text", "path": "a.txt"}},
            "model": {"representation": {"kind": "embedding", "size": 8}, "hidden": 8},
            "train": {"epochs": 2, "batch_size": 3, "early_stopping": None},
        }
    ).replace(overrides)


CARRIED = {"task.state": "carried", "train.bptt": 4}


@pytest.fixture
def prepared() -> Prepared:
    return prepared_of(train=text([5, 9, 2, 7, 4], 1), valid=text([6, 5], 2))


def weights_after(experiment: Experiment, prepared: Prepared) -> dict[str, Tensor]:
    last = list(train(experiment, prepared, State.start()))[-1]
    assert isinstance(last, Epoch)
    return last.state.weights


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(one[name].equal(other[name]) for name in one)


def network_of(experiment: Experiment) -> Synced:
    task = task_for(experiment.task, prepared_of(train=text([3], 0)))
    network = make_network(experiment, task)
    assert isinstance(network, Synced)
    return network.eval()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 6), st.integers(1, 12))
def test_streams_give_every_target_once_and_in_order(
    lengths: list[int], count: int, steps: int
) -> None:
    split = text(lengths, 0)
    rows: list[list[int]] = [[] for _ in range(count)]
    windows = list(streams(split, count, steps))
    for window in windows:
        batch = window.batch
        assert batch.inputs.shape[1] <= steps
        for row, targets in zip(rows, batch.targets.tolist(), strict=False):
            row += [token for token in targets if token != IGNORED]
        if batch.mask is not None:
            assert batch.targets[~batch.mask].eq(IGNORED).all()
    assert [token for row in rows for token in row] == split.targets[1:].tolist()
    assert [window.begins for window in windows] == [True] + [False] * (len(windows) - 1)
    assert [window.ends for window in windows] == [False] * (len(windows) - 1) + [True]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(1, 10), st.booleans())
def test_a_cut_batch_gives_every_target_once(lengths: list[int], steps: int, pre: bool) -> None:
    split = text(lengths, 0)
    batch = gather(split, torch.arange(len(lengths)), "pre" if pre else "post", torch.float32)
    windows = list(cut(batch, steps))
    assert torch.cat([w.batch.targets for w in windows], dim=1).equal(batch.targets)
    assert torch.cat([w.batch.inputs for w in windows], dim=1).equal(batch.inputs)
    assert (windows[0].begins, windows[-1].ends) == (True, True)
    assert len(windows) == math.ceil(max(lengths) / steps)
    assert all(has_targets(window.batch) for window in windows)


@pytest.mark.parametrize("overrides", [{}, {"train.bptt": 3}, CARRIED])
def test_windows_are_counted_without_making_them(
    overrides: dict[str, Any], prepared: Prepared
) -> None:
    experiment, split = experiment_of(overrides), prepared.splits["train"]
    made = list(training_windows(split, experiment, numerics.generator(0, "a")))
    assert count_windows(split, experiment, numerics.generator(0, "a")) == len(made)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("padding", ["post", "pre"])
def test_truncation_at_the_full_length_is_full_bptt(
    kind: str, padding: str, prepared: Prepared
) -> None:
    full = experiment_of({"model.cell.kind": kind, "model.dropout": 0.3, "data.padding": padding})
    whole = weights_after(full, prepared)
    assert same(whole, weights_after(full.replace({"train.bptt": 9}), prepared))
    assert not same(whole, weights_after(full.replace({"train.bptt": 2}), prepared))


def test_windows_of_truncated_sequences_do_not_depend_on_the_side_of_the_padding() -> None:
    split = text([7, 5, 3, 6, 4], 3)
    made = [
        list(training_windows(split, experiment_of(sides), numerics.generator(0, "a")))
        for side in ("post", "pre")
        for sides in [{"train.bptt": 2, "data.padding": side}]
    ]
    assert len(made[0]) == len(made[1]) > 5
    for first, second in zip(*made, strict=True):
        assert first.batch.inputs.equal(second.batch.inputs)
        assert first.batch.targets.equal(second.batch.targets)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_a_truncated_training_is_the_same_with_padding_before_and_behind(kind: str) -> None:
    lengths = [7, 5, 3, 6, 4, 2]
    prepared = prepared_of(train=text(lengths, 3), valid=text(lengths, 4), test=text(lengths, 5))
    it = experiment_of({"model.cell.kind": kind, "train.bptt": 2, "model.dropout": 0.3})
    before = weights_after(it.replace({"data.padding": "pre"}), prepared)
    assert same(weights_after(it, prepared), before)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("steps", [1, 3, 7])
def test_a_carried_state_gives_in_windows_what_the_whole_gives(kind: str, steps: int) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        split = text([30], 5)
        network = network_of(experiment_of({"model.cell.kind": kind, "model.depth": 2}))
        whole = network(split.inputs[None, :-1], None)
        states, pieces = None, []
        for window in streams(split, 1, steps):
            batch = window.batch
            outputs, states = network.run(batch.inputs, batch.mask, states, True, "auto")
            pieces.append(outputs)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.allclose(torch.cat(pieces, dim=1), whole, rtol=0, atol=1e-12)


def test_a_carried_text_is_scored_as_one_stream_whatever_the_batch_size(
    prepared: Prepared,
) -> None:
    experiment = experiment_of(CARRIED)
    split = prepared.splits["valid"]
    network, task = network_of(experiment), task_for(experiment.task, prepared)
    one = evaluate(network, task, split, experiment, predictions=True)
    other = evaluate(network, task, split, experiment.replace({"train.batch_size": 1}), False)
    assert one.metrics == other.metrics
    with torch.no_grad():
        outputs = network(split.inputs[None, :-1], None)
    nats = torch.nn.functional.cross_entropy(outputs[0], split.targets[1:])
    assert one.metrics["loss"] == pytest.approx(float(nats), rel=1e-6)
    assert one.predictions is not None
    assert one.predictions["tokens"].sum() == 11


@pytest.mark.parametrize(("state", "learned"), [("carried", True), ("reset", False)])
def test_a_carried_state_tells_what_lies_further_back_than_a_window(
    state: str, learned: bool
) -> None:
    """After b comes what came before b: a window of one step sees only b."""
    c, d, b = 4, 5, 3
    stream = torch.tensor(([c, b] * 10 + [d, b] * 10) * 20)
    length = torch.ones(len(stream) - 1, dtype=torch.int64)
    start = torch.arange(len(stream) - 1)
    split = EncodedSplit(stream, start, length, stream, start + 1, length, start, synced=True)
    prepared = prepared_of(train=split, valid=split)
    more = {"train.optimizer.learning_rate": 0.02, "train.epochs": 8, "train.bptt": 2}
    experiment = experiment_of({**more, "task.state": state})
    records = train(experiment, prepared, State.start())
    losses = [record.valid["loss"] for record in records if isinstance(record, Epoch)]
    # without memory, half of the tokens are a guess between two
    assert (losses[-1] < 0.9 * math.log(2) / 2) == learned


def test_tied_weights_are_one_matrix_that_is_learned_and_counted_once(prepared: Prepared) -> None:
    tied = experiment_of({"model.tied": True})
    network = network_of(tied)
    assert network.head.weight is network.representation.vectors
    before = network.head.weight.detach().clone()
    after = weights_after(tied, prepared)
    assert after["head.weight"].equal(after["representation.vectors"])
    assert not after["head.weight"].equal(before)
    both = (network, network_of(experiment_of({})))
    sizes = [sum(p.numel() for p in each.parameters()) for each in both]
    assert sizes[1] - sizes[0] == len(VOCABULARY) * 8


def test_peak_memory_is_told_with_every_epoch(prepared: Prepared) -> None:
    records = train(experiment_of({}), prepared, State.start())
    peaks = [record.peak_memory for record in records if isinstance(record, Epoch)]
    assert 50 < peaks[0] <= peaks[-1] < 1e6
