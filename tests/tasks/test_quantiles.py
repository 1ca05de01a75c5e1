"""Quantile forecasts: their bounds, their loss by hand, and what it finds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from shop_series import FUTURE, QUANTILE, built, experiment_of

from rnnkit.training.evaluate import evaluate


@pytest.mark.parametrize(
    ("quantiles", "message"),
    [
        ([0.1, 0.9], "hold the median"),
        ([0.9, 0.5, 0.1], "must rise"),
        ([0.5, 0.5, 0.9], "must rise"),
        ([0.0, 0.5, 0.9], "from above 0"),
        ([0.5], "at least three"),
    ],
)
def test_quantiles_that_make_no_interval_are_refused(
    tmp_path: Path, quantiles: list[float], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        experiment_of(tmp_path, task={"loss": "quantile", "quantiles": quantiles})


@pytest.mark.parametrize("covariates", [{}, FUTURE["covariates"]])
def test_quantiles_by_hand(tmp_path: Path, covariates: Any) -> None:
    task_params = QUANTILE | {"targets": ["x", "serial"]}
    experiment = experiment_of(tmp_path, task=task_params, covariates=covariates)
    prepared, task, network = built(experiment, tmp_path)
    split = prepared.splits["test"]
    found = evaluate(network, task, split, experiment, predictions=True)
    table, metrics = found.predictions, found.metrics
    assert table is not None
    losses, inside, width = [], [], []
    for name in ("x", "serial"):
        each = np.stack([table[f"quantile {q:g} {name}"] for q in (0.1, 0.4, 0.5, 0.9)], axis=1)
        truth = table[f"truth {name}"].to_numpy()
        assert (np.diff(each, axis=1) >= 0).all()
        assert (each[:, 2] == table[f"forecast {name}"]).all()
        missed = truth[:, None] - each
        levels = np.array([0.1, 0.4, 0.5, 0.9])
        losses.append(np.where(missed > 0, levels * missed, (levels - 1) * missed))
        inside.append((each[:, 0] <= truth) & (truth <= each[:, -1]))
        width.append(each[:, -1] - each[:, 0])
    assert metrics["pinball"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert metrics["coverage"] == pytest.approx(np.mean(inside))
    assert metrics["interval_width"] == pytest.approx(np.mean(width), rel=1e-5)
    assert "pinball" in experiment.task.metrics
    plain = experiment_of(tmp_path)
    assert "pinball" not in plain.task.metrics
    with pytest.raises(ValidationError, match=r"train\.monitor: must be one of"):
        experiment_of(tmp_path, train={"monitor": "valid/pinball"})


def test_the_pinball_loss_finds_the_quantiles_of_noise() -> None:
    from rnnkit.nn.losses import pinball

    noise = torch.randn(4_000, generator=torch.Generator().manual_seed(0)).double()
    levels = torch.tensor([0.1, 0.5, 0.9]).double()
    answer = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([answer], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        pinball(answer.expand(len(noise), 3), noise, levels).mean().backward()
        optimizer.step()
    # Near its least value the loss is flat: a step of 0.05 leaves a few hundredths.
    assert torch.allclose(answer.detach(), noise.quantile(levels), atol=0.05)
    with pytest.raises(ValueError, match=r"one output for each target and quantile is needed"):
        pinball(torch.zeros(4, 2), torch.zeros(4), levels)
