"""Recordings: their files, what is heard of them, strings of them, and their transcripts."""

import json
import shutil
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import scipy.fft
import soundfile
from training import finish_in

from rnnkit.conclude import PREDICTIONS
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params.data import MFCC, FileNames, Files, Fractions
from rnnkit.params.source import Audio, Builtin
from rnnkit.predict import load
from rnnkit.prepare import audio, prepare
from rnnkit.report.mistakes import mistakes
from rnnkit.rescore import rescore
from rnnkit.sources import fingerprint, read, riff, touch_tones
from rnnkit.sources.audio import recording

RATE = 8_000


def tone(seconds: float = 0.3, hertz: float = 440.0, rate: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def record(path: Path, samples: np.ndarray, rate: int = RATE) -> str:
    """[samples] or [samples, channels] as 16-bit PCM."""
    table = np.atleast_2d(samples.T).T
    with wave.open(str(path), "wb") as opened:
        opened.setnchannels(table.shape[1])
        opened.setsampwidth(2)
        opened.setframerate(rate)
        opened.writeframes((table * 32767).astype("<i2").tobytes())
    return str(path)


def table(folder: Path, rows: dict[str, str]) -> str:
    path = folder / "table.csv"
    path.write_text("\n".join(["audio,text", *(f"{name},{text}" for name, text in rows.items())]))
    return str(path)


# --- files


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
            r"the recording is cut off: its header tells of 2,400 samples and there are 1,000",
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
    message = rf"cut off: its header tells of {promised} and there are {there}; copy it again"
    with pytest.raises(InputError, match=message):
        recording(str(path), RATE)


def test_what_a_header_tells(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), RATE, "PCM_24")
    raw = path.read_bytes()
    assert riff.sound(path) == (2_400, 2_400, "samples")
    odd = raw[:12] + b"note" + (3).to_bytes(4, "little") + b"abc\0" + raw[12:]
    path.write_bytes(odd)  # a chunk of an odd size has a byte behind it
    assert riff.sound(path) == (2_400, 2_400, "samples")
    for other in (b"no sound at all" * 9, b"RIFF", raw[:30], raw[: raw.index(b"data")]):
        path.write_bytes(other)
        assert riff.sound(path) is None


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
    with pytest.raises(InputError, match=r"table\.csv, line 2: every recording needs what is said"):
        read(Audio(path=table(tmp_path, {"a.wav": ""})), Fractions())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"audio": "a.wav", "text": 7},
            "said in it, as text, but column 'text' is 7; fi",
        ),
        ({"audio": "a.wav", "text": None}, "said in it, as text, but column 'text' is empty; fill"),
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


# --- what is heard


def by_hand(samples: np.ndarray, params: MFCC) -> np.ndarray:
    """The coefficients by the equations, with librosa's mel filters."""
    import librosa

    transform, window, hop = audio.sizes(RATE, params)
    shape = np.pad(
        np.hanning(window + 1)[:-1],
        ((transform - window) // 2, transform - window - (transform - window) // 2),
    )
    filters = librosa.filters.mel(sr=RATE, n_fft=transform, n_mels=params.bands)
    rows = []
    for begin in range(0, len(samples) - transform + 1, hop):
        power = np.abs(np.fft.rfft(samples[begin : begin + transform] * shape)) ** 2
        logarithms = np.log(np.maximum(filters @ power, audio.QUIET))
        rows.append(scipy.fft.dct(logarithms, norm="ortho")[: params.coefficients])
    return np.array(rows)


def test_coefficients_are_their_equations() -> None:
    params = MFCC(deltas=0, normalize="none")
    samples = np.random.default_rng(0).normal(size=2_000).astype(np.float32)
    found = audio.features(samples, RATE, params)
    assert found.shape == ((2_000 - 256) // 80 + 1, 13)
    assert np.allclose(found, by_hand(samples, params), atol=2e-3)


@pytest.mark.parametrize("deltas", [0, 1, 2])
def test_slopes_stand_beside_and_every_recording_is_scaled_by_itself(deltas: int) -> None:
    params = MFCC(coefficients=5, deltas=deltas)
    found = audio.features(tone(0.5).astype(np.float32), RATE, params)
    assert found.shape[1] == 5 * (deltas + 1) == len(audio.names(params))
    assert np.allclose(found.mean(axis=0), 0, atol=1e-3)
    assert (found.std(axis=0) < 1.01).all()


@pytest.mark.parametrize("length", [100, 800, 8_123])
def test_silence_has_no_features(length: int) -> None:
    found = audio.features(np.zeros(length, dtype=np.float32), RATE, MFCC())
    assert np.abs(found).max() < 1e-6  # and no rounding made large by its own deviation


def test_a_slope_is_that_of_a_line() -> None:
    params = MFCC(coefficients=1, deltas=1, normalize="none")
    louder = np.concatenate([np.full(80, np.exp(k / 40)) for k in range(60)])
    noise = np.random.default_rng(1).choice([-0.05, 0.05], size=len(louder))
    found = audio.features((louder * noise).astype(np.float32), RATE, params)
    middle = found[10:-10]
    assert middle[:, 1].mean() == pytest.approx(np.diff(middle[:, 0]).mean(), rel=0.1)


@pytest.mark.parametrize("length", [1, 100, 255, 256])
def test_a_short_recording_is_one_frame(length: int) -> None:
    found = audio.features(tone()[:length].astype(np.float32), RATE, MFCC())
    assert found.shape == (1, 39)
    assert np.isfinite(found).all()


def test_many_processes_hear_what_one_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = [tone(0.1 + 0.05 * k).astype(np.float32) for k in range(9)]
    alone = [audio.features(item, RATE, MFCC()) for item in samples]
    monkeypatch.setattr(audio, "SPREAD", 0.0)
    together = audio.all_features(samples, RATE, MFCC())
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_touch_tones_are_what_the_recommendation_says() -> None:
    frame = read(Builtin(name="touch_tones"), Fractions())
    assert len(frame) == touch_tones.ITEMS
    assert frame["text"].str.len().between(touch_tones.FEWEST, touch_tones.MOST).all()
    samples, keys = touch_tones.recording(3)
    again, same = touch_tones.recording(3)
    assert np.array_equal(samples, again)
    assert keys == same
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / touch_tones.RATE)
    wanted = {tone_ for key in keys for tone_ in tones_of(key)}
    loud = {f for f in touch_tones.ROWS + touch_tones.COLUMNS if near(power, hertz, f)}
    assert loud == wanted


def tones_of(key: str) -> tuple[int, int]:
    row = next(r for r, line in enumerate(touch_tones.KEYS) if key in line)
    column = touch_tones.KEYS[row].index(key)
    return touch_tones.ROWS[row], touch_tones.COLUMNS[column]


def near(power: np.ndarray, hertz: np.ndarray, wanted: float) -> bool:
    inside = power[np.abs(hertz - wanted) < 8].max()
    return bool(inside > 20 * np.median(power))


# --- prepared


def folder_of(tmp_path: Path, takes: int = 12) -> Path:
    """Recordings of two speakers: the digit is in the pitch."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    for digit in range(3):
        for speaker in ("ann", "bob"):
            for take in range(takes):
                hertz = 300 + 400 * digit + 5 * take + (20 if speaker == "bob" else 0)
                record(folder / f"{digit}_{speaker}_{take}.wav", tone(0.15 + 0.01 * take, hertz))
    return folder


def experiment_of(folder: Path, task: str = "transcription", **data: Any) -> Experiment:
    source = {"kind": "audio", "path": str(folder), "names": "{text}_{speaker}_{take}.wav"}
    source |= {"rate": RATE, **data.pop("source", {})}
    split = {"kind": "names", "test": "*_[0-2].wav", "valid": "*_[34].wav"}
    tree = {
        "name": "a",
        "task": {"kind": task},
        "data": {"source": source, "split": split, **data},
        "model": {"representation": {"kind": "raw"}, "hidden": 6},
        "train": {"epochs": 1},
    }
    return Experiment.model_validate(tree)


def test_patterns_say_which_file_is_in_which_part(tmp_path: Path) -> None:
    it = experiment_of(folder_of(tmp_path))
    prepared = prepare(it.data, it.task, tmp_path)
    assert {part: len(examples) for part, examples in prepared.parts.items()} == {
        "train": 42,
        "valid": 12,
        "test": 18,
    }
    assert prepared.target is not None
    assert prepared.target.vocabulary[2:] == ("0", "1", "2")
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
    assert len(prepared.parts["test"]) == 18
    assert len(prepared.parts["train"]) + len(prepared.parts["valid"]) == 54


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


JOIN = {"low": 2, "high": 3, "train": 20, "valid": 5, "test": 7}


def test_strings_are_joined_from_one_speaker_and_one_part(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    it = experiment_of(folder, source={"group": "speaker", "join": JOIN})
    prepared = prepare(it.data, it.task, tmp_path)
    assert [len(prepared.parts[part]) for part in ("train", "valid", "test")] == [20, 5, 7]
    assert {len(text.split()) for text in prepared.references.values()} == {2, 3}
    assert len(prepared.references) == 12
    from rnnkit.prepare.split import split_items
    from rnnkit.prepare.transcription import joined

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
    assert prepared.facts["left_out"] == 42 - len(prepared.parts["train"]) > 0
    assert int(prepared.parts["train"].input_length.max()) <= 20
    assert len(prepared.parts["test"]) == 18


def test_whole_recordings_are_classified(tmp_path: Path) -> None:
    it = experiment_of(folder_of(tmp_path), task="classification", features={"normalize": "none"})
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.labels == ("0", "1", "2")
    assert prepared.features == 39
    train = prepared.parts["train"].inputs
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
    assert prepared.scaler is None
    assert prepared.features == 39
    frame = read(it.data.source, it.data.split)
    part = prepared.parts["test"]
    own = audio.features(frame["samples"].iloc[int(part.item[1])], RATE, it.data.features)
    start, length = int(part.input_start[1]), int(part.input_length[1])
    assert np.array_equal(part.inputs[start : start + length].numpy(), own)


def test_joined_recordings_are_scored_joined_on_another_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    it = experiment_of(folder, source={"group": "speaker", "join": JOIN})
    run, prepared, _ = finish_in(tmp_path, it, "strings")
    other = tmp_path / "other"
    other.mkdir()
    for file in sorted(folder.glob("*_[0-2].wav")):  # the run's own test part
        shutil.copy(file, other)
    found = rescore(run, str(other), tmp_path)
    assert found["items"] == 7
    assert found["notes"] == ["7 strings were joined from 18 recordings"]
    assert found["test"] == pytest.approx(run.result["test"])
    assert prepared.references.keys() >= set(prepared.parts["test"].item.tolist())


def test_what_is_classified_is_cut_as_it_was_in_training(tmp_path: Path) -> None:
    it = experiment_of(folder_of(tmp_path), task="classification", max_length=9)
    run, prepared, _ = finish_in(tmp_path, it, "cut")
    frame, part = read(it.data.source, it.data.split), prepared.parts["test"]
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
    _, rows = mistakes(wrong, it, prepared)
    assert rows[0]["recording"] in set(table["recording"])
