"""`rnnkit run`: the whole flow, from a params file to the table against the baselines."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.options import MLRUNS, Home, Json, Params, Set, short
from flows.launcher import BUSY, Failure, run_all
from rnnkit.errors import InputError


def run(
    params: Params,
    set_: Set = None,
    again: Annotated[bool, typer.Option("--again", help="Run once more, beside the last.")] = False,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Prepare, tune if asked to, train and evaluate; goes on if it was interrupted."""
    from rnnkit.params import load

    run_one(load(params, set_ or []), mlruns, again, as_json)


def run_one(experiment: Any, mlruns: Path, again: bool, as_json: bool) -> None:
    """An experiment from wherever it stands to its closing table.

    Raises:
        Failure: it failed, or another process is running it.
    """
    from flows import settings as places
    from rnnkit.runs.run_folder import RunFolder

    if experiment.variants or experiment.seeds:
        raise InputError(
            f"{experiment.name}: has {'variants' if experiment.variants else 'seeds'} to compare; "
            "rnnkit compare runs them"
        )
    settings = places.read(mlruns)
    from rnnkit.runs.identity import identify

    (identity,) = identify([experiment])
    count, chosen = 0, RunFolder(settings.runs / identity.run)
    while again and chosen.status == "finished":
        count += 1
        identity = identity.repeated(experiment, count)
        chosen = RunFolder(settings.runs / identity.run)
    status = chosen.status
    if status == "finished":
        show(chosen, as_json)
        return
    if status == "running":
        raise Failure(f"{chosen.id} is being run by another process", BUSY)
    if status in ("interrupted", "failed") and not as_json:
        print(f"{chosen.id} was {status} before; it goes on where it stopped.")
    run_all([experiment], settings, count, as_json, [identity])
    show(chosen, as_json, fresh=True)


def show(folder: Any, as_json: bool, fresh: bool = False) -> None:
    """A finished run's closing table, and what to do with it."""
    from rnnkit.runtime.files import read_json

    result = read_json(folder.path / "result.json")
    if as_json:
        print(json.dumps({"run": folder.id, "folder": str(folder.path), **result}))
        return
    from flows import console

    if not fresh:
        print(f"{folder.id} is finished already; nothing is computed again.\n")
    console.closing(folder.id, result)
    steps = [
        ("report", str(short(folder.path / "report.html"))),
        ("predictions", str(short(folder.path / "predictions.parquet"))),
        ("in MLflow and Prefect", "rnnkit up"),
        ("all runs", "rnnkit runs"),
    ]
    if (folder.path / "study.db").exists():
        study = f"sqlite:///{short(folder.path / 'study.db')}"
        steps.insert(2, ("the search's trials", f"optuna-dashboard {study}"))
    console.next_steps(steps)
