"""The samples of WAV files in every encoding, cut off, from a pipe, or with a codec inside."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from recordings import RATE, table, tone

from rnnkit.data.sources import read
from rnnkit.data.sources.riff import UNKNOWN_SIZES, header_of
from rnnkit.data.sources.wav import recording
from rnnkit.errors import InputError
from rnnkit.params.data import Fractions
from rnnkit.params.source import Audio

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
    odd = raw[:12] + b"note" + (3).to_bytes(4, "little") + b"abc\0" + raw[12:]
    for content in (raw, odd):  # a chunk of an odd size has a byte behind it
        path.write_bytes(content)
        header = header_of(path)
        assert header is not None
        assert header.lengths() == (2_400, 2_400, "samples")
        assert header.format == "PCM (format 0x0001)"
    for other in (b"no sound at all" * 9, b"RIFF", raw[:30], raw[: raw.index(b"data")]):
        path.write_bytes(other)
        assert header_of(path) is None


def riff(sound: bytes, sizes: tuple[int, int], form: bytes, behind: bytes = b"") -> bytes:
    """A WAV file whose header says these sizes, of the file and of the sound."""
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data"
    total, data = (size.to_bytes(4, "little") for size in sizes)
    return b"RIFF" + total + chunks + data + sound + behind


PCM = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)


@pytest.mark.parametrize(
    "sizes",
    [
        *((min(size + 36, 0xFFFFFFFF), size) for size in UNKNOWN_SIZES),
        *((size, size - 36) for size in UNKNOWN_SIZES),
        (0, 0),
        (36, 0),
    ],
    ids=lambda sizes: f"{sizes[1]:#x}",
)
def test_a_recording_that_came_through_a_pipe_is_read_whole(
    tmp_path: Path, sizes: tuple[int, int]
) -> None:
    path = tmp_path / "a.wav"
    sound = (tone() * 20_000).astype("<i2")
    path.write_bytes(riff(sound.tobytes(), sizes, PCM))
    samples, rate, channels = recording(str(path), RATE)
    assert (rate, channels) == (RATE, 1)
    assert np.array_equal(samples * 2**15, sound)


def test_an_empty_recording_with_a_chunk_behind_it_is_empty(tmp_path: Path) -> None:
    behind = b"LIST\x04\0\0\0abcd"
    (tmp_path / "a.wav").write_bytes(riff(b"", (36 + len(behind), 0), PCM, behind))
    with pytest.raises(InputError, match="the recording is empty"):
        recording(str(tmp_path / "a.wav"), RATE)


def mp3() -> bytes:
    content = io.BytesIO()
    soundfile.write(content, np.tile(tone(), 4), RATE, format="MP3")
    return content.getvalue()


@pytest.mark.parametrize("extra", [b"", struct.pack("<HHIHHH", 12, 1, 2, 144, 1, 1_393)])
@pytest.mark.parametrize("behind", [b"", b"LIST\x04\0\0\0abcd"])
@pytest.mark.parametrize("piped", [False, True])
def test_mp3_inside_a_wav_is_read_as_the_mp3(
    tmp_path: Path, extra: bytes, behind: bytes, piped: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    sound, form = mp3(), struct.pack("<HHIIHH", 0x55, 1, RATE, 4_000, 1, 0) + extra
    size = 0xFFFFFFFF if piped else len(sound)
    behind = b"" if piped else behind
    (tmp_path / "a.wav").write_bytes(riff(sound, (size, size), form, behind))
    (tmp_path / "a.mp3").write_bytes(sound)
    samples, rate, channels = recording(str(tmp_path / "a.wav"), RATE)
    assert (rate, channels) == (RATE, 1)
    assert np.array_equal(samples, recording(str(tmp_path / "a.mp3"), RATE)[0])
    assert len(samples) >= 4 * 2_400
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (
            struct.pack("<HHIIHH", 0x161, 1, RATE, 1, 1, 0),
            r"WMA 2 \(format 0x0161\); convert",
        ),
        (struct.pack("<HHIIHH", 0x1234, 1, RATE, 1, 0, 0), r"an unknown codec \(format 0x1234\)"),
        (
            struct.pack("<HHIIHHHHIH", 0xFFFE, 1, RATE, 1, 1, 16, 22, 16, 4, 0xF1AC) + b"\0" * 14,
            r"FLAC \(format 0xf1ac\)",
        ),
    ],
)
def test_a_codec_that_cannot_be_read_is_named(tmp_path: Path, form: bytes, message: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(riff(b"\1" * 999, (1_035, 999), form))
    with pytest.raises(InputError, match=rf"a\.wav: its codec cannot be read, {message}"):
        recording(str(path), RATE)


def test_bytes_that_are_no_sample_are_not_called_empty(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(riff(b"\1", (37, 1), PCM))
    with pytest.raises(InputError, match=r"its 1 bytes of PCM \(format 0x0001\) cannot be read"):
        recording(str(tmp_path / "a.wav"), RATE)


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
