"""Learning rate range test: its rates, its ends, and what it suggests."""

import pytest
import torch
from small_training import experiment_of, prepared_of

from rnnkit.errors import InputError
from rnnkit.tasks.classification.task import Classification
from rnnkit.training.loop import train
from rnnkit.training.range_test import SMOOTHING, RangeTest, range_test
from rnnkit.training.state import Epoch, State

SGD = {
    "train.optimizer.kind": "sgd",
    "train.clip": None,
    "model.dropout": 0.0,
    "train.epochs": 6,
    "model.cell": {"kind": "rnn", "activation": "relu"},
}


def loss_at(rate: float) -> float:
    """Training loss after six epochs."""
    experiment = experiment_of({**SGD, "train.optimizer.learning_rate": rate})
    records = [*train(experiment, prepared_of(experiment), State.start())]
    epochs = [record for record in records if isinstance(record, Epoch)]
    return epochs[-1].train["loss"]


def test_rates_rise_from_low_to_high_and_averages_have_no_bias() -> None:
    experiment = experiment_of({})
    tested = range_test(experiment, prepared_of(experiment), 1e-6, 1e-4, 21)
    assert tested.rates == pytest.approx([1e-6 * 10 ** (k / 10) for k in range(21)])
    assert tested.diverged is None
    k = len(tested.losses) - 1
    weighted = sum(SMOOTHING ** (k - i) * loss for i, loss in enumerate(tested.losses))
    norm = sum(SMOOTHING ** (k - i) for i in range(k + 1))
    assert tested.averages[k] == pytest.approx(weighted / norm)
    assert tested.averages[0] == tested.losses[0]


def test_the_suggested_rate_learns_faster_than_rates_far_from_it() -> None:
    """Vanilla ReLU with plain gradient descent."""
    experiment = experiment_of(SGD)
    tested = range_test(experiment, prepared_of(experiment), 1e-4, 100.0, 120)
    assert tested.diverged is not None
    assert tested.suggested < tested.lowest < tested.diverged
    assert loss_at(tested.suggested) < 0.9 * loss_at(tested.suggested / 30)


def test_the_suggestion_is_a_tenth_of_the_rate_at_the_lowest_average() -> None:
    tested = RangeTest((0.01, 0.13, 1.0), (2.0, 0.9, 3.0), (2.0, 1.0, 1.5), None)
    assert (tested.lowest, tested.suggested) == (0.13, 0.01)


def test_the_test_changes_no_training() -> None:
    """The same losses twice, and after a test the same training."""
    experiment = experiment_of({"train.epochs": 1})
    prepared = prepared_of(experiment)

    def trained() -> torch.Tensor:
        *_, last = train(experiment, prepared, State.start())
        assert isinstance(last, Epoch)
        return torch.cat([value.flatten() for value in last.state.weights.values()])

    before = trained()
    tests = [range_test(experiment, prepared, 1e-5, 1.0, 20) for _ in range(2)]
    assert tests[0] == tests[1]
    assert torch.equal(trained(), before)


@pytest.mark.parametrize(("low", "high", "steps"), [(1.0, 0.1, 50), (0.0, 1.0, 50), (0.1, 1.0, 5)])
def test_a_wrong_range_is_refused(low: float, high: float, steps: int) -> None:
    experiment = experiment_of({})
    with pytest.raises(InputError, match="needs 0 < low < high and at least 20 steps, got low"):
        range_test(experiment, prepared_of(experiment), low, high, steps)


def test_a_loss_that_is_not_finite_at_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = experiment_of({})
    prepared = prepared_of(experiment)
    monkeypatch.setattr(
        Classification, "training_loss", lambda *_: torch.tensor(torch.nan, requires_grad=True)
    )
    with pytest.raises(InputError, match="the loss of the first step is nan, at a learning rate"):
        range_test(experiment, prepared, 1e-6, 1.0, 20)
