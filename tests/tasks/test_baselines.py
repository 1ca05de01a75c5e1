"""Baselines on cases small enough to count by hand."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnkit.data.inputs.numbers import Frames
from rnnkit.data.inputs.tokens import EndedTexts, Texts, TokenLists
from rnnkit.data.prepare import encoded_split
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.tokenize import fit, fit_tokens
from rnnkit.evaluation.finalize import few_items
from rnnkit.params.data import Data, Words
from rnnkit.params.source import Text as PlainText
from rnnkit.params.task import Classification, Forecasting, LanguageModeling, Tagging
from rnnkit.params.task import Task as Params
from rnnkit.tasks import frame_baselines, task_for
from rnnkit.tasks.baselines import predictions, score
from rnnkit.tasks.classification.examples import ClassificationFitted
from rnnkit.tasks.forecasting.examples import ForecastingFitted
from rnnkit.tasks.forecasting.inputs import Windows
from rnnkit.tasks.frame_baselines import summaries
from rnnkit.tasks.labels import Labels
from rnnkit.tasks.language_modeling import baselines as language_baselines
from rnnkit.tasks.language_modeling.examples import LanguageModelingFitted
from rnnkit.tasks.tagging.examples import TaggingFitted


def split(inputs: Any, lengths: list[int], targets: Any, target_lengths: list[int]) -> EncodedSplit:
    steps, counts = torch.tensor(lengths), torch.tensor(target_lengths)
    begin, first = steps.cumsum(0) - steps, counts.cumsum(0) - counts
    return EncodedSplit(
        torch.as_tensor(inputs),
        begin,
        steps,
        torch.as_tensor(targets),
        first,
        counts,
        torch.arange(len(lengths)),
        synced=counts.equal(steps) and len(targets) == len(inputs),
    )


DATA = Data(source=PlainText(path="a.txt"))
LABELS = Labels(("x", "y"), {})
ABC = fit_tokens(Words(), ["abc"])  # a is token 2


def beside(params: Params, data: Prepared) -> dict[str, dict[str, float]]:
    return score(task_for(params, data), data, data.splits["test"])


def test_majority_and_naive_bayes() -> None:
    train = split([2, 2, 3, 3, 4], [1, 1, 1, 1, 1], [0, 0, 1, 1, 1], [1] * 5)
    test = split([2, 3, 4, 2], [1] * 4, [0, 1, 1, 0], [1] * 4)
    splits = {"train": train, "valid": test, "test": test}
    fitted = ClassificationFitted(Classification(), DATA, Texts(ABC), LABELS)
    found = beside(Classification(), Prepared("", splits, fitted, {}))
    assert found["majority class"]["accuracy"] == 0.5
    assert found["naive Bayes"]["accuracy"] == 1.0


def labelled_frames(values: list[list[float]], labels: list[int]) -> EncodedSplit:
    steps = torch.tensor([value for item in values for value in item])[:, None]
    return split(steps, [len(item) for item in values], labels, [1] * len(values))


def test_sequences_of_frames_by_their_mean_deviation_and_last_frame() -> None:
    train = labelled_frames([[0, 0], [1, 1, 1], [10, 10], [9, 9, 12]], [0, 0, 1, 1])
    train = replace(train, targets=torch.tensor([0, 0, 1, 1]))
    test = labelled_frames([[2.0], [11, 11], [0, 11]], [0, 1, 1])
    valid = labelled_frames([[5.0], [5.0], [5.0]], [0, 1, 1])
    splits = {"train": train, "valid": valid, "test": test}
    fitted = ClassificationFitted(Classification(), DATA, Frames(1, None), LABELS)
    metrics = beside(Classification(), Prepared("", splits, fitted, {}))
    assert summaries(test).tolist() == [[2, 0, 2], [11, 0, 11], [5.5, 5.5, 11]]
    assert metrics["majority class"]["accuracy"] == pytest.approx(1 / 3)
    assert metrics["best constant on valid"]["accuracy"] == pytest.approx(2 / 3)
    # [5.5, 5.5, 11] lies 4.5² + 4.1² + 1 from [10, 1.4, 12], and 4.5² + 5.5² + 10² from [1, 0, 1]
    assert metrics["nearest neighbour"]["accuracy"] == 1
    assert metrics["logistic regression"]["accuracy"] == 1
    assert set(metrics) == {
        "majority class",
        "best constant on valid",
        "logistic regression",
        "nearest neighbour",
    }
    same = replace(valid, targets=torch.tensor([0, 0, 1]))
    metrics = beside(Classification(), Prepared("", {**splits, "valid": same}, fitted, {}))
    assert "best constant on valid" not in metrics  # it is the majority class


def test_frames_by_themselves_and_by_the_tag_before() -> None:
    train = split(torch.tensor([[0.0], [1], [0], [5], [6]]), [3, 2], [0, 0, 0, 1, 1], [3, 2])
    test = split(torch.tensor([[5.0], [6], [0], [1]]), [3, 1], [1, 1, 0, 1], [3, 1])
    splits = {"train": train, "valid": test, "test": test}
    fitted = TaggingFitted(Tagging(), DATA, Frames(1, None), LABELS)
    metrics = beside(Tagging(), Prepared("", splits, fitted, {}))
    assert metrics["most frequent tag"]["accuracy"] == 0.25
    assert metrics["best constant on valid"]["accuracy"] == 0.75
    # 0 (the most frequent one), 1, 1 and, of the second sequence, 0
    assert metrics["previous tag"]["accuracy"] == 0.25
    assert metrics["logistic regression"]["accuracy"] == 0.75
    assert metrics["logistic regression"]["sequence_accuracy"] == 0.5


def test_baselines_are_fitted_to_a_limited_number_of_rows(monkeypatch: Any) -> None:
    monkeypatch.setattr(frame_baselines, "MAX_FITTED", 3)
    known = torch.tensor([[0.0], [1], [2], [3], [4]], dtype=torch.float64)
    nearest = frame_baselines.nearest_neighbour(known, torch.arange(5), known)
    assert nearest.tolist() == [0, 0, 2, 2, 4]
    rare = torch.tensor([0, 1, 0, 0, 0])  # the fitted rows are 0, 2 and 4
    assert frame_baselines.logistic_regression(known, rare, known).tolist() == [0] * 5


def test_most_frequent_tags() -> None:
    train = split([2, 2, 3, 2, 3], [3, 2], [0, 0, 1, 1, 1], [3, 2])
    test = split([2, 3, 4, 3], [3, 1], [0, 1, 0, 1], [3, 1])
    splits = {"train": train, "valid": test, "test": test}
    fitted = TaggingFitted(Tagging(), DATA, TokenLists(ABC), LABELS)
    found = beside(Tagging(), Prepared("", splits, fitted, {}))
    assert found["most frequent tag"]["accuracy"] == 0.5
    # a -> x, b -> y, and c, never seen, the favourite of all: y
    assert found["most frequent tag per token"]["accuracy"] == 0.75
    assert found["most frequent tag per token"]["sequence_accuracy"] == 0.5


def stream(tokens: list[int]) -> EncodedSplit:
    flat = torch.tensor(tokens)
    n = torch.tensor([len(tokens) - 1])
    return EncodedSplit(
        flat, torch.tensor([0]), n, flat, torch.tensor([1]), n, torch.tensor([0]), True
    )


def streams(**tokens: list[int]) -> Prepared:
    """Of a vocabulary in which 2 is the end, 3 is a and 4 is b."""
    inputs = EndedTexts(fit(Words(), ["a a b"], end=True))
    assert inputs.vocabulary == ("<pad>", "<unk>", "<eos>", "a", "b")
    fitted = LanguageModelingFitted(LanguageModeling(), DATA, inputs)
    return Prepared("", {split: stream(own) for split, own in tokens.items()}, fitted, {})


def test_unigram_and_bigram() -> None:
    data = streams(train=[2, 3, 4, 3, 4, 3, 4, 2, 3], valid=[2, 3, 4, 2], test=[2, 3, 4])
    found = beside(LanguageModeling(), data)
    nats = -(math.log(4 / 8) + math.log(3 / 8)) / 2
    assert found["unigram"]["perplexity"] == pytest.approx(math.exp(nats))
    assert found["unigram"]["bits"] == pytest.approx(nats / math.log(2))
    assert found["bigram"]["perplexity"] < found["unigram"]["perplexity"]
    assert found["bigram"]["accuracy"] == 1.0  # after <eos> an a, after a a b


def test_a_token_that_training_lacks_costs_something_finite() -> None:
    data = streams(train=[2, 3, 3], valid=[2, 3], test=[2, 4])
    found = beside(LanguageModeling(), data)
    assert found["unigram"]["perplexity"] == pytest.approx((2 + 5) / 1)  # one added to each of 5
    assert math.isfinite(found["bigram"]["perplexity"])


def test_baselines_of_a_text_in_parts_are_those_of_the_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generator = torch.Generator().manual_seed(0)

    def windows(count: int) -> EncodedSplit:
        flat = torch.randint(2, 5, (7 * count + 1,), generator=generator, dtype=torch.uint8)
        length, first = torch.full((count,), 7), torch.arange(count) * 7
        item = torch.arange(count)
        return EncodedSplit(flat, first, length, flat, first + 1, length, item, True)

    data = streams(train=[2, 3], valid=[2, 3], test=[2, 3])
    data = replace(data, splits={"train": windows(90), "valid": windows(20), "test": windows(30)})
    task = task_for(LanguageModeling(), data)
    whole = score(task, data, data.splits["test"])
    monkeypatch.setattr(encoded_split, "BLOCK", 10)
    monkeypatch.setattr(language_baselines, "WAITING_PAIRS", 3)
    parts = score(task, data, data.splits["test"])
    # Written anew: log P(w) of every window, and of the most frequent pairs by a table
    learned = torch.bincount(data.splits["train"].all_targets, minlength=5).double()
    nats = -(learned / learned.sum()).log()[data.splits["test"].all_targets.view(30, 7)]
    for name, metrics in whole.items():
        assert parts[name] == pytest.approx(metrics, rel=1e-12)
        table = predictions(task, data.splits["test"], parts[name])
        assert table is not None
        assert table.table["tokens"].tolist() == [7] * 30
        assert -table.table["log_probability"].mean() / 7 == pytest.approx(metrics["loss"])
    table = predictions(task, data.splits["test"], parts["unigram"])
    assert table is not None
    assert table.table["log_probability"].tolist() == pytest.approx((-nats.sum(dim=1)).tolist())
    pairs = torch.zeros(5, 5).index_put_(
        (data.splits["train"].all_inputs, data.splits["train"].all_targets),
        torch.ones(630),
        accumulate=True,
    )
    test = data.splits["test"]
    right = pairs.argmax(dim=1)[test.all_inputs] == test.all_targets
    assert parts["bigram"]["accuracy"] == pytest.approx(float(right.double().mean()))


def series(values: Tensor, first: list[int], window: int, horizon: int) -> EncodedSplit:
    begin = torch.tensor(first)
    ones = torch.ones_like(begin)
    split = EncodedSplit(
        values, begin - window, ones * window, values, begin, ones * horizon, begin, False
    )
    return replace(split, units=values.double())


def forecast(task: Forecasting, window: int, training: int, **splits: EncodedSplit) -> Prepared:
    """Of a column that nothing scales."""
    inputs = Windows(Scaler(("y",), ("y",), (0.0,), (1.0,)), window, task.horizon)
    fitted = ForecastingFitted(task, DATA, inputs, {}, several=False, training=(training,))
    return Prepared("", splits, fitted, {})


def test_forecasts_of_a_straight_line_and_of_a_season() -> None:
    values = torch.arange(20, dtype=torch.float32)[:, None]
    train, test = series(values, [4, 5, 6], 4, 2), series(values, [14, 16], 4, 2)
    task = Forecasting(horizon=2, season=2)
    found = beside(task, forecast(task, 4, 8, train=train, test=test))
    assert found["last value"]["mae"] == pytest.approx(1.5)
    assert found["last value"]["mae_step_1"] == pytest.approx(1.0)
    assert found["last value"]["mae_step_2"] == pytest.approx(2.0)
    assert found["seasonal naive"]["mae"] == pytest.approx(2.0)
    assert found["drift"]["mae"] == pytest.approx(0.0, abs=1e-6)
    assert found["seasonal naive"]["mase"] == pytest.approx(1.0)
    assert found["last value"]["rmse"] == pytest.approx(math.sqrt(2.5))


def test_mape_leaves_out_zeros_and_counts_them() -> None:
    values = torch.tensor([1.0, 1.0, 1.0, 0.0, 2.0, 0.0])[:, None]
    train, test = series(values, [1, 2], 1, 1), series(values, [3, 4], 1, 1)
    task = Forecasting(horizon=1, season=1)
    found = beside(task, forecast(task, 1, 3, train=train, test=test))["last value"]
    assert found["mape_excluded"] == 1
    assert found["mape"] == pytest.approx(1.0)  # forecast 0 for 2


@pytest.mark.parametrize(("items", "few"), [(99, True), (100, False)])
def test_a_verdict_on_few_items_says_so(items: int, few: bool) -> None:
    sentence = few_items(labelled_frames([[0.0]] * items, [0] * items))
    assert ("The test split has few items: 99; another one may" in sentence) == few
    assert bool(sentence) == few
