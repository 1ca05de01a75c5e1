"""The example params files: `params/` of a checkout, which the package installs beside its code."""

from pathlib import Path

from rnnkit.errors import InputError, closest

PACKAGE = Path(__file__).parents[1]
PLACES = (PACKAGE / "examples", PACKAGE.parent / "params")
"""Where they lie: installed from a wheel, or in a checkout."""
SUFFIX = ".yaml"


def examples() -> dict[str, Path]:
    """Name -> file."""
    place = next((place for place in PLACES if place.is_dir()), PLACES[0])
    return {file.stem: file for file in sorted(place.glob(f"*{SUFFIX}"))}


def example(name: str) -> Path:
    """The file of an example.

    Raises:
        InputError: there is none of that name.
    """
    files = examples()
    if name not in files:
        raise InputError(
            f"{name}: there is no such example{closest(name, list(files))}; rnnkit new --list "
            "names them"
        )
    return files[name]


def described(file: Path) -> str:
    """What a params file is an example of: its first line, a comment."""
    with file.open(encoding="utf-8") as lines:
        return lines.readline().removeprefix("#").strip()
