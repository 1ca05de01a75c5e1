"""Small runs for tests of the verbs, and the verbs as they are typed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from trained_runs import finish_in

from rnnkit.params import load

PARAMS = """
name: words
task: {kind: tagging}
data:
  source: {kind: tokens, path: t.jsonl}
  split: {kind: fractions, valid: 0.2, test: 0.2}
model: {hidden: 6}
train: {epochs: 1}
"""
SPOKEN = """
name: spoken
task: {kind: classification}
data:
  source: {kind: audio, path: wav, names: "{text}_{take}.wav", rate: 8000}
  split: {kind: names, test: "*_[0-2].wav", valid: "*_[3-5].wav"}
  features: {normalize: none, deltas: 0}
model: {representation: {kind: raw}, hidden: 6}
train: {epochs: 1}
"""
NOTES = [
    "the channels of 1 recordings were mixed to one",
    "1 recordings were resampled from 16,000 to 8,000 Hz",
]


def finish(folder: Path, params: str) -> None:
    """A finished run of the params, which are written to the folder."""
    (folder / "a.yaml").write_text(params)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        it = load(Path("a.yaml"))
        finish_in(folder / "mlruns", it, f"{it.name}-0123456789")


def rnnkit(folder: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    house = Path(__file__).parents[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "MLFLOW_"))}
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        timeout=300,
        env={**kept, "PYTHONPATH": str(house)},
    )


def answers(done: subprocess.CompletedProcess[str]) -> list[Any]:
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]
