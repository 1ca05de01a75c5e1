"""What a run's result depends on beside its params: bytes that lie in files the params name.

Imports neither torch nor pandas, for it says which run is meant before anything is loaded.
"""

import importlib.util
import sys
from pathlib import Path

from rnnkit.data.prepare import data_sha256
from rnnkit.data.sources.opening import existing
from rnnkit.data.sources.public_files import located
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params.model import Custom, Embedding
from rnnkit.runtime.files import sha256_file, sha256_json


def inputs_sha256(experiment: Experiment) -> str:
    """Over the data, and word vectors, another run's weights and a cell's source where they are.

    Raises:
        InputError: a file is missing.
    """
    data = data_sha256(experiment.data, experiment.task)
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
    found = (place / "model" if (place / "model").is_dir() else place) / "weights.safetensors"
    if not found.exists():
        raise InputError(
            f"train.start_from: {path} has no model; give a finished run's folder, as "
            "mlruns/runs/RUN"
        )
    return found


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
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        found = None
    if found is None or found.origin is None:
        raise InputError(f"model.cell.module: there is no module {module!r}")
    return Path(found.origin)
