"""Recordings that tests make: tones as WAV files, tables and folders of them, and experiments."""

import wave
from pathlib import Path
from typing import Any

import numpy as np

from rnnkit.params import Experiment

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


JOIN = {"low": 2, "high": 3, "train": 20, "valid": 5, "test": 7}
