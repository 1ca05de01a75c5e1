"""Recordings as files and folders, and every message that bad ones get."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from recordings import RATE, record, table, tone

from rnnkit.data.sources import fingerprint, read
from rnnkit.data.sources.wav import lengths, recording
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


ENCODINGS = [
    ("WAV", "PCM_16", "2,400 samples", "1,000"),
    ("WAV", "PCM_24", "2,400 samples", "1,000"),
    ("WAV", "FLOAT", "2,400 samples", "1,000"),
    ("WAV", "DOUBLE", "2,400 samples", "1,000"),
    ("WAV", "ULAW", "2,400 samples", "1,000"),
    ("WAVEX", "PCM_16", "2,400 samples", "1,000"),
    ("WAVEX", "FLOAT", "2,400 samples", "1,000"),
    ("WAV", "IMA_ADPCM", "5 blocks", "2"),
]


@pytest.mark.parametrize(("format", "encoding", "promised", "there"), ENCODINGS)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_recording_that_is_cut_off_is_refused_in_every_encoding(
    tmp_path: Path, format: str, encoding: str, promised: str, there: str, channels: int
) -> None:
    path = tmp_path / "a.wav"
    table = np.stack([tone()] * channels, axis=1)
    soundfile.write(path, table, RATE, encoding, format=format)
    assert recording(str(path), RATE)[2] == channels
    raw, count = path.read_bytes(), int(promised.split()[0].replace(",", ""))
    begin = raw.index(b"data") + 8
    size = int.from_bytes(raw[begin - 4 : begin], "little")
    path.write_bytes(raw[: begin + size // count * int(there.replace(",", ""))])
    message = rf"cut off: its header says {promised} and there are {there}; copy it again"
    with pytest.raises(InputError, match=message):
        recording(str(path), RATE)


def test_what_a_header_tells(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), RATE, "PCM_24")
    raw = path.read_bytes()
    assert lengths(path) == (2_400, 2_400, "samples")
    odd = raw[:12] + b"note" + (3).to_bytes(4, "little") + b"abc\0" + raw[12:]
    path.write_bytes(odd)  # a chunk of an odd size has a byte behind it
    assert lengths(path) == (2_400, 2_400, "samples")
    for other in (b"no sound at all" * 9, b"RIFF", raw[:30], raw[: raw.index(b"data")]):
        path.write_bytes(other)
        assert lengths(path) is None


def test_a_recording_that_came_through_a_pipe_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), RATE, "PCM_16")
    raw = bytearray(path.read_bytes())
    begin = raw.index(b"data") + 8
    raw[4:8] = raw[begin - 4 : begin] = b"\xff" * 4  # who writes to a pipe cannot know its size
    path.write_bytes(raw)
    samples, rate, channels = recording(str(path), RATE)
    assert (len(samples), rate, channels) == (2_400, RATE, 1)


def test_samples_far_outside_their_range_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", 1e29 * tone(), RATE, "FLOAT")
    message = r"a\.wav: samples must lie between -1 and 1, but the greatest is 5e\+28; record"
    with pytest.raises(InputError, match=message):
        recording(str(tmp_path / "a.wav"), RATE)
    soundfile.write(tmp_path / "a.wav", 3 * tone(), RATE, "FLOAT")  # too loud, and a sound
    assert np.abs(recording(str(tmp_path / "a.wav"), RATE)[0]).max() > 1


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, wrong: float) -> None:
    samples = np.stack([tone(), tone()], axis=1)
    samples[[7, 8], [0, 1]] = wrong
    soundfile.write(tmp_path / "a.wav", samples, RATE, "FLOAT")
    source = Audio(path=table(tmp_path, {"a.wav": "one"}), rate=RATE)
    message = r"a\.wav: samples must be finite numbers, but 2 of 2,400 are not; record it again"
    with pytest.raises(InputError, match=message):
        read(source, Fractions())


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
