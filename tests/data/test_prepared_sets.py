"""Prepared built-in and public data sets, with their published sizes."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from prepared_items import TEST, TRAIN, VALID

from rnnkit.data.prepare.ids import UNKNOWN
from rnnkit.params.data import Characters, Data, Files, Time
from rnnkit.params.source import Builtin, LabelledText, Table
from rnnkit.params.source import Text as PlainText
from rnnkit.params.task import Classification, Forecasting, LanguageModeling, Tagging
from rnnkit.tasks import prepare


def test_python_tokens(tmp_path: Path) -> None:
    data = Data(source=Builtin(name="python_tokens"), tokenizer=Characters(), max_length=200)
    prepared = prepare(data, Tagging(), tmp_path)
    assert prepared.fitted.labels is not None
    assert len(prepared.fitted.labels) == 9
    assert sum(prepared.facts["tokens"].values()) > 1_000_000
    assert prepared.facts["truncated"] == {TRAIN: 0, VALID: 0, TEST: 0}
    assert max(prepared.facts["unknown"].values()) < 0.001


def test_penn_treebank(public_data: Callable[[str], Path], tmp_path: Path) -> None:
    folder = public_data("lm_ptb")
    split = Files(valid=str(folder / "ptb.valid.txt"), test=str(folder / "ptb.test.txt"))
    source = PlainText(path=str(folder / "ptb.train.txt"))
    data = Data(source=source, split=split, max_length=35)
    prepared = prepare(data, LanguageModeling(), tmp_path)
    assert prepared.fitted.inputs.vocabulary is not None
    assert prepared.facts["vocabulary"] == len(prepared.fitted.inputs.vocabulary) - 1 == 10_000
    assert prepared.facts["tokens"] == {TRAIN: 929_589, VALID: 73_760, TEST: 82_430}
    test = prepared.splits[TEST]
    assert int(test.target_length.sum()) == 82_430
    assert all(a + 35 == b for a, b in pairwise(test.input_start.tolist()))
    # <unk> of the text is the unknown token: 4,794 in test, and no other word is unknown.
    assert int((test.targets[1:] == UNKNOWN).sum()) == 4_794 - int(test.inputs[1] == UNKNOWN)
    assert prepared.facts["texts"] == {TRAIN: 42_068, VALID: 3_370, TEST: 3_761}
    # Unigram perplexity of the training split on test, from the data set's README.
    counts = torch.bincount(prepared.splits[TRAIN].all_targets, minlength=10_001).double()
    nats = -(counts / counts.sum()).log()[test.all_targets].mean()
    assert float(nats.exp()) == pytest.approx(639.30, abs=0.01)


def test_sst2(public_data: Callable[[str], Path], tmp_path: Path) -> None:
    folder = public_data("cls_sst2")
    split = Files(valid=str(folder / "stsa.binary.dev"), test=str(folder / "stsa.binary.test"))
    data = Data(source=LabelledText(path=str(folder / "stsa.binary.train")), split=split)
    prepared = prepare(data, Classification(), tmp_path)
    assert prepared.facts["items"] == {TRAIN: 6_920, VALID: 872, TEST: 1_821}
    labels = prepared.facts["labels"][TEST]
    assert max(labels.values()) / sum(labels.values()) == pytest.approx(0.501, abs=0.0005)
    assert prepared.facts["longest"][TEST] == 56
    assert prepared.fitted.inputs.vocabulary is not None
    assert any("\u00a0" in word for word in prepared.fitted.inputs.vocabulary)


def test_etth1(public_data: Callable[[str], Path], tmp_path: Path) -> None:
    source = Table(path=str(public_data("ts_etth1") / "ETTh1.csv"), time="date")
    split = Time(valid="2017-06-26", test="2017-10-24", until="2018-02-21")
    data = Data(source=source, split=split, window=96)
    prepared = prepare(data, Forecasting(horizon=24), tmp_path)
    assert prepared.facts["rows"] == {TRAIN: 8_640, VALID: 2_880, TEST: 2_880}
    assert prepared.facts["items"][TEST] == 2_857
    # Repeating the last day, from the data set's README: MSE .4244, MAE .3892 on scaled data.
    test = prepared.splits[TEST]
    steps = torch.arange(24)
    truth = test.targets[test.target_start[:, None] + steps]
    last_day = test.inputs[test.target_start[:, None] - 24 + steps]
    assert float((truth - last_day).square().mean()) == pytest.approx(0.4244, abs=0.0001)
    assert float((truth - last_day).abs().mean()) == pytest.approx(0.3892, abs=0.0001)
