"""Local paths of `public:SET/FILE`. Does not download; see rnnkit.data.public."""

from collections.abc import Mapping
from pathlib import Path

from rnnkit.data.public import FOLDERS, files_of
from rnnkit.data.sources.opening import alternatives
from rnnkit.errors import InputError, closest
from rnnkit.params.public import PUBLIC, hashed_path


def located(path: str) -> str:
    """Local path of a file or folder named in params.

    For public sets, returns the first of `FOLDERS` with all named files in the right size. Other
    paths are unchanged.

    Raises:
        InputError: no such set, no such file in it, or the set is not downloaded.
    """
    if not path.startswith(PUBLIC):
        return path
    name, _, inside = path.removeprefix(PUBLIC).partition("/")
    sizes = {file.file: file.bytes for file in files_of(name)}
    sides = [side for _, side in alternatives(f"{name}/{inside}".rstrip("/"))]
    wanted = {file: sizes[file] for side in sides for file in _named(path, side, sizes)}
    counts = {folder: _count(folder, wanted) for folder in FOLDERS}
    for folder, count in counts.items():
        if count == len(wanted):
            return str(folder / name / inside)
    state = "is not whole" if any(counts.values()) else "is not there"
    raise InputError(
        f"{path}: the public data set {name} {state}, in {' or '.join(map(str, FOLDERS))}; "
        f"download it with: rnnkit data fetch {name}"
    )


def hashed_local_path(path: str) -> str:
    """A local path in the form used for hashes, independent of the set's location.

    >>> hashed_local_path("mlruns/data/b/a.wav"), hashed_local_path("../shared/data/b/a.wav")
    ('../shared/data/b/a.wav', '../shared/data/b/a.wav')
    """
    for folder in FOLDERS:
        if path.startswith(f"{folder}/"):
            return hashed_path(PUBLIC + path.removeprefix(f"{folder}/"))
    return path


def _named(path: str, side: str, sizes: Mapping[str, int]) -> list[str]:
    """Files of a set that a path names: the file, the files below it, or the archive around it."""
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
    """Number of files that exist with the right size."""
    places = [(folder / file, size) for file, size in wanted.items()]
    return sum(place.is_file() and place.stat().st_size == size for place, size in places)
