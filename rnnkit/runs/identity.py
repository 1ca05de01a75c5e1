"""What a run's result depends on, hashed once: its params, and bytes in files the params name.

Imports neither torch nor pandas, because the run's id is needed before anything is loaded.
"""

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rnnkit.data.prepare import data_sha256
from rnnkit.data.sources.opening import existing
from rnnkit.data.sources.public_files import located
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params.data import Data
from rnnkit.params.model import Custom, Embedding
from rnnkit.params.task import Task
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime.files import sha256_file, sha256_json


@dataclass(frozen=True)
class Identity:
    """Which run it is.

    Args:
        run: its id.
        data: sha256 of the prepared data.
        inputs: sha256 of the data and of all other files that the params name.
    """

    run: str
    data: str
    inputs: str

    def repeated(self, experiment: Experiment, again: int) -> "Identity":
        """The identity of another run of the same; nothing is hashed again."""
        return replace(self, run=RunFolder.identity(experiment, self.inputs, "", again))


def identify(experiments: Sequence[Experiment], date: str = "", again: int = 0) -> list[Identity]:
    """The identities of some runs; data that several share are hashed once.

    Args:
        experiments: resolved.
        date: set by a schedule; otherwise empty.
        again: how many runs of the same came before.

    Raises:
        InputError: a file is missing.
    """
    hashed: dict[tuple[Data, Task], str] = {}
    identities = []
    for experiment in experiments:
        key = experiment.data, experiment.task
        if key not in hashed:
            hashed[key] = data_sha256(*key)
        inputs = inputs_sha256(experiment, hashed[key])
        run = RunFolder.identity(experiment, inputs, date, again)
        identities.append(Identity(run, hashed[key], inputs))
    return identities


def inputs_sha256(experiment: Experiment, data: str) -> str:
    """Over the data, and word vectors, another run's weights and a cell's source where they are.

    Args:
        experiment: resolved.
        data: sha256 of the prepared data.

    Raises:
        InputError: a file is missing.
    """
    block, outside = experiment.model.representation, {}
    if isinstance(block, Embedding) and block.vectors is not None:
        outside["vectors"] = sha256_file(existing(located(block.vectors)))
    if experiment.train.start_from is not None:
        outside["start_from"] = sha256_file(weights_of(experiment.train.start_from))
    if isinstance(experiment.model.cell, Custom):
        outside["cell"] = sha256_file(source_of(experiment.model.cell))
    return sha256_json({"data": data, **outside}) if outside else data


def weights_of(path: str) -> Path:
    """The weights of a finished run's folder.

    Raises:
        InputError: there are none.
    """
    place = Path(path).expanduser()
    weights = (place / "model" if (place / "model").is_dir() else place) / "weights.safetensors"
    if not weights.exists():
        raise InputError(
            f"train.start_from: {path} has no model; give a finished run's folder, as "
            "mlruns/runs/RUN"
        )
    return weights


def source_of(cell: Custom) -> Path:
    """The file that holds a custom cell's module; it is looked for in the working folder, too.

    Raises:
        InputError: there is none.
    """
    module = cell.module.partition(":")[0]
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    importlib.invalidate_caches()
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        raise InputError(f"model.cell.module: there is no module {module!r}")
    return Path(spec.origin)
