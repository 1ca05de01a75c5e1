"""The claims of this version: `params/claims/` of a checkout, installed with the package."""

from collections.abc import Sequence
from pathlib import Path

from rnnkit.errors import InputError, closest
from rnnkit.params.examples import PLACES, SUFFIX


def claims() -> dict[str, Path]:
    """Name -> file, in alphabetical order."""
    folders = [place / "claims" for place in PLACES]
    folder = next((folder for folder in folders if folder.is_dir()), folders[0])
    return {file.stem: file for file in sorted(folder.glob(f"*{SUFFIX}"))}


def chosen(names: Sequence[str]) -> dict[str, Path]:
    """The claims of these names; all where none is given.

    Raises:
        InputError: there is no such claim.
    """
    files = claims()
    for name in names:
        if name not in files:
            raise InputError(
                f"{name}: there is no such claim{closest(name, list(files))}; rnnkit claims --list "
                "names them"
            )
    return {name: files[name] for name in names or files}
