"""`rnnkit compare`: variants x seeds of one params file, or runs that are there, in one table."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.options import MLRUNS, Home, Json, Set, short
from flows.cli.run import in_prefect
from rnnkit.errors import InputError

METRICS = 1  # in a row


def compare(
    what: Annotated[
        list[str],
        typer.Argument(
            help="A params file with variants or seeds, or two or more runs by their ids.",
            show_default=False,
        ),
    ],
    set_: Set = None,
    workers: Annotated[int, typer.Option(min=1, help="Runs at once.")] = 2,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Compare variants over seeds: means, deviations and a paired bootstrap on the same items."""
    from flows import settings as places

    settings = places.read(mlruns)
    if len(what) == 1 and what[0].endswith((".yaml", ".yml")):
        folder = _variants(Path(what[0]), set_ or [], settings, workers, as_json)
    else:
        if set_:
            raise InputError("--set changes a params file, and these are runs; leave it out")
        folder = _runs(what, settings, as_json)
    _show(Path(folder), as_json)


def _variants(file: Path, set_: list[str], settings: Any, workers: int, quiet: bool) -> str:
    from rnnkit.comparison.members import members
    from rnnkit.params import load

    experiment = load(file, set_)
    from flows.compare.folders import comparison_folder, member_folder

    runs = [member_folder(member, settings) for member in members(experiment)]
    folder = comparison_folder(settings, experiment.name, runs)
    if folder.status == "finished":
        return str(folder.path)

    def flow() -> str:
        from flows.compare.comparison import compare_variants

        return compare_variants(experiment, settings.home, workers)

    return str(in_prefect(flow, settings, experiment.name, quiet, (experiment,)))


def _runs(names: list[str], settings: Any, quiet: bool) -> str:
    from flows.cli.finding import find_run

    if len(names) < 2:
        raise InputError(
            f"{names[0]}: is one run, and nothing to compare it with; give two or more, "
            "or a params file with variants"
        )
    runs = [find_run(settings, name) for name in names]
    from flows.compare.folders import comparison_folder

    folder = comparison_folder(settings, runs[0].experiment.name, runs)
    if folder.status == "finished":
        return str(folder.path)

    def flow() -> str:
        from flows.compare.comparison import compare_runs

        return compare_runs([str(run.path) for run in runs], settings.home)

    return str(in_prefect(flow, settings, runs[0].id, quiet, ()))


def _show(folder: Path, as_json: bool) -> None:
    import pandas

    found = pandas.read_parquet(folder / "comparison.parquet")
    if as_json:
        rows = json.loads(found.to_json(orient="records"))
        print(json.dumps({"comparison": folder.name, "folder": str(folder), "variants": rows}))
        return
    from rich.table import Table

    from flows import console
    from rnnkit.report.comparison import rows as told
    from rnnkit.report.comparison import sentences
    from rnnkit.report.page import figure

    lines = told(found)
    metrics = [str(name).removesuffix(" sd") for name in found if str(name).endswith(" sd")]
    left_out = ("network", "difference", *metrics[METRICS:])  # they are in the report
    table = Table(title=folder.name, title_justify="left")
    for name in lines[0]:
        if name == "variant":
            table.add_column(name, min_width=max(len(line[name]) for line in lines))
        elif name not in left_out:
            table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(*(figure(value) for name, value in line.items() if name not in left_out))
    console.out.print(table)
    for sentence in sentences(found):
        console.out.print(sentence, markup=False)
    console.next_steps(
        [
            ("report", str(short(folder / "report.html"))),
            ("as a pandas frame", str(short(folder / "comparison.parquet"))),
            ("in MLflow and Prefect", "rnnkit up"),
        ]
    )
