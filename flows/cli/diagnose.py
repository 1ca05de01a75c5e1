"""`rnnkit diagnose`: why a network learns or does not, of a run or of params before a training."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows import settings as places
from flows.cli.options import (
    MLRUNS,
    Home,
    Json,
    Set,
    load_params,
    print_json,
    print_line,
    run_ids,
    short,
)
from flows.cli.runs import begun, named
from rnnkit.errors import InputError

if TYPE_CHECKING:
    from rnnkit.diagnose.diagnosis import Diagnosis

What = Annotated[
    str,
    typer.Argument(
        help="A run's id or its beginning, `last`, a run's folder, or a params file.",
        show_default=False,
        metavar="RUN",
        autocompletion=run_ids,
    ),
]
SUFFIXES = (".yaml", ".yml")


def diagnose(
    what: What,
    set_: Set = None,
    open_: Annotated[bool, typer.Option("--open", help="Show the page in a browser.")] = False,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Gradients through time, recurrent weights and verdicts: of a run of any status, or of the
    initial network of a params file."""
    settings = places.read(mlruns)
    diagnosis = _diagnosis(what, set_, settings)
    if as_json:
        print_json({"lines": list(diagnosis.lines), "verdicts": list(diagnosis.verdicts)})
    else:
        _print(diagnosis)
    from rnnkit.report.diagnosis import write_diagnosis

    page = write_diagnosis(diagnosis, settings.home / "diagnosis")
    if not as_json:
        print_line(f"Page: {short(page.resolve())}")
    if open_:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def _diagnosis(what: str, changes: list[str] | None, settings: places.Settings) -> "Diagnosis":
    is_params = what.endswith(SUFFIXES)
    if changes and not is_params:
        raise InputError("--set changes params, and this is a run; leave it out")
    if is_params:
        experiment = load_params(Path(what), changes)
    elif what == "last":
        runs = begun(settings)
        if not runs:
            raise InputError(f"there is no run in {settings.runs}; rnnkit run makes one")
        folder = runs[-1]
    else:
        folder = named(settings, what)
    from rnnkit.diagnose import diagnosis
    from rnnkit.runtime import numerics, process_settings

    process_settings.settle()
    numerics.set_threads(1)
    if is_params:
        return diagnosis.diagnose_params(experiment, settings.home)
    return diagnosis.diagnose_run(folder, settings.home)


def _print(diagnosis: "Diagnosis") -> None:
    """The last measurement as a table, and the verdicts."""
    from rich.table import Table

    from flows.console import number, out, print_verdicts

    if not diagnosis.lines:
        out.print(f"{diagnosis.name}: nothing is recurrent in this network, or nothing is measured")
    else:
        line = diagnosis.lines[-1]
        title = f"{diagnosis.name}: gradient through time after epoch {line['epoch']}"
        table = Table(title=title, title_justify="left")
        names = ("", "per step", "fit", "lag under 1e-6", "lag over 1e10", "spectral radius")
        for name in names:
            table.add_column(name, justify="right" if name else "left")
        for series, curve in line["gradient"].items():
            gates = line["cells"][series]["gates"]
            radius = max(float(values["radius"]) for values in gates.values())
            lags = ["-" if curve[k] is None else str(curve[k]) for k in ("vanishes", "explodes")]
            measured = [number(curve["factor"]), number(curve["fit"]), *lags, number(radius)]
            table.add_row(series, *measured)
        out.print(table)
    if diagnosis.verdicts:
        print_verdicts(diagnosis.verdicts)
    else:
        out.print("No rule of the diagnosis is met.")
