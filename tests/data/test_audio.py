"""Recordings as files and folders, and every message that bad ones get."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recordings import RATE, record, table, tone

from rnnkit.data.sources import fingerprint, read
from rnnkit.errors import InputError
from rnnkit.params.data import Files, Fractions
from rnnkit.params.source import Audio


def test_a_table_names_recordings_beside_it(tmp_path: Path) -> None:
    (tmp_path / "wav").mkdir()
    record(tmp_path / "wav" / "a.wav", tone())
    record(tmp_path / "wav" / "b.wav", tone(0.2))
    source = Audio(path=table(tmp_path, {"wav/a.wav": "one", "wav/b.wav": "two"}), rate=RATE)
    frame = read(source, Fractions())
    assert frame["text"].tolist() == ["one", "two"]
    assert [len(samples) for samples in frame["samples"]] == [2_400, 1_600]
    assert np.allclose(frame["samples"].iloc[0], tone(), atol=1e-4)
    assert (frame.attrs["rate"], frame.attrs["notes"]) == (RATE, [])


def test_notes_of_files_of_parts_say_which_part(tmp_path: Path) -> None:
    record(tmp_path / "a.wav", tone())
    record(tmp_path / "b.wav", np.stack([tone(), tone()], axis=1))
    record(tmp_path / "c.wav", np.stack([tone(rate=16_000)] * 2, axis=1), 16_000)
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text(f"audio,text\n{name}.wav,say {name}\n")
    valid, test = (str(tmp_path / f"{name}.csv") for name in "bc")
    source = Audio(path=str(tmp_path / "a.csv"), rate=RATE)
    frame = read(source, Files(valid=valid, test=test))
    assert frame.attrs == {
        "rate": RATE,
        "notes": [
            "valid: the channels of 1 recordings were mixed to one",
            "test: the channels of 1 recordings were mixed to one",
            "test: 1 recordings were resampled from 16,000 to 8,000 Hz",
        ],
    }


def test_the_fingerprint_changes_with_a_recording(tmp_path: Path) -> None:
    record(tmp_path / "a.wav", tone())
    source = Audio(path=table(tmp_path, {"a.wav": "one"}))
    first = fingerprint(source, Fractions())
    record(tmp_path / "a.wav", tone(hertz=500))
    assert fingerprint(source, Fractions()) != first


def test_names_of_files_say_it_all(tmp_path: Path) -> None:
    for name in ("7_ann_0", "7_ann_12", "3_bob_x_1"):
        record(tmp_path / f"{name}.wav", tone())
    names = "{text}_{speaker}_{take}.wav"
    source = Audio(path=str(tmp_path), names=names, group="speaker", rate=RATE)
    frame = read(source, Fractions())
    assert frame["text"].tolist() == ["3", "7", "7"]
    assert frame["group"].tolist() == ["bob", "ann", "ann"]


def test_channels_are_mixed_and_rates_changed_and_both_are_said(tmp_path: Path) -> None:
    left, right = tone(rate=16_000), tone(hertz=880, rate=16_000)
    record(tmp_path / "a.wav", np.stack([left, right], axis=1), 16_000)
    record(tmp_path / "b.wav", tone())
    source = Audio(path=table(tmp_path, {"a.wav": "one", "b.wav": "two"}), rate=RATE)
    frame = read(source, Fractions())
    assert frame.attrs["notes"] == [
        "the channels of 1 recordings were mixed to one",
        "1 recordings were resampled from 16,000 to 8,000 Hz",
    ]
    mixed = frame["samples"].iloc[0]
    assert len(mixed) == 2_400
    expected = (tone() + tone(hertz=880)) / 2
    assert np.abs(mixed[200:-200] - expected[200:-200]).max() < 0.02


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: record(path, np.empty(0)), "the recording is empty"),
        (lambda path: path.write_bytes(b"no sound at all" * 9), "a WAV file is needed, but"),
        (
            lambda path: None,
            r"csv, line 2: there is no recording .*a\.wav; paths in a table",
        ),
        (
            lambda path: path.write_bytes(Path(record(path, tone())).read_bytes()[:2_044]),
            r"the recording is cut off: its header says 2,400 samples and there are 1,000",
        ),
    ],
    ids=["empty", "other", "missing", "truncated"],
)
def test_a_bad_recording_is_refused(tmp_path: Path, make: Any, message: str) -> None:
    make(tmp_path / "a.wav")
    source = Audio(path=table(tmp_path, {"a.wav": "one"}), rate=RATE)
    with pytest.raises(InputError, match=r"a\.wav[:;] ") as found:
        read(source, Fractions())
    assert found.match(message)


def test_a_recording_is_no_table_of_recordings(tmp_path: Path) -> None:
    path = record(tmp_path / "a.wav", tone())
    with pytest.raises(InputError, match=r"a\.wav: is one recording, and a table of recordings is"):
        read(Audio(path=path), Fractions())


@pytest.mark.parametrize(
    ("files", "names", "message"),
    [
        ([], "{text}.wav", "there is no .wav file in this folder"),
        (["a"], "{text}_{speaker}.wav", r"a\.wav: the name must be like"),
        (None, "{text}.wav", "a folder of .wav files is needed"),
    ],
)
def test_a_bad_folder_is_refused(
    tmp_path: Path, files: list[str] | None, names: str, message: str
) -> None:
    for name in files or []:
        record(tmp_path / f"{name}.wav", tone())
    path = tmp_path if files is not None else tmp_path / "none"
    with pytest.raises(InputError, match=message):
        read(Audio(path=str(path), names=names), Fractions())


def test_a_recording_without_a_transcript_is_refused(tmp_path: Path) -> None:
    record(tmp_path / "a.wav", tone())
    with pytest.raises(
        InputError, match=r"table\.csv, line 2: every recording needs its transcript"
    ):
        read(Audio(path=table(tmp_path, {"a.wav": ""})), Fractions())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"audio": "a.wav", "text": 7},
            "its transcript as text, but column 'text' is 7; fi",
        ),
        (
            {"audio": "a.wav", "text": None},
            "its transcript as text, but column 'text' is empty; fill",
        ),
        ({"text": "one"}, "needs the path of its recording, but column 'audio' is empty; fill it"),
        ({"audio": "", "text": "one"}, "path of its recording, but column 'audio' is empty; fill"),
        ({"audio": 7, "text": "one"}, "path of its recording, but column 'audio' is 7; fill it in"),
    ],
)
def test_a_row_without_its_text_or_its_recording_is_refused(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    record(tmp_path / "a.wav", tone())
    rows = [{"audio": "a.wav", "text": "one"}, row]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(InputError, match=rf"t\.jsonl, line 2: every .*{message}"):
        read(Audio(path=str(tmp_path / "t.jsonl")), Fractions())
