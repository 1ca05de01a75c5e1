"""Recurrent dropout and embedding dropout."""

from typing import Any

import pytest
import torch
from compared_params import TREE

from rnnkit.nn.cells import CELLS
from rnnkit.nn.model.initialization import initialize_cell
from rnnkit.nn.model.network import build
from rnnkit.nn.model.representation import Embedding, Sizes
from rnnkit.nn.model.stack import Stack, without_masks
from rnnkit.nn.recurrence import recur
from rnnkit.params import Experiment
from rnnkit.params.model import Initialization, Model


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_cell(kind: str) -> Any:
    block = Model(cell={"kind": kind}).cell  # type: ignore[arg-type]  # pydantic makes the block
    cell = CELLS[kind](3, 5, block).double()  # type: ignore[call-arg]  # every cell its own block
    initialize_cell(cell, Initialization(), draw())
    return cell


@pytest.mark.parametrize("kind", CELLS)
def test_a_mask_is_on_what_goes_into_the_recurrent_product_and_nowhere_else(kind: str) -> None:
    """W_hh (m ⊙ h) = (W_hh diag(m)) h: the twin has its columns scaled."""
    cell = make_cell(kind)
    x = torch.randn(2, 6, 3, dtype=torch.float64, generator=draw())
    kept = torch.tensor([[2.0, 0.0, 2.0, 0.0, 2.0], [0.0, 2.0, 2.0, 2.0, 0.0]]).double()
    zeros = cell.zeros(2, torch.float64, x.device)
    outputs, final = recur(cell, x, zeros, None, False, "auto", True, kept)
    for row in range(2):
        twin = make_cell(kind)
        with torch.no_grad():
            twin.W_hh.mul_(kept[row])
        start = twin.zeros(1, torch.float64, x.device)
        expected, after = recur(twin, x[row : row + 1], start, None, False, "steps", True)
        torch.testing.assert_close(outputs[row : row + 1], expected)
        assert final is not None
        assert after is not None
        for one, other in zip(final, after, strict=True):
            torch.testing.assert_close(one[row : row + 1], other)


def stack(**options: Any) -> Stack:
    model = Model(hidden=50, **{"cell": {"kind": "lstm"}, **options})
    return Stack(4, model, draw()).double()


def test_there_is_one_mask_per_sequence_layer_and_direction_for_all_steps() -> None:
    layers = stack(depth=2, bidirectional=True, recurrent_dropout=0.4)
    x = torch.randn(8, 5, 4, dtype=torch.float64, generator=draw())
    torch.manual_seed(0)
    _, final = layers(x, None, None, True, "auto")
    masks = [final[f"{name}_mask"].h for layer in range(2) for name in layers.names(layer)]
    assert len(masks) == 4
    for mask in masks:
        assert mask.shape == (8, 50)
        assert set(mask.unique().tolist()) == {0.0, 1 / 0.6}
        assert (mask == 0).double().mean() == pytest.approx(0.4, abs=0.08)
    assert not torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0][0], masks[0][1])
    assert not any("mask" in name for name in without_masks(final))


def test_a_sequence_in_parts_keeps_its_mask() -> None:
    layers = stack(recurrent_dropout=0.5)
    x = torch.randn(3, 8, 4, dtype=torch.float64, generator=draw())
    torch.manual_seed(1)
    whole, _ = layers(x, None, None, True, "auto")
    torch.manual_seed(1)
    first, states = layers(x[:, :5], None, None, True, "auto")
    rest, _ = layers(x[:, 5:], None, states, True, "auto")
    torch.testing.assert_close(torch.cat([first, rest], dim=1), whole)


def test_in_evaluation_nothing_is_dropped() -> None:
    options = {"recurrent_dropout": 0.5, "embedding_dropout": 0.5}
    x = torch.tensor([[3, 1, 2]])
    one = build(Model(hidden=6, **options), "synced", Sizes(9, None), 2, draw()).eval()
    other = build(Model(hidden=6), "synced", Sizes(9, None), 2, draw()).eval()
    torch.testing.assert_close(one(x, None), other(x, None))
    one.train()
    assert not torch.allclose(one(x, None), other(x, None))


def test_padding_has_no_influence_under_a_mask() -> None:
    layers = stack(recurrent_dropout=0.5)
    x = torch.randn(2, 4, 4, dtype=torch.float64, generator=draw())
    torch.manual_seed(2)
    alone, _ = layers(x, None, None, True, "auto")
    padded = torch.cat([x, torch.full_like(x, 9.0)], dim=1)
    mask = torch.arange(8)[None].expand(2, -1) < 4
    torch.manual_seed(2)
    together, _ = layers(padded, mask, None, True, "auto")
    torch.testing.assert_close(together[:, :4], alone)


def test_a_token_is_dropped_wherever_it_stands() -> None:
    embedding = Embedding(50, 3, 1.0, draw(), 0.5)
    tokens = torch.randint(1, 50, (20, 30), generator=draw())
    torch.manual_seed(0)
    vectors = embedding(tokens, None)
    plain = embedding.eval()(tokens, None)
    ratio = (vectors / plain).mean(dim=2)
    gone = 0
    for token in range(1, 50):
        own = ratio[tokens == token]
        assert own.allclose(own[:1]), "a token is there or not, everywhere"
        assert float(own[0].detach()) == pytest.approx(0.0) or float(own[0].detach()) == 2.0
        gone += int(own[0] == 0)
    assert 12 <= gone <= 37


def test_embedding_dropout_needs_an_embedding() -> None:
    with pytest.raises(ValueError, match="there is no embedding to drop tokens of"):
        Experiment.model_validate(TREE).replace(
            {"model.representation.kind": "one_hot", "model.embedding_dropout": 0.1}
        )
