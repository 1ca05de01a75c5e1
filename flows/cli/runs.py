"""`rnnkit runs` and `rnnkit clean`; and runs by their ids, as all verbs find them."""

import difflib
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows import settings as places
from flows.cli.options import MLRUNS, Home, Json, mlflow_failures, print_json, print_line, short
from flows.cli.schedule import duration
from rnnkit.errors import InputError

if TYPE_CHECKING:
    from rnnkit.runs.run_folder import RunFolder


STATES = ("finished", "running", "interrupted", "failed", "unreadable")


def runs(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Of the runs to list, the beginning of their ids or a pattern with *.",
            show_default=False,
        ),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(help=f"Only runs in a state: {', '.join(STATES)}; may be repeated."),
    ] = None,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """List the runs, newest last."""
    for wanted in state or []:
        if wanted not in STATES:
            raise InputError(f"--state {wanted}: there are {', '.join(STATES)}")
    settings = places.read(mlruns)
    all_runs = begun(settings)
    pattern = name if name is not None and "*" in name else f"{name or ''}*"
    rows = [run_row(run) for run in all_runs if fnmatchcase(run.id, pattern)]
    rows = [row for row in rows if not state or row["status"] in state]
    if as_json:
        print_json(rows)
        return
    if rows:
        _print_table(rows)
        print_line(f"Each run's folder is {short(settings.runs)}/RUN.")
    elif all_runs:
        print_line(f"none of the {len(all_runs):,} runs in {settings.runs} is so")
    else:
        print_line(
            f"no runs in {settings.runs} yet; begin with: rnnkit new demo && rnnkit run demo.yaml"
        )


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.table import Column, Table

    from flows.console import number, out

    lines = [("run", "begun", "took", "result", "baseline", "verdict", "network")]
    for row in rows:
        result = row["status"]
        if row["value"] is not None:
            result = f"{row['metric']} {number(row['value'])}"
        begun_at = datetime.fromisoformat(row["begun"]).strftime("%Y-%m-%d %H:%M")
        took = "" if row["seconds"] is None else _took(row["seconds"])
        baseline, verdict = number(row["baseline"]), row["verdict"] or ""
        lines.append((row["run"], begun_at, took, result, baseline, verdict, row["network"]))
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)][:-1]
    kept = [Column(name, min_width=w) for name, w in zip(lines[0], widths, strict=False)]
    table = Table(*kept, Column("network", no_wrap=True), box=None, pad_edge=False)
    for line in lines[1:]:
        table.add_row(*line)
    out.print(table)


def _took(seconds: float) -> str:
    """A duration in two units.

    >>> _took(7.4), _took(185), _took(7_380)
    ('7 s', '3 min 5 s', '2 h 3 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60} min"


def run_row(folder: "RunFolder") -> dict[str, Any]:
    """A run as a line of the list: run, status, begun (ISO 8601), seconds, metric, value, baseline,
    verdict, network, folder; None for what it does not have."""
    from rnnkit.params.task import MAXIMIZED

    begun_at = datetime.fromtimestamp((folder.path / "params.yaml").stat().st_mtime).astimezone()
    row: dict[str, Any] = {"run": folder.id, "status": folder.status}
    row |= {"begun": begun_at.isoformat(timespec="seconds"), "seconds": None, "network": ""}
    row |= {"metric": "", "value": None, "baseline": None, "verdict": None}
    row["folder"] = str(short(folder.path))
    if row["status"] == "finished":
        try:
            result = folder.result
            name = result["shown"][0]
            row |= {"network": result["network"], "metric": name, "value": result["test"][name]}
            best = max if name in MAXIMIZED else min
            row["baseline"] = best(m[name] for m in result["baselines"].values() if name in m)
        except (InputError, OSError, ValueError, KeyError):  # of another version, or edited
            return row | {"status": "unreadable"}
        row["seconds"] = round(sum(result.get("seconds", {}).values()), 2)
        row["verdict"] = (result.get("difference") or {}).get("verdict")
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
