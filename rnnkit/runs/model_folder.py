"""The folder of a finished model: a run's `model/`, or a copy of it.

weights.safetensors     the network's weights
params.yaml             the trained experiment
prepared.json           the fitted preprocessing, with tokenizer.json and target.json
calibration.json        what the validation split decided after training, of tasks that have it
manifest.json           sha256 of the files above; models of earlier versions have none
"""

import warnings
from pathlib import Path

from rnnkit.errors import InputError, Note
from rnnkit.runs.run_folder import PARAMS, RunFolder
from rnnkit.runtime import files

MODEL, WEIGHTS, RECORD = "model", "weights.safetensors", "prepared.json"
CALIBRATION = "calibration.json"


def find_model(folder: Path) -> Path:
    """The model in a run's folder; the folder itself if it is a model's.

    Raises:
        InputError: it has no weights.
    """
    place = folder / MODEL if (folder / MODEL).is_dir() else folder
    if not (place / WEIGHTS).exists():
        raise InputError(
            f"{place}: has no {WEIGHTS}; give a finished run's folder, as mlruns/runs/RUN"
        )
    return place


def verify_model(place: Path) -> None:
    """Verify the sha256 of each file of a model.

    Raises:
        InputError: a file differs from the manifest.

    Warns:
        Note: there is no manifest.
    """
    differences = model_differences(place)
    if differences is None:
        warnings.warn(
            f"{place}: an earlier version saved this model, without {files.MANIFEST}; damage to "
            "its files would not be noticed",
            Note,
            stacklevel=2,
        )
    elif differences:
        run = RunFolder(place.parent)
        is_run = place.name == MODEL and (run.path / PARAMS).exists()
        advice = run.rewrite_advice if is_run else "copy the folder again from the model's run"
        raise InputError(
            f"{place}: a model must be as it was written, but {'; '.join(differences)}; {advice}"
        )


def model_differences(place: Path) -> list[str] | None:
    """How a model differs from its manifest, or else from its run's; None if there is neither."""
    required = (WEIGHTS, PARAMS, RECORD)
    if (place / files.MANIFEST).exists():
        return files.verify_manifest(place, required=required)
    if place.name == MODEL and (place.parent / files.MANIFEST).exists():
        names = [f"{MODEL}/{name}" for name in required]
        return files.verify_manifest(place.parent, prefix=f"{MODEL}/", required=names)
    return None
