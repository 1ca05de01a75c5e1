"""The files in `params/`, and a shortened experiment of each."""

from pathlib import Path
from typing import Any

import pytest

from rnnkit.data.sources.public_files import located
from rnnkit.errors import InputError
from rnnkit.params import Experiment, load

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "params").glob("*.yaml"))
SHORT: dict[str, Any] = {"train.epochs": 1, "tune": None, "data.limit": 60}


def experiment_of(file: Path, overrides: dict[str, Any]) -> Experiment:
    """The experiment of a params file; skipped where its public data are absent."""
    experiment = load(file)
    try:
        located(getattr(experiment.data.source, "path", ""))
    except InputError as absent:
        pytest.skip(str(absent))
    return experiment.replace(overrides)
