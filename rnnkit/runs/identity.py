"""Run ids: hashes of the params and of the files they name.

Imports neither torch nor pandas: the id is needed before anything is loaded.
"""

import functools
import glob
import importlib.util
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rnnkit.data.prepare import data_sha256
from rnnkit.data.sources.opening import fingerprint
from rnnkit.data.sources.public_files import located
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params.model import Custom, Embedding
from rnnkit.runs.model_folder import WEIGHTS, find_model, verify_model
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime.disk import user_path
from rnnkit.runtime.files import sha256_file, sha256_json


@dataclass(frozen=True)
class Identity:
    """A run's id, and the sha256 of its prepared data and of all files named in its params."""

    run: str
    data: str
    inputs: str

    def repeated(self, experiment: Experiment, again: int) -> "Identity":
        """Identity of a repeated run; reuses the hashes."""
        return replace(self, run=RunFolder.identity(experiment, self.inputs, "", again))


def identify(
    experiments: Sequence[Experiment], date: str = "", again: int = 0, runs: Path | None = None
) -> list[Identity]:
    """Identities of resolved experiments, as in `RunFolder.identity`; shared data are hashed once.

    Args:
        runs: the folder of all runs, where sweeps of earlier versions keep their ids; None: they
            get the ids of this version.

    Raises:
        InputError: a file is missing.
    """
    data_hash = functools.cache(data_sha256)
    identities = []
    for experiment in experiments:
        data = data_hash(experiment.data, experiment.task)
        inputs = inputs_sha256(experiment, data)
        run = RunFolder.identity(experiment, inputs, date, again)
        if runs is not None and experiment.tune is not None:
            run = _begun_before(experiment, run, inputs, date, again, runs) or run
        identities.append(Identity(run, data, inputs))
    return identities


def _begun_before(
    experiment: Experiment, run: str, inputs: str, date: str, again: int, runs: Path
) -> str:
    """The id of a sweep that an earlier version began, the same one or else one that may grow to
    it; empty if there is none."""
    same = RunFolder.identity_of_before(experiment, inputs, date, again)
    if same is not None and (runs / same).exists():
        return same
    if (runs / run).exists():
        return ""
    for folder in map(RunFolder, sorted(runs.glob(f"{glob.escape(experiment.name)}-*"))):
        with suppress(InputError, FileNotFoundError):
            begun = folder.params
            ids = [
                identity(begun, inputs, date, again)
                for identity in (RunFolder.identity_of_before, RunFolder.identity)
            ]
            if begun.tune is not None and ids == [folder.id, run]:
                return folder.id
    return ""


def inputs_sha256(experiment: Experiment, data: str) -> str:
    """SHA-256 of the data, word vectors, start weights and custom cell, as far as they are used.

    Raises:
        InputError: a file is missing.
    """
    embedding, hashes = experiment.model.representation, {}
    if isinstance(embedding, Embedding) and embedding.vectors is not None:
        hashes["vectors"] = fingerprint(located(embedding.vectors))
    if experiment.train.start_from is not None:
        hashes["start_from"] = sha256_file(weights_of(experiment.train.start_from))
    if isinstance(experiment.model.cell, Custom):
        hashes["cell"] = sha256_file(source_of(experiment.model.cell))
    return sha256_json({"data": data, **hashes}) if hashes else data


def weights_of(path: str) -> Path:
    """Path of the weights in a finished run's folder; the model is verified.

    Raises:
        InputError: there are no weights, or the model differs from its manifest.
    """
    try:
        place = find_model(user_path(path))
        verify_model(place)
    except InputError as error:
        raise InputError(f"train.start_from: {error}") from None
    return place / WEIGHTS


def source_of(cell: Custom) -> Path:
    """Source file of a custom cell's module; also searched for in the working folder.

    Raises:
        InputError: there is no such module.
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
