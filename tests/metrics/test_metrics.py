"""Losses and meters, against scikit-learn and by hand."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from rnnkit.metrics import LabelMeter, TokenMeter
from rnnkit.nn.losses import IGNORED, absolute, cross_entropy, masked_mean, squared


def test_labels_score_as_scikit_learn_has_them_whatever_the_batches() -> None:
    """Labels that are neither true nor predicted count in no mean, as in scikit-learn."""
    draw = np.random.default_rng(0)
    truth, predicted = draw.integers(0, 4, 97), draw.integers(0, 4, 97)
    meter = LabelMeter(6, sequences=False)
    for rows in np.array_split(np.arange(97), 5):
        meter.update(torch.from_numpy(predicted[rows]), torch.from_numpy(truth[rows]))
    metrics = meter.compute()
    assert metrics["accuracy"] == pytest.approx(accuracy_score(truth, predicted))
    for name, score in [("precision", precision_score), ("recall", recall_score), ("f1", f1_score)]:
        expected = score(truth, predicted, average="macro", zero_division=0)
        assert metrics[name] == pytest.approx(expected)


@pytest.mark.parametrize("labels", range(2, 30))
def test_all_right_is_1_and_no_more(labels: int) -> None:
    meter = LabelMeter(labels, sequences=False)
    truth = torch.arange(labels).repeat(30)
    meter.update(truth, truth)
    assert max(meter.compute().values()) == 1


def test_padding_counts_in_nothing_and_a_sequence_is_right_when_all_of_it_is() -> None:
    meter = LabelMeter(2, sequences=True)
    targets = torch.tensor([[0, 1, IGNORED], [1, 1, 0]])
    meter.update(torch.tensor([[0, 1, 1], [1, 1, 1]]), targets)
    metrics = meter.compute()
    assert metrics["accuracy"] == pytest.approx(4 / 5)
    assert metrics["sequence_accuracy"] == 0.5


def test_perplexity_is_an_average_over_tokens_and_two_to_the_bits() -> None:
    meter = TokenMeter()
    meter.update(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, False, False]))
    meter.update(torch.tensor([6.0]), torch.tensor([True]))
    metrics = meter.compute()
    assert metrics["perplexity"] == pytest.approx(math.exp(3))
    assert 2 ** metrics["bits"] == pytest.approx(metrics["perplexity"])
    assert metrics["accuracy"] == 0.5


def test_a_hopeless_model_has_infinite_perplexity() -> None:
    meter = TokenMeter()
    meter.update(torch.tensor([1e6]), torch.tensor([False]))
    assert meter.compute()["perplexity"] == math.inf


def test_losses_are_per_element_and_refuse_to_broadcast() -> None:
    logits, targets = torch.randn(2, 3, 5), torch.tensor([[1, 2, IGNORED], [0, 4, 3]])
    losses = cross_entropy(logits, targets)
    assert losses.shape == (2, 3)
    assert losses[0, 2] == 0
    assert losses[1, 1] == pytest.approx(-float(logits[1, 1].log_softmax(0)[4]), abs=1e-6)
    with pytest.raises(ValueError, match=r"one target for each row of logits"):
        cross_entropy(logits, targets[0])
    for loss in (squared, absolute):
        with pytest.raises(ValueError, match=r"outputs and targets must have one shape"):
            loss(torch.zeros(3, 1), torch.zeros(3))
    assert squared(torch.tensor([3.0]), torch.tensor([1.0])).item() == 4
    assert absolute(torch.tensor([1.0]), torch.tensor([3.0])).item() == 2


def test_the_masked_mean_is_over_real_positions_and_its_gradient_too() -> None:
    values = torch.tensor([[1.0, 2.0], [3.0, float("nan")]], requires_grad=True)
    mean = masked_mean(values, torch.tensor([[True, True], [True, False]]))
    assert mean.item() == 2
    mean.backward()
    assert values.grad is not None
    assert values.grad[1, 1] == 0
    assert masked_mean(torch.tensor([1.0, 3.0]), None).item() == 2
    with pytest.raises(ValueError, match=r"values and mask must have one shape"):
        masked_mean(torch.zeros(2, 2), torch.ones(2, dtype=torch.bool))
