"""`rnnkit clean`: free disk."""

from typing import Annotated

import typer

from flows.cli.options import MLRUNS, Home, short
from flows.cli.schedule import duration


def clean(
    older_than: Annotated[
        str, typer.Option(help="Unfinished runs and comparisons and unused data of that age go.")
    ] = "30d",
    yes: Annotated[bool, typer.Option("--yes", help="Delete; else it is only listed.")] = False,
    mlruns: Home = MLRUNS,
) -> None:
    """List what is not needed any more, and delete it with --yes; registered runs stay whole."""
    older = duration(older_than, "--older-than").total_seconds()
    from flows import settings as places

    settings = places.read(mlruns)
    places.apply(settings)
    from rnnkit.runs.cleaning import delete, leftovers

    kept: set[str] = set()
    if (settings.home / "mlflow.db").exists() or not settings.tracking.startswith("sqlite:"):
        from flows.tracking import Registry

        kept = Registry(settings).runs()
    removable = leftovers(settings.home, kept, older)
    if not removable:
        print(f"there is nothing to clean in {short(settings.home)}")
        return
    for what in dict.fromkeys(leftover.what for leftover in removable):
        same_kind = [leftover for leftover in removable if leftover.what == what]
        size = sum(leftover.size for leftover in same_kind) / 1e6
        print(f"  {what:<43} {len(same_kind):>6,} {size:>10,.1f} MB")
    if kept:
        print(f"  {'registered runs, which stay whole':<43} {len(kept):>6,}")
    if not yes:
        print("rnnkit clean --yes deletes them")
        return
    delete(removable)
    print(f"deleted, {sum(leftover.size for leftover in removable) / 1e6:,.1f} MB")
