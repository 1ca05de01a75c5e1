"""Data files of installed packages, located without import."""

import importlib.util
from pathlib import Path

from rnnkit.errors import InputError
from rnnkit.runtime.files import sha256_file


def data_file(package: str, *parts: str) -> Path:
    """Path of a file below a package.

    Raises:
        InputError: the package or the file is missing.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"{package}: the package is needed for its data, but it is not installed; "
            f"run `pip install {package}`"
        )
    path = Path(spec.submodule_search_locations[0]).joinpath(*parts)
    if not path.is_file():
        raise InputError(
            f"{path}: this data file of {package} is needed, but it is not there; "
            f"install the version of {package} that constraints.txt names"
        )
    return path


def fingerprint(path: Path) -> str:
    """SHA-256 of the file's bytes."""
    return sha256_file(path)
