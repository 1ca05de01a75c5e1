"""`rnnkit run`, `rnnkit tune` and `rnnkit resume`: a run from wherever it stands to its end."""

import shlex
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows import settings as places
from flows.cli.options import (
    MLRUNS,
    Again,
    Home,
    Json,
    Params,
    Set,
    load_params,
    print_aligned,
    print_json,
    print_line,
    short,
)
from flows.cli.runs import begun, named
from flows.launcher import BUSY, Failure, resume_run, run_all
from flows.tracking import unsent
from rnnkit.errors import InputError, Note

if TYPE_CHECKING:
    from rnnkit.runs.run_folder import RunFolder


def run(
    params: Params,
    set_: Set = None,
    again: Again = False,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Prepare, tune if asked to, train and evaluate; goes on if it was interrupted."""
    _run_one(load_params(params, set_), mlruns, again, as_json)


def tune(
    params: Params,
    set_: Set = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="How many; as the params say where left out.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as the params say where left out.")
    ] = None,
    again: Again = False,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Search for the best values, clip and depth where the params name no others, and run them."""
    from rnnkit.params import change

    counts = {"trials": trials, "workers": workers}
    overrides = [f"tune.{key}={count}" for key, count in counts.items() if count is not None]
    experiment = load_params(params, [*(set_ or []), *overrides])
    if experiment.tune is None:
        experiment = change(experiment, {"tune": {}})
    _run_one(experiment, mlruns, again, as_json)


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
    settings = places.read(mlruns)
    folder = _newest(settings, as_json) if run is None else named(settings, run)
    if folder.status == "finished" and (differences := folder.reopen_if_damaged()):
        note = f"{folder.id}: {'; '.join(differences)}; the damaged files are written again"
        warnings.warn(note, Note, stacklevel=2)
    if folder.status != "finished":
        settings = _settings_of(folder, settings)
    _finish(folder, settings, as_json, lambda: resume_run(folder, settings, quiet=as_json))


def _settings_of(folder: "RunFolder", settings: places.Settings) -> places.Settings:
    """Those of the output folder that a run lies in, where it was named by its path."""
    runs = folder.path.resolve().parent
    if runs == settings.runs:
        return settings
    if runs.name != "runs" or not (runs.parent / "settings.yaml").exists():
        raise InputError(
            f"{folder.path}: a run goes on in the folder runs of an output folder, and this is in "
            f"none; move it to {settings.runs / folder.id}"
        )
    return places.read(runs.parent)


def _newest(settings: places.Settings, quiet: bool) -> "RunFolder":
    waiting = [folder for folder in begun(settings) if folder.status in ("interrupted", "failed")]
    if not waiting:
        raise InputError(f"no run in {settings.runs} was interrupted or failed; nothing to resume")
    if len(waiting) > 1 and not quiet:
        older = ", ".join(folder.id for folder in waiting[:-1])
        print_line(f"the newest of {len(waiting)} is taken; before it: {older}")
    return waiting[-1]


def _run_one(experiment: Any, mlruns: Path, again: bool, as_json: bool) -> None:
    from rnnkit.runs.growth import lacking, sentence
    from rnnkit.runs.identity import identify
    from rnnkit.runs.run_folder import RunFolder

    if experiment.variants or experiment.seeds:
        raise InputError(
            f"{experiment.name}: has {'variants' if experiment.variants else 'seeds'} to compare; "
            "rnnkit compare runs them"
        )
    settings = places.read(mlruns)
    (identity,) = identify([experiment], runs=settings.runs)
    count, chosen = 0, RunFolder(settings.runs / identity.run)
    while again and chosen.status == "finished":
        count += 1
        identity = identity.repeated(experiment, count)
        chosen = RunFolder(settings.runs / identity.run)

    def go() -> None:
        run_all([experiment], settings, as_json, [identity], again=count)

    _finish(chosen, settings, as_json, go, sentence(lacking(chosen, experiment)))


def _finish(
    folder: "RunFolder",
    settings: places.Settings,
    as_json: bool,
    go: Callable[[], None],
    grows: str = "",
) -> None:
    """Shows a run's closing table and what to do with it; calls `go` where it is not finished.

    Args:
        grows: what a sweep asks for beside what its run has.
    """
    status = folder.status
    if grows and status != "running" and not as_json:
        print_line(f"{folder.id} goes on: {grows}.")
    if grows and status == "finished":
        status = "interrupted"
    if status == "running":
        raise Failure(f"{folder.id} is being run by another process", BUSY)
    if status in ("interrupted", "failed") and not grows and not as_json:
        print_line(f"{folder.id} was {status} before; it goes on where it stopped.")
    if status != "finished":
        go()
    elif unsent.is_marked(settings, folder.id):  # killed before MLflow had its end
        from flows.tracking.sender import send_unsent

        places.apply(settings)
        if (failure := send_unsent(settings, folder.id)) and not as_json:
            print_line(failure)
    result = folder.result
    if as_json:
        print_json({"run": folder.id, "folder": str(folder.path), **result})
        return
    from flows import console
    from flows.tracking.view_links import view_address

    if status == "finished":
        print_line(f"{folder.id} is finished already; nothing is computed again.\n")
    console.print_result(folder.id, result)
    steps: dict[str, object] = {
        "report": short(folder.path / "report.html"),
        "predictions": short(folder.path / "predictions.parquet"),
    }
    if (folder.path / "study.db").exists():
        study = places.sqlite_address(short(folder.path / "study.db"))
        steps["the search's trials"] = f"optuna-dashboard {shlex.quote(study)}"
    steps |= {"in MLflow and Prefect": "rnnkit up", "all runs": "rnnkit runs"}
    if view := view_address(settings, folder.experiment.name):
        steps["its MLflow list"] = view
    print_aligned(steps)
