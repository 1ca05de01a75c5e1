"""The example params files: `params/` of a checkout, installed with the package."""

from pathlib import Path

from rnnkit.errors import InputError, closest

PLACES = (Path(__file__).parents[1] / "examples", Path(__file__).parents[2] / "params")
"""Folders of the examples: installed from a wheel, or in a checkout."""
SUFFIX = ".yaml"


def examples() -> dict[str, Path]:
    """Name -> file."""
    folder = next((folder for folder in PLACES if folder.is_dir()), PLACES[0])
    return {file.stem: file for file in sorted(folder.glob(f"*{SUFFIX}"))}


def example(name: str) -> Path:
    """Path of an example; InputError: there is no such example."""
    files = examples()
    if name not in files:
        raise InputError(
            f"{name}: there is no such example{closest(name, list(files))}; rnnkit new --list "
            "names them"
        )
    return files[name]


def described(file: Path) -> str:
    """Description of a params file: its first line, a comment."""
    with file.open(encoding="utf-8") as lines:
        return lines.readline().removeprefix("#").strip()
