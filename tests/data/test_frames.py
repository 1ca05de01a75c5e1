"""Frames from files to tensors: stretches that keep neighbours apart, scaling by training alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from rnnkit.data import sources
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.sources.grid import gaps
from rnnkit.errors import InputError
from rnnkit.params.data import Data, Files, Fractions, Split, Time
from rnnkit.params.source import Frames
from rnnkit.params.task import Classification, Tagging
from rnnkit.tasks import prepare, task_for
from rnnkit.tasks.baselines import score

ROWS = 40


def long(folder: Path, name: str = "a.csv", first: int = 0) -> str:
    """Rows 0, 1, 2, …: a feature that counts them, a constant one, and a label."""
    rows = [f"{first + k},7,{'up' if k % 3 else 'down'}" for k in range(ROWS)]
    times = [f"2024-01-01T00:{k:02d}," for k in range(ROWS)]
    lines = ["t,x,flat,label", *(t + row for t, row in zip(times, rows, strict=True))]
    (folder / name).write_text("\n".join(lines))
    return str(folder / name)


def of(path: str, split: Split, **more: object) -> Data:
    source = Frames(path=path, labels="per_frame", time="t")
    return Data.model_validate({"source": source, "split": split, "scaling": "none", **more})


def stretches(split: EncodedSplit) -> list[list[int]]:
    """The counted rows of every item."""
    slices = zip(split.input_start.tolist(), split.input_length.tolist(), strict=True)
    return [split.inputs[a : a + n, 0].int().tolist() for a, n in slices]


@pytest.mark.parametrize(
    "split", [Time(valid=0.25, test=0.25), Time(valid="2024-01-01T00:20", test="2024-01-01T00:30")]
)
def test_one_long_sequence_is_parted_by_time_and_cut(tmp_path: Path, split: Split) -> None:
    prepared = prepare(of(long(tmp_path), split, max_length=8), Tagging(), tmp_path)
    rows = list(range(ROWS))
    assert stretches(prepared.splits["train"]) == [rows[:8], rows[8:16], rows[16:20]]
    assert stretches(prepared.splits["valid"]) == [rows[20:28], rows[28:30]]
    assert stretches(prepared.splits["test"]) == [rows[30:38], rows[38:40]]
    test = prepared.splits["test"]
    assert test.synced
    assert test.item.tolist() == [30, 38]
    assert prepared.fitted.labels == ("down", "up")
    assert test.targets.tolist() == [int(row % 3 > 0) for row in rows[30:]]
    assert prepared.fitted.inputs.features == 2
    assert prepared.facts["tokens"] == {"train": 20, "valid": 10, "test": 10}


def with_gaps(folder: Path, missing: set[int], jitter: bool) -> str:
    """As `long`, without some rows; with jitter times are off by a few seconds."""
    path = Path(long(folder))
    header, *rows = path.read_text().splitlines()
    if jitter:
        rows = [row.replace(",", f":{(7 * k) % 11:02d},", 1) for k, row in enumerate(rows)]
    kept = [row for k, row in enumerate(rows) if k not in missing]
    path.write_text("\n".join([header, *kept]))
    return str(path)


@pytest.mark.parametrize("jitter", [False, True])
def test_no_stretch_crosses_a_gap(tmp_path: Path, jitter: bool) -> None:
    path = with_gaps(tmp_path, {5, 6, 17, 33}, jitter)
    split = Time(valid="2024-01-01T00:20", test="2024-01-01T00:30")
    data = of(path, split, max_length=8)
    prepared = prepare(data, Tagging(), tmp_path)
    rows = list(range(ROWS))
    train = [rows[:5], rows[7:15], rows[15:17], rows[18:20]]
    test = [rows[30:33], rows[34:40]]
    assert stretches(prepared.splits["train"]) == train
    assert stretches(prepared.splits["valid"]) == [rows[20:28], rows[28:30]]
    assert stretches(prepared.splits["test"]) == test
    assert prepared.notes == ["gaps in the times of frames: 3; no item crosses one"]
    frame = sources.read(data.source, data.split)
    frame, _ = prepared.fitted.items_to_score(frame)
    whole = prepared.fitted.encode(frame, np.arange(len(frame)), "new")
    assert stretches(whole) == [*train[:3], rows[18:26], rows[26:33], rows[34:40]]


def test_gaps_of_sequences_with_one_label_are_told(tmp_path: Path) -> None:
    rows = [f"{name},2024-01-01T00:{k:02d},{k},{name}" for name in "ab" for k in range(9)]
    del rows[4]
    (tmp_path / "a.csv").write_text("\n".join(["id,t,x,label", *rows]))
    source = Frames(path=str(tmp_path / "a.csv"), sequence="id", time="t", columns=("x",))
    frame = sources.read(source, Fractions())
    assert [len(frames) for frames in frame["frames"]] == [8, 9]
    assert frame.attrs["notes"] == [
        "gaps in the times of frames: 1, in 1 sequences; a sequence has one label, so its frames "
        "are read as they follow"
    ]


def test_frames_at_irregular_times_have_no_gaps(tmp_path: Path) -> None:
    minutes = np.cumsum(np.arange(ROWS) % 7 + 1)
    times = pd.Series(pd.to_datetime(minutes * 60, unit="s"))
    assert gaps(times).tolist() == []
    assert gaps(times.iloc[:2]).tolist() == []


def test_the_validation_share_of_a_training_file_is_its_last(tmp_path: Path) -> None:
    split = Files(valid=0.2, test=long(tmp_path, "b.csv", first=100))
    prepared = prepare(of(long(tmp_path), split), Tagging(), tmp_path)
    assert stretches(prepared.splits["train"]) == [list(range(32))]
    assert stretches(prepared.splits["valid"]) == [list(range(32, 40))]
    assert stretches(prepared.splits["test"]) == [list(range(100, 140))]
    assert [int(prepared.splits[p].item[0]) for p in ("train", "valid", "test")] == [0, 32, 40]


def sequences(folder: Path, labels: Any) -> Frames:
    """Thirty sequences of five frames, k, k + 1, …; label per sequence: its parity."""
    lines = ["id,x,label"]
    for k in range(30):
        lines += [f"s{k},{10 * k + t},{k % 2 if labels == 'per_sequence' else t}" for t in range(5)]
    (folder / "s.csv").write_text("\n".join(lines))
    return Frames(path=str(folder / "s.csv"), labels=labels, sequence="id")


def test_sequences_stay_whole_on_their_side_and_then_are_cut(tmp_path: Path) -> None:
    split = Fractions(valid=0.2, test=0.2)
    source = sequences(tmp_path, "per_frame")
    data = Data(source=source, split=split, max_length=3, scaling="none")
    prepared = prepare(data, Tagging(), tmp_path)
    sides: dict[int, set[str]] = {}
    for name, part in prepared.splits.items():
        for item in stretches(part):
            assert len(item) in (2, 3)
            sides.setdefault(item[0] // 10, set()).add(name)
    assert len(sides) == 30
    assert all(len(side) == 1 for side in sides.values())
    assert sum(prepared.facts["tokens"].values()) == 150


def test_a_limit_counts_stretches(tmp_path: Path) -> None:
    data = of(long(tmp_path), Time(valid=0.25, test=0.25), max_length=2, limit=3)
    prepared = prepare(data, Tagging(), tmp_path)
    assert prepared.facts["items"] == {"train": 3, "valid": 3, "test": 3}


@pytest.mark.parametrize("task", [Tagging(), Classification()], ids=lambda task: task.kind)
def test_features_are_scaled_by_the_training_part_alone(
    task: Tagging | Classification, tmp_path: Path
) -> None:
    labels = "per_frame" if isinstance(task, Tagging) else "per_sequence"
    source = sequences(tmp_path, labels)
    kinds = {}
    for kind in ("none", "standard", "minmax"):
        data = Data.model_validate({"source": source, "scaling": kind})
        kinds[kind] = prepare(data, task, tmp_path)
    raw = {split: kinds["none"].splits[split].inputs.double() for split in ("train", "test")}
    for split, values in raw.items():
        mean, deviation = raw["train"].mean(), raw["train"].std(unbiased=False)
        low, high = raw["train"].min(), raw["train"].max()
        for kind, scaled in [
            ("standard", (values - mean) / deviation),
            ("minmax", (values - low) / (high - low)),
        ]:
            found = kinds[kind].splits[split].inputs.double()
            # float32 of numbers of about 1
            torch.testing.assert_close(found, scaled, rtol=1e-6, atol=1e-6)
    scaler = kinds["standard"].fitted.inputs.scaler
    assert scaler is not None
    assert scaler.columns == ("x",)
    assert np.allclose(
        scaler.transform(raw["test"].numpy()), kinds["standard"].splits["test"].inputs
    )


def test_the_baseline_of_frames_is_the_most_frequent_label(tmp_path: Path) -> None:
    data = of(long(tmp_path), Time(valid=0.25, test=0.25), max_length=4)
    prepared = prepare(data, Tagging(), tmp_path)
    found = score(task_for(Tagging(), prepared), prepared, prepared.splits["test"])
    assert set(found) >= {"most frequent tag", "previous tag", "logistic regression"}
    truth = prepared.splits["test"].targets
    assert found["most frequent tag"]["accuracy"] == pytest.approx(
        float((truth == 1).float().mean())
    )


def test_too_little_for_a_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"every split needs at least one row"):
        prepare(of(long(tmp_path), Time(valid=0.001, test=0.5)), Tagging(), tmp_path)
