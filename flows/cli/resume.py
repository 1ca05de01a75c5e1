"""`rnnkit resume`: goes on with a run that did not come to its end."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import MLRUNS, Home, Json
from flows.cli.run import show
from flows.cli.run_lookup import begun, named
from flows.launcher import BUSY, Failure, go_on
from rnnkit.errors import InputError

if TYPE_CHECKING:
    from flows.settings import Settings
    from rnnkit.runs.run_folder import RunFolder

UNFINISHED = ("interrupted", "failed")


def resume(
    run: Annotated[
        str | None,
        typer.Argument(
            help="A run's id or its beginning, or its folder; the newest that was interrupted or "
            "failed where left out.",
            show_default=False,
        ),
    ] = None,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Go on where a run stopped, with the params that lie in its folder."""
    from flows import settings as places

    settings = places.read(mlruns)
    folder = _newest(settings, as_json) if run is None else named(settings, run)
    status = folder.status
    if status == "running":
        raise Failure(f"{folder.id} is being run by another process", BUSY)
    if status == "finished":
        show(folder, as_json)
        return
    if not as_json:
        print(f"{folder.id} was {status} before; it goes on where it stopped.")
    go_on(folder, settings, quiet=as_json)
    show(folder, as_json, fresh=True)


def _newest(settings: "Settings", quiet: bool) -> "RunFolder":
    waiting = [folder for folder in begun(settings) if folder.status in UNFINISHED]
    if not waiting:
        raise InputError(f"no run in {settings.runs} was interrupted or failed; nothing to resume")
    if len(waiting) > 1 and not quiet:
        older = ", ".join(folder.id for folder in waiting[:-1])
        print(f"the newest of {len(waiting)} is taken; before it: {older}")
    return waiting[-1]
