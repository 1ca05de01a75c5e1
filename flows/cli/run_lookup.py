"""Finds a run by its id, the beginning of one, its folder, or `last`."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from rnnkit.errors import InputError

if TYPE_CHECKING:
    from flows.settings import Settings
    from rnnkit.runs.run_folder import RunFolder

LAST = "last"


def find_run(settings: "Settings", name: str) -> "RunFolder":
    """A finished run, as `named` finds it; `last` is the newest.

    Raises:
        InputError: there is none, several are meant, or it is not finished.
    """
    if name == LAST:
        finished = [run for run in begun(settings) if run.status == "finished"]
        if not finished:
            raise InputError(f"no run in {settings.runs} is finished yet; rnnkit run makes one")
        return finished[-1]
    run = named(settings, name)
    if run.status == "running":
        raise InputError(f"{run.id} is not finished, a process is working on it; wait for it")
    if run.status != "finished":
        raise InputError(
            f"{run.id} is not finished, its status is {run.status}; "
            f"go on with: rnnkit resume {run.id}"
        )
    return run


def begun(settings: "Settings") -> "list[RunFolder]":
    """All runs, the newest last."""
    from rnnkit.runs.run_folder import RunFolder

    places = settings.runs.glob("[!.]*")
    runs = [RunFolder(path) for path in places if (path / "params.yaml").exists()]
    return sorted(runs, key=lambda run: (run.path / "params.yaml").stat().st_mtime)


def named(settings: "Settings", name: str) -> "RunFolder":
    """A run of any status.

    Args:
        settings: give the folder of all runs.
        name: a run's id, the beginning of one, or a run's folder.

    Raises:
        InputError: there is none, or several match.
    """
    from rnnkit.runs.run_folder import RunFolder

    place = Path(name)
    if (place / "params.yaml").exists():
        return RunFolder(place)
    runs = begun(settings)
    meant = [run for run in runs if run.id == name] or [r for r in runs if r.id.startswith(name)]
    if len(meant) > 1:
        raise InputError(
            f"{name}: {len(meant)} runs begin so, the newest is {meant[-1].id}; write more of it"
        )
    if not meant:
        ids = [run.id for run in runs]
        near = difflib.get_close_matches(name, ids, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "rnnkit runs lists them"
        raise InputError(f"{name}: there is no such run in {settings.runs}; {hint}")
    return meant[0]


def find_model(settings: "Settings", name: str) -> Path:
    """The folder of a model: of a finished run, or of a registered one, `models:/NAME@champion`.

    Raises:
        InputError: there is none.
    """
    if not name.startswith("models:/"):
        return find_run(settings, name).path
    from flows import settings as places

    places.apply(settings)
    from flows.tracking import Registry

    return Registry(settings).fetch(name)
