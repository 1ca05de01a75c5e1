"""The tests check the shapes in signatures (`--jaxtyping-packages` in pyproject.toml)."""

from collections.abc import Callable

import pytest
import torch
from jaxtyping import TypeCheckError

from rnnkit.data.batches import Batch
from rnnkit.nn import ctc
from rnnkit.nn.beam_search import without_reserved
from rnnkit.nn.cells.lstm import LSTM
from rnnkit.nn.losses import class_mean
from rnnkit.params.model import LSTM as Block

F, I, B = torch.zeros, lambda *size: torch.zeros(size, dtype=torch.int64), torch.ones
CPU = torch.device("cpu")


@pytest.mark.parametrize(
    "call",
    [
        lambda: Batch(I(2, 3), I(2), B(2, 4, dtype=torch.bool), I(2)),
        lambda: LSTM(3, 5, Block()).step(F(2, 1, 3), LSTM(3, 5, Block()).zeros(2, F(1).dtype, CPU)),
        lambda: class_mean(F(2, 3), I(2, 4), F(5)),
        lambda: ctc.best_path(F(4, 3).long()),
        lambda: ctc.ctc_loss(F(2, 6, 4), B(2, 5, dtype=torch.bool), I(2, 3)),
        lambda: without_reserved(F(4)),
    ],
    ids=["batch", "cell", "loss", "path", "ctc", "beam"],
)
def test_a_wrong_shape_is_an_error(call: Callable[[], object]) -> None:
    with pytest.raises(TypeCheckError):
        call()
