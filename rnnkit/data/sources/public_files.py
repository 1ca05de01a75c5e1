"""From `public:SET/FILE` to a path on this machine. Downloads nothing: see rnnkit.data.public."""

from collections.abc import Mapping
from pathlib import Path

from rnnkit.data.public import FOLDERS, files_of
from rnnkit.data.sources.opening import alternatives
from rnnkit.errors import InputError, closest
from rnnkit.params.public import PUBLIC, hashed_path


def located(path: str) -> str:
    """The path of a file, or of a folder, that params name.

    A public set's files are looked for in each of `FOLDERS`; the first folder that has all of
    those that the path names, each of its right size, is taken. Other paths stay as they are.

    Raises:
        InputError: there is no such set, no such file in it, or the set is not here.
    """
    if not path.startswith(PUBLIC):
        return path
    name, _, inside = path.removeprefix(PUBLIC).partition("/")
    sizes = {file.file: file.bytes for file in files_of(name)}
    sides = [side for _, side in alternatives(f"{name}/{inside}".rstrip("/"))]
    wanted = {file: sizes[file] for side in sides for file in _named(path, side, sizes)}
    there = {folder: _count(folder, wanted) for folder in FOLDERS}
    for folder, count in there.items():
        if count == len(wanted):
            return str(folder / name / inside)
    state = "is not whole" if any(there.values()) else "is not there"
    raise InputError(
        f"{path}: the public data set {name} {state}, in {' or '.join(map(str, FOLDERS))}; "
        f"download it with: rnnkit data fetch {name}"
    )


def hashed_place(path: str) -> str:
    """A located path as it enters a hash, which must not depend on where the set lies.

    >>> hashed_place("mlruns/data/speech_fsdd/a.wav"), hashed_place("../shared/data/b/a.wav")
    ('../shared/data/speech_fsdd/a.wav', '../shared/data/b/a.wav')
    """
    for folder in FOLDERS:
        if path.startswith(f"{folder}/"):
            return hashed_path(PUBLIC + path.removeprefix(f"{folder}/"))
    return path


def _named(path: str, side: str, sizes: Mapping[str, int]) -> list[str]:
    """A set's files that a path leads to: itself, those below it, or the archive it leads into."""
    files = [
        file
        for file in sizes
        if file == side or file.startswith(f"{side}/") or side.startswith(f"{file}/")
    ]
    if not files:
        name = side.partition("/")[0]
        near = closest(side, list(sizes)) or f"; it has {', '.join(list(sizes)[:5])}"
        raise InputError(f"{path}: the public data set {name} has no such file{near}")
    return files


def _count(folder: Path, wanted: Mapping[str, int]) -> int:
    """How many files are there, each of its right size."""
    places = [(folder / file, size) for file, size in wanted.items()]
    return sum(place.is_file() and place.stat().st_size == size for place, size in places)
