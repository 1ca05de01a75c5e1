"""What `rnnkit check` tells before a run."""

import time
from pathlib import Path

import pytest

from rnnkit.params import Experiment
from rnnkit.tasks import prepare
from rnnkit.training import cost


def test_the_longest_item_and_the_time_are_those_of_all_that_an_epoch_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for split, words in (("train", 3), ("valid", 9), ("test", 4)):
        rows = "".join(f"a {'word ' * words}{i},{'no' if i % 2 else 'yes'}\n" for i in range(6))
        (tmp_path / f"{split}.csv").write_text("text,label\n" + rows)
    files = {split: str(tmp_path / f"{split}.csv") for split in ("valid", "test")}
    source = {"kind": "labelled_text", "path": str(tmp_path / "train.csv")}
    it = Experiment.model_validate(
        {
            "name": "x",
            "task": {"kind": "classification"},
            "data": {
                "source": source,
                "split": {"kind": "files", **files},
                "tokenizer": {"kind": "words"},
            },
        }
    )
    prepared = prepare(it.data, it.task, tmp_path)
    monkeypatch.setattr(cost, "_validation_seconds", lambda *_: 1_000.0)
    wall = iter(range(0, 10**9, 10**6))  # a machine on which others are busy
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(wall)))
    measured = cost.estimate(it, prepared)
    assert measured["longest"] == 11
    assert 1_000 < measured["seconds_per_epoch"] < 2_000


def test_a_validation_that_is_measured_in_part_is_scaled_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from command import SMALL

    from rnnkit.params import load
    from rnnkit.training.trainer import make_network

    (tmp_path / "small.yaml").write_text(SMALL)
    it = load(tmp_path / "small.yaml").replace({"train.batch_size": 1})
    prepared = prepare(it.data, it.task, tmp_path)
    network = make_network(it, cost.task_for(it.task, prepared))
    ticks = iter([0.0, 3.0])  # seconds at the beginning and after the first batch
    monkeypatch.setattr(time, "process_time", lambda: next(ticks))
    lengths = prepared.splits["valid"].input_length
    expected = 3.0 * int(lengths.sum())
    assert cost._validation_seconds(network, it, prepared) in [
        pytest.approx(expected / int(length)) for length in lengths
    ]
