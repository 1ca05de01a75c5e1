"""Memory span of networks that remember exactly k steps, and of the data themselves."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_training import experiment_of

from rnnkit.data.inputs.tokens import TokenLists
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.tokenize import fit_tokens
from rnnkit.diagnose.dependence import INFORMATION, dependence
from rnnkit.diagnose.memory_span import BATCHES, MIN_BATCHES, _probes, _spanned, memory_span
from rnnkit.params import Experiment
from rnnkit.params.data import Characters
from rnnkit.runtime import numerics
from rnnkit.tasks import Task, prepare, task_for
from rnnkit.tasks.classification.examples import ClassificationFitted
from rnnkit.tasks.labels import Labels
from rnnkit.tasks.tagging.examples import TaggingFitted

SOURCES = {"tagging": "python_tokens", "classification": "python_docstrings"}


def delayed(experiment: Experiment, items: int, shortest: int, delay: int) -> Prepared:
    """Random tokens; a target is whether the token `delay` steps before is odd: of every step, or
    of the last one of an item."""
    draw = torch.Generator().manual_seed(4)
    length = torch.randint(shortest, shortest + 20, (items,), generator=draw)
    start = length.cumsum(0) - length
    tokens = torch.randint(2, 10, (int(length.sum()),), generator=draw)
    odd = tokens.roll(delay) % 2
    is_synced = experiment.task.kind == "tagging"
    if is_synced:
        split = EncodedSplit(tokens, start, length, odd, start, length, torch.arange(items), True)
        fitted: Any = TaggingFitted
    else:
        ends, each = odd[start + length - 1], torch.arange(items)
        ones = torch.ones(items, dtype=torch.long)
        split = EncodedSplit(tokens, start, length, ends, each, ones, each, False)
        fitted = ClassificationFitted
    inputs = TokenLists(fit_tokens(Characters(), ["abcdefgh"]))
    labels = Labels(("even", "odd"), {"even": 1, "odd": 1})
    return Prepared(
        sha256="0" * 64,
        splits=dict.fromkeys(("train", "valid", "test"), split),
        fitted=fitted(experiment.task, experiment.data, inputs, labels),
        facts={},
    )


def delay_line(experiment: Experiment, task: Task, delay: int) -> torch.nn.Module:
    """A network that holds the parity of the last `delay` + 1 tokens, and gives the oldest one."""
    network: Any = task.network(experiment.model, numerics.generator(0))
    cell = network.stack.cells["layer0"]
    with torch.no_grad():
        for value in network.parameters():
            value.zero_()
        cell.W_xh[0, 1::2] = 1.0  # odd ids
        cell.W_hh[torch.arange(1, delay + 1), torch.arange(delay)] = 1.0
        network.head.weight[:, delay] = torch.tensor([-8.0, 8.0])
        network.head.bias[:] = torch.tensor([4.0, -4.0])
    return network


def remembering(kind: str, delay: int) -> Experiment:
    """An experiment whose network can be a delay line."""
    return experiment_of(
        {
            "task": {"kind": kind},
            "data.source": {"kind": "builtin", "name": SOURCES[kind]},
            "model.representation": {"kind": "one_hot"},
            "model.cell": {"kind": "rnn", "activation": "relu"},
            "model.hidden": delay + 1,
            "model.dropout": 0.0,
        }
    )


@pytest.mark.parametrize("delay", [0, 1, 7, 23])
@pytest.mark.parametrize("kind", ["tagging", "classification"])
def test_a_network_built_to_remember_k_steps_has_memory_span_k(kind: str, delay: int) -> None:
    experiment = remembering(kind, delay)
    prepared = delayed(experiment, 120, 40, delay)
    task = task_for(experiment.task, prepared)
    network = delay_line(experiment, task, delay)
    network.train()
    measured = memory_span(network, task, prepared, experiment)
    assert measured is not None
    assert measured.span == delay
    assert measured.is_bounded
    assert network.training


@pytest.mark.parametrize("kind", ["tagging", "classification"])
def test_a_network_without_a_recurrence_has_memory_span_0(kind: str) -> None:
    """The targets need 7 steps of memory, and a loss that no past changes is not noise."""
    experiment = remembering(kind, 7)
    prepared = delayed(experiment, 120, 40, 7)
    task = task_for(experiment.task, prepared)
    network: Any = delay_line(experiment, task, 7)
    with torch.no_grad():
        network.stack.cells["layer0"].W_hh.zero_()
        network.head.weight[:, 0] = torch.tensor([-1.0, 1.0])
    measured = memory_span(network, task, prepared, experiment)
    assert measured is not None
    assert (measured.span, measured.worth) == (0, 0.0)


def test_an_excess_far_below_the_loss_does_not_matter() -> None:
    """As that of a network that has not learned, however sure it is."""
    excess = {lag: np.array([[1e-4] * 6, [1.0] * 6]) for lag in range(5)}
    unlearned, learned = _spanned(excess, 2.3, 6), _spanned(excess, 1e-3, 6)
    assert unlearned is not None
    assert learned is not None
    assert (unlearned.span, unlearned.is_bounded) == (0, True)
    assert (learned.span, learned.is_bounded) == (4, False)


def test_too_few_items_have_no_memory_span() -> None:
    experiment = remembering("classification", 7)
    prepared = delayed(experiment, 3, 40, 7)
    task = task_for(experiment.task, prepared)
    assert memory_span(delay_line(experiment, task, 7), task, prepared, experiment) is None


@pytest.mark.parametrize(("kind", "items"), [("tagging", 60), ("classification", 3000)])
def test_the_mutual_information_of_delayed_tokens_lies_at_their_delay(
    kind: str, items: int
) -> None:
    """One bit of eight equally likely tokens: whether they are odd."""
    experiment = remembering(kind, 7)
    prepared = delayed(experiment, items, 40, 7)
    measured = dependence(prepared.splits["train"], task_for(experiment.task, prepared), 0)
    assert measured is not None
    assert (measured.measure, measured.reach) == (INFORMATION, 7)
    bits = dict(zip(measured.lags, measured.values, strict=True))
    assert bits[7] == pytest.approx(1.0, abs=0.01)
    assert max(abs(bits[lag]) for lag in (0, 3, 6, 8, 20)) < 0.01


def test_the_autocorrelation_of_a_moving_sum_ends_with_its_window() -> None:
    """A sum of the last 5 random numbers: r_k = 1 - k / 5 (known in closed form), 0 from k = 5."""
    draw = torch.Generator().manual_seed(1)
    noise = torch.randn(4_004, generator=draw)
    series = noise.unfold(0, 5, 1).sum(1)[:, None]
    one = torch.tensor([0]), torch.tensor([len(series)])
    split = EncodedSplit(series, *one, series, *one, torch.tensor([0]), synced=True)
    experiment = remembering("tagging", 0)
    task = task_for(experiment.task, delayed(experiment, 8, 8, 0))
    measured = dependence(split, task, 0)
    assert measured is not None
    correlation = dict(zip(measured.lags, measured.values, strict=True))
    assert [correlation[lag] for lag in range(5)] == pytest.approx(
        [1, 0.8, 0.6, 0.4, 0.2], abs=0.05
    )
    assert measured.reach == 4


def test_a_text_with_carried_state_is_probed_in_stretches(tmp_path: Path) -> None:
    """Of a language model whose state goes on from line to line; the outputs of a batch are few."""
    letters = "".join(random.Random(0).choices("abcdef", k=6_000))
    lines = [letters[k : k + 50] for k in range(0, len(letters), 50)]
    (tmp_path / "t.txt").write_text("\n".join(lines))
    experiment = Experiment.model_validate(
        {
            "name": "x",
            "task": {"kind": "language_modeling", "state": "carried"},
            "data": {
                "source": {"kind": "text", "path": str(tmp_path / "t.txt")},
                "split": {"kind": "fractions", "valid": 0.3, "test": 0.1},
                "tokenizer": {"kind": "characters"},
            },
            "model": {"hidden": 6},
            "train": {"bptt": 10},
        }
    )
    prepared = prepare(experiment.data, experiment.task, tmp_path)
    task = task_for(experiment.task, prepared)
    batches = [*_probes(prepared.splits["valid"], task, experiment, 128)]
    assert MIN_BATCHES <= len(batches) <= BATCHES
    assert all(len(batch.inputs) >= 2 for batch in batches)
    network = task.network(experiment.model, numerics.generator(0))
    measured = memory_span(network, task, prepared, experiment)
    assert measured is not None
    assert measured.lags[:3] == (0, 1, 2)
    assert dependence(prepared.splits["train"], task, 0) is not None
