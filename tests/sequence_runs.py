"""Small translation, captioning and transcription experiments that several test files run."""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from trained_runs import train_in

from rnnkit.inference.predict import Predictor, load
from rnnkit.params import Experiment

WORDS = ["ab", "cd", "ef", "gh"]


def pairs(folder: Path, *, count: int = 60, more: str = "") -> dict[str, Any]:
    """Words, and the same backwards."""
    rows = [[WORDS[(k // 4**i) % 4] for i in range(2 + k % 3)] for k in range(count)]
    text = "\n".join(f"{' '.join(row)}\t{' '.join(reversed(row))}" for row in rows)
    (folder / "p.tsv").write_text(f"source\ttarget\n{text}\n{more}")
    return {"kind": "pairs", "path": str(folder / "p.tsv")}


def names(folder: Path) -> dict[str, Any]:
    rows = [f"{'abc'[k % 3] * (1 + k % 4)},{'left' if k % 2 else 'right'}" for k in range(60)]
    (folder / "n.csv").write_text("\n".join(["text,label", *rows]))
    return {"kind": "labelled_text", "path": str(folder / "n.csv")}


def recorded(folder: Path, takes: int = 30) -> str:
    """Two words by their pitch, so many times each."""
    (folder / "wav").mkdir()
    for take in range(takes):
        for name, hertz in (("low", 300 + take), ("high", 1500 + take)):
            tone = 0.3 * np.sin(2 * np.pi * hertz * np.arange(1_500 + 20 * take) / 8_000)
            soundfile.write(folder / "wav" / f"{name}_{take}.wav", tone, 8_000)
    return str(folder / "wav")


def experiment_of(
    task: str, source: dict[str, Any], *, data: Any = None, model: Any = None, **more: Any
) -> Experiment:
    tree = {
        "name": "w",
        "task": {"kind": task, **more},
        "data": {
            "source": source,
            "split": {"kind": "fractions", "valid": 0.2, "test": 0.2},
            **(data or {}),
        },
        "model": {"hidden": 8, "target_embedding": 6, **(model or {})},
        "train": {"epochs": 2, "batch_size": 8},
    }
    if task == "transcription":
        del tree["model"]["target_embedding"]
    return Experiment.model_validate(tree)


def run(folder: Path, experiment: Experiment) -> Predictor:
    return load(train_in(folder / "run", experiment, folder).folder.path)
