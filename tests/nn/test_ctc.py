"""Connectionist temporal classification against the sum over all paths."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import all_texts

from rnnkit.data.batches import IGNORED
from rnnkit.nn import ctc

TOKENS = 4  # the blank, the unknown token and two more


def scores(frames: int, seed: int, spread: float = 1.5) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return spread * torch.randn(frames, TOKENS, generator=draw, dtype=torch.float64)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(0, 10_000))
def test_nats_are_those_of_the_sum_over_all_paths(frames: int, seed: int) -> None:
    logits = scores(frames, seed)
    chances = all_texts(logits.softmax(dim=1).tolist(), ctc.BLANK)
    assert math.fsum(chances.values()) == pytest.approx(1)
    for length in range(1, 4):
        for text in itertools.product(range(1, TOKENS), repeat=length):
            nats = float(ctc.ctc_loss(logits[None], None, torch.tensor([text])))
            if text in chances:
                assert nats == pytest.approx(-math.log(chances[text]), abs=1e-9)
            else:
                assert nats == math.inf


@pytest.mark.parametrize("side", ["post", "pre"])
def test_nats_in_company_are_those_alone_with_all_gradients(side: str) -> None:
    lengths, texts = [6, 4, 5], [[2, 3, 2], [3], [2, 2]]
    rows = [scores(n, seed) for seed, n in enumerate(lengths)]
    alone = []
    for row, text in zip(rows, texts, strict=True):
        own = row.clone().requires_grad_()
        nats = ctc.ctc_loss(own[None], None, torch.tensor([text])).sum()
        nats.backward()
        alone.append((nats.item(), own.grad))
    mask = torch.zeros(3, 6, dtype=torch.bool)
    logits = torch.full((3, 6, TOKENS), 7.25, dtype=torch.float64)
    targets = torch.full((3, 3), IGNORED)
    for k, (row, text) in enumerate(zip(rows, texts, strict=True)):
        span = slice(0, len(row)) if side == "post" else slice(6 - len(row), 6)
        mask[k, span], logits[k, span] = True, row
        targets[k, : len(text)] = torch.tensor(text)
    logits.requires_grad_()
    together = ctc.ctc_loss(logits, mask, targets)
    together.sum().backward()
    for k, (nats, gradient) in enumerate(alone):
        assert together[k].item() == pytest.approx(nats, abs=1e-12)
        assert logits.grad is not None
        assert torch.allclose(logits.grad[k][mask[k]], gradient, atol=1e-12)
        assert (logits.grad[k][~mask[k]] == 0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(0, 10_000))
def test_a_beam_wide_enough_has_every_text_with_its_probability(frames: int, seed: int) -> None:
    shares = scores(frames, seed).log_softmax(dim=1)
    chances = all_texts(shares.exp().tolist(), ctc.BLANK)
    chances = {text: p for text, p in chances.items() if ctc.UNKNOWN not in text}
    found = ctc.prefix_beam(shares, 10_000)
    assert {tuple(text) for text, _ in found} == set(chances)
    for text, score in found:
        assert score == pytest.approx(math.log(chances[tuple(text)]), abs=1e-9)
    assert [score for _, score in found] == sorted((s for _, s in found), reverse=True)


def test_the_likeliest_path_is_not_always_that_of_the_likeliest_text() -> None:
    # a blank twice is the likeliest path, .36; the text (2) has three paths, .16 + .24 + .24
    shares = torch.tensor([[0.6, 0.0, 0.4, 0.0]] * 2, dtype=torch.float64).log()
    assert ctc.best_path(shares)[0] == []
    text, score = ctc.prefix_beam(shares, 4)[0]
    assert (text, math.exp(score)) == ([2], pytest.approx(0.64))


def test_the_best_path_takes_together_and_leaves_out_blanks() -> None:
    path = [0, 2, 2, 0, 2, 3, 3, 0]
    shares = torch.full((len(path), TOKENS), -5.0)
    shares[range(len(path)), path] = -0.1
    text, score = ctc.best_path(shares)
    assert text == [2, 2, 3]
    assert score == pytest.approx(-0.8)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(0, 10_000))
def test_no_text_holds_the_unknown_token(frames: int, seed: int) -> None:
    """The best path is the likeliest of those without it, by trying all of them."""
    shares = scores(frames, seed)
    shares[::2, ctc.UNKNOWN] += 9.0
    shares = shares.log_softmax(dim=1)
    known = [token for token in range(TOKENS) if token != ctc.UNKNOWN]
    paths = itertools.product(known, repeat=frames)
    best = max(paths, key=lambda path: sum(float(shares[t, k]) for t, k in enumerate(path)))
    told = [token for token, _ in itertools.groupby(best) if token != ctc.BLANK]
    text, score = ctc.best_path(shares)
    assert text == told
    assert score == pytest.approx(sum(float(shares[t, k]) for t, k in enumerate(best)))
    assert ctc.UNKNOWN not in ctc.prefix_beam(shares, 8)[0][0]
