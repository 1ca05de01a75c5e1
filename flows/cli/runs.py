"""`rnnkit runs` and `rnnkit clean`; and runs by their ids, as all verbs find them."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows import settings as places
from flows.cli.options import MLRUNS, Home, Json, mlflow_failures, print_json, print_line, short
from flows.cli.schedule import duration
from rnnkit.errors import InputError

if TYPE_CHECKING:
    from rnnkit.runs.run_folder import RunFolder


def runs(mlruns: Home = MLRUNS, as_json: Json = False) -> None:
    """List the runs, newest last."""
    settings = places.read(mlruns)
    rows = [_row(folder) for folder in begun(settings)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        print_line(
            f"no runs in {settings.runs} yet; begin with: rnnkit new demo && rnnkit run demo.yaml"
        )
        return
    from rich.table import Column, Table

    from flows.console import number, out

    lines = [("run", "result", "baseline", "network")]
    for row in rows:
        result = row["status"]
        if row["value"] is not None:
            result = f"{row['metric']} {number(row['value'])}"
        lines.append((row["run"], result, number(row["baseline"]), row["network"]))
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)][:-1]
    kept = [Column(name, min_width=w) for name, w in zip(lines[0], widths, strict=False)]
    table = Table(*kept, Column("network", no_wrap=True))
    for line in lines[1:]:
        table.add_row(*line)
    out.print(table)
    print_line(f"Each run's folder is {short(settings.runs)}/RUN.")


def _row(folder: "RunFolder") -> dict[str, Any]:
    row: dict[str, Any] = {"run": folder.id, "status": folder.status, "network": ""}
    row |= {"metric": "", "value": None, "baseline": None, "folder": str(short(folder.path))}
    if row["status"] == "finished":
        try:
            result, task = folder.result, folder.experiment.task
            name = result["shown"][0]
        except (InputError, OSError, ValueError, KeyError):  # of another version, or edited
            return row | {"status": "unreadable"}
        best = max if task.metrics[name] == "maximize" else min
        row |= {"network": result["network"], "metric": name, "value": result["test"][name]}
        row["baseline"] = best(m[name] for m in result["baselines"].values() if name in m)
    return row


def clean(
    older_than: Annotated[
        str, typer.Option(help="Unfinished runs and comparisons and unused data of that age go.")
    ] = "30d",
    yes: Annotated[bool, typer.Option("--yes", help="Delete; else it is only listed.")] = False,
    mlruns: Home = MLRUNS,
) -> None:
    """List what is not needed any more, and delete it with --yes; registered runs stay whole."""
    older = duration(older_than, "--older-than").total_seconds()
    settings = places.read(mlruns)
    places.apply(settings)
    from rnnkit.runs.cleaning import delete, leftovers

    kept: set[str] = set()
    from flows.tracking import database

    with mlflow_failures():
        if database.exists(settings):
            from flows.tracking.registry import Registry

            kept = Registry(settings).runs()
    removable = leftovers(settings.home, kept, older)
    if not removable:
        print_line(f"there is nothing to clean in {short(settings.home)}")
        return
    for what in dict.fromkeys(leftover.what for leftover in removable):
        same_kind = [leftover for leftover in removable if leftover.what == what]
        size = sum(leftover.size for leftover in same_kind) / 1e6
        print_line(f"  {what:<43} {len(same_kind):>6,} {size:>10,.1f} MB")
    if kept:
        print_line(f"  {'registered runs, which stay whole':<43} {len(kept):>6,}")
    if not yes:
        print_line("rnnkit clean --yes deletes them")
        return
    delete(removable)
    print_line(f"deleted, {sum(leftover.size for leftover in removable) / 1e6:,.1f} MB")


def find_run(settings: places.Settings, name: str) -> "RunFolder":
    """A finished run, as `named` finds it, or InputError; `last` is the newest."""
    if name == "last":
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


def begun(settings: places.Settings) -> "list[RunFolder]":
    """All runs, the newest last."""
    from rnnkit.runs.run_folder import RunFolder

    places = settings.runs.glob("[!.]*")
    runs = [RunFolder(path) for path in places if (path / "params.yaml").exists()]
    return sorted(runs, key=lambda run: (run.path / "params.yaml").stat().st_mtime)


def named(settings: places.Settings, name: str) -> "RunFolder":
    """A run of any status by its id, the beginning of one, or its folder; InputError for none or
    several."""
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


def find_model(settings: places.Settings, name: str) -> Path:
    """The folder of a model: of a finished run, or of a registered one, `models:/NAME@champion`."""
    if not name.startswith("models:/"):
        return find_run(settings, name).path
    places.apply(settings)
    with mlflow_failures():
        from flows.tracking.registry import Registry

        return Registry(settings).fetch(name)
