"""The files in `params/`, and a shortened experiment of each."""

from pathlib import Path
from typing import Any

import pytest

from rnnkit.params import Experiment, load

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "params").glob("*.yaml"))
SHORT: dict[str, Any] = {"train.epochs": 1, "tune": None, "data.limit": 60}


def experiment_of(file: Path, overrides: dict[str, Any]) -> Experiment:
    """The experiment of a params file; skipped where its public data are absent."""
    experiment = load(file)
    path = getattr(experiment.data.source, "path", None)
    if path and not (ROOT / Path(*Path(path).parts[:4])).exists():  # ../shared/data/SET
        pytest.skip(f"{file.name} needs {path}")
    return experiment.replace(overrides)
