"""Recordings prepared for a task: splits, joined strings, transcripts, answers."""

import shutil
from pathlib import Path

import numpy as np
import pandas
import pytest
from recordings import JOIN, RATE, experiment_of, folder_of, record, table, tone
from trained_runs import finish_in

from rnnkit.data.prepare import audio
from rnnkit.data.prepare.split import split_items
from rnnkit.data.sources import read
from rnnkit.errors import InputError
from rnnkit.evaluation.evaluate_file import evaluate_file
from rnnkit.evaluation.finalize import PREDICTIONS
from rnnkit.inference.predict import load
from rnnkit.params import Experiment
from rnnkit.params.data import FileNames, Files
from rnnkit.params.source import Audio
from rnnkit.tasks import predictions_of, prepare
from rnnkit.tasks.predictions import Items
from rnnkit.tasks.transcription.examples import joined


def test_patterns_say_which_file_is_in_which_part(tmp_path: Path) -> None:
    it = experiment_of(folder_of(tmp_path))
    prepared = prepare(it.data, it.task, tmp_path)
    assert {split: len(examples) for split, examples in prepared.splits.items()} == {
        "train": 42,
        "valid": 12,
        "test": 18,
    }
    assert prepared.fitted.target is not None
    assert prepared.fitted.target.vocabulary[2:] == ("0", "1", "2")
    assert set(prepared.references.values()) == {"0", "1", "2"}
    assert prepared.facts["rate"] == RATE
    assert prepared.facts["seconds"]["valid"] == pytest.approx(6 * (0.18 + 0.19), abs=1e-3)


def test_a_field_of_another_name_may_say_what_is_said(tmp_path: Path) -> None:
    source = {"names": "{digit}_{speaker}_{take}.wav", "text": "digit"}
    it = experiment_of(folder_of(tmp_path), source=source)
    prepared = prepare(it.data, it.task, tmp_path)
    assert set(prepared.references.values()) == {"0", "1", "2"}


def test_a_share_is_held_out_of_what_the_pattern_leaves(tmp_path: Path) -> None:
    it = experiment_of(folder_of(tmp_path), split={"kind": "names", "test": "*_[0-2].wav"})
    prepared = prepare(it.data, it.task, tmp_path)
    assert len(prepared.splits["test"]) == 18
    assert len(prepared.splits["train"]) + len(prepared.splits["valid"]) == 54


def test_a_file_in_two_parts_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    for part, other in (("test", "valid"), ("valid", "test")):
        split = {"kind": "names", part: "*_q.wav", other: "*_[0-2].wav"}
        it = experiment_of(folder, split=split)
        with pytest.raises(InputError, match=rf"data\.split\.{part}: no recording's name is like"):
            prepare(it.data, it.task, tmp_path)
    split = {"kind": "names", "test": "*_[0-2].wav", "valid": "*_[23].wav"}
    it = experiment_of(folder, split=split)
    with pytest.raises(InputError, match=r"'0_ann_2.wav' fits the patterns of valid"):
        prepare(it.data, it.task, tmp_path)


def test_strings_are_joined_from_one_speaker_and_one_part(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    it = experiment_of(folder, source={"group": "speaker", "join": JOIN})
    prepared = prepare(it.data, it.task, tmp_path)
    assert [len(prepared.splits[part]) for part in ("train", "valid", "test")] == [20, 5, 7]
    assert {len(text.split()) for text in prepared.references.values()} == {2, 3}
    assert len(prepared.references) == 12
    frame = read(it.data.source, it.data.split)
    rows = split_items(frame, "audio", it.data)
    assert isinstance(it.data.source, Audio)
    assert it.data.source.join is not None
    strings, found = joined(frame, rows, it.data.source.join)
    for part, own in found.items():
        names = {frame["name"].iloc[row] for row in rows[part]}
        for name in strings["name"].iloc[own]:
            pieces = name.split(" + ")
            assert len({piece.split("_")[1] for piece in pieces}) == 1
            assert len(set(pieces)) == len(pieces)
            assert set(pieces) <= names


def test_more_in_a_string_than_there_are_is_refused(tmp_path: Path) -> None:
    it = experiment_of(
        folder_of(tmp_path), source={"group": "speaker", "join": {**JOIN, "high": 9}}
    )
    with pytest.raises(InputError, match=r"join\.high: 9 recordings are joined, and 'ann' has 6"):
        prepare(it.data, it.task, tmp_path)


def test_a_transcript_longer_than_its_frames_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    record(folder / "00_cid_7.wav", tone(0.02))
    it = experiment_of(folder, tokenizer={"kind": "characters"})
    with pytest.raises(
        InputError, match=r"00_cid_7\.wav: its transcript needs 3 frames, .* 2 tokens .* has 1"
    ):
        prepare(it.data, it.task, tmp_path)


def test_longer_recordings_are_left_out_of_training(tmp_path: Path) -> None:
    it = experiment_of(folder_of(tmp_path), max_length=20)
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.facts["left_out"] == 42 - len(prepared.splits["train"]) > 0
    assert int(prepared.splits["train"].input_length.max()) <= 20
    assert len(prepared.splits["test"]) == 18


def test_whole_recordings_are_classified(tmp_path: Path) -> None:
    it = experiment_of(folder_of(tmp_path), task="classification", features={"normalize": "none"})
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.fitted.labels == ("0", "1", "2")
    assert prepared.fitted.inputs.features == 39
    train = prepared.splits["train"].inputs
    assert np.allclose(train.mean(dim=0), 0, atol=0.05)


def test_a_recording_of_a_table_is_called_by_its_path_and_split_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "wav").mkdir()
    names = [f"{'test' if k < 2 else 'train'}_{k}.wav" for k in range(9)]
    for k, name in enumerate(names):
        record(tmp_path / "wav" / name, tone(0.1 + 0.05 * (k > 2), 300 + 9 * k))
    path = table(tmp_path, {f"wav/{name}": "a b c d e f g h i j k" for name in names})
    tree = experiment_of(tmp_path).model_dump()
    split = {"kind": "names", "test": "test_*.wav", "valid": "train_[3-5].wav"}
    tree["data"] |= {"source": {"kind": "audio", "path": path, "rate": RATE}, "split": split}
    it = Experiment.model_validate(tree)
    with pytest.raises(InputError, match=r"wav/train_2\.wav: its transcript needs 11 frames"):
        prepare(it.data, it.task, tmp_path)


@pytest.mark.parametrize("task", ["classification", "transcription"])
def test_a_recording_that_is_scaled_by_itself_is_not_scaled_again(
    tmp_path: Path, task: str
) -> None:
    it = experiment_of(folder_of(tmp_path), task=task)
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.fitted.inputs.scaler is None
    assert prepared.fitted.inputs.features == 39
    frame = read(it.data.source, it.data.split)
    part = prepared.splits["test"]
    own = audio.features(frame["samples"].iloc[int(part.item[1])], RATE, it.data.features)
    start, length = int(part.input_start[1]), int(part.input_length[1])
    assert np.array_equal(part.inputs[start : start + length].numpy(), own)


def test_joined_recordings_are_scored_joined_on_another_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    it = experiment_of(folder, source={"group": "speaker", "join": JOIN})
    run, prepared, _ = finish_in(tmp_path, it, "strings")
    other = tmp_path / "other"
    other.mkdir()
    for file in sorted(folder.glob("*_[0-2].wav")):  # the run's own test split
        shutil.copy(file, other)
    found = evaluate_file(run, str(other), tmp_path)
    assert found["items"] == 7
    assert found["notes"] == ["7 strings were joined from 18 recordings"]
    assert found["test"] == pytest.approx(run.result["test"])
    assert prepared.references.keys() >= set(prepared.splits["test"].item.tolist())


def test_what_is_classified_is_cut_as_it_was_in_training(tmp_path: Path) -> None:
    it = experiment_of(folder_of(tmp_path), task="classification", max_length=9)
    run, prepared, _ = finish_in(tmp_path, it, "cut")
    frame, part = read(it.data.source, it.data.split), prepared.splits["test"]
    assert int(part.input_length.max()) == 9
    told = pandas.read_parquet(run.path / PREDICTIONS)
    answers = load(run.path)([frame["samples"].iloc[item] for item in told["item"]])
    likeliest = [max(answer["probabilities"].values()) for answer in answers]
    assert likeliest == pytest.approx(told["probability"].tolist(), abs=1e-5)


def test_tables_of_parts(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        record(tmp_path / f"{name}.wav", tone())
        (tmp_path / f"{name}.csv").write_text(f"audio,text\n{name}.wav,say {name}\n")
    valid, test = (str(tmp_path / f"{name}.csv") for name in "bc")
    frame = read(Audio(path=str(tmp_path / "a.csv")), Files(valid=valid, test=test))
    assert frame["part"].tolist() == ["train", "valid", "test"]
    assert frame["text"].tolist() == ["say a", "say b", "say c"]


def test_patterns_are_a_split_of_their_own() -> None:
    assert FileNames(test="*").kind == "names"


@pytest.mark.parametrize("task", ["classification", "transcription"])
def test_a_prediction_names_its_recording(tmp_path: Path, task: str) -> None:
    it = experiment_of(folder_of(tmp_path), task=task)
    run, prepared, _ = finish_in(tmp_path, it, "named")
    table = pandas.read_parquet(run.path / PREDICTIONS)
    frame = read(it.data.source, it.data.split)
    assert table["recording"].tolist() == frame["name"].iloc[table["item"]].tolist()
    wrong = table.assign(predicted="nothing", **({"right": False} if "right" in table else {}))
    _, rows = predictions_of(it, wrong).mistakes(Items(prepared))
    assert rows[0]["recording"] in set(table["recording"])
