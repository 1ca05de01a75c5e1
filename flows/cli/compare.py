"""`rnnkit compare`: variants x seeds of one params file, or runs that are there, in one table."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flows import settings as places
from flows.cli.options import MLRUNS, Home, Json, Set, load_params, print_aligned, print_json, short
from flows.cli.runs import find_run
from flows.launcher import PARAMS, WORKERS, compare_runs, compare_variants, refuse_no_comparison
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
    workers: Annotated[
        int | None, typer.Option(min=1, help=f"Runs at once; {WORKERS} where left out.")
    ] = None,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Compare variants over seeds: means, deviations and a paired bootstrap on the same items."""
    settings = places.read(mlruns)
    if len(what) == 1 and (what[0].endswith(PARAMS) or Path(what[0]).is_file()):
        experiment = load_params(Path(what[0]), set_)
        folder = compare_variants(experiment, settings, workers or WORKERS, as_json)
    else:
        refuse_no_comparison(what)
        for option, given in (("--set changes", set_), ("--workers is for", workers)):
            if given:
                raise InputError(f"{option} a params file, and these are runs; leave it out")
        runs = [find_run(settings, name) for name in what]
        folder = compare_runs(runs, settings, as_json)
    _show(folder, as_json)


def _show(folder: Path, as_json: bool) -> None:
    import pandas

    scores = pandas.read_parquet(folder / "comparison.parquet")
    if as_json:
        variants = json.loads(scores.to_json(orient="records"))
        print_json({"comparison": folder.name, "folder": str(folder), "variants": variants})
        return
    from rich.table import Table

    from flows.console import out
    from rnnkit.report.comparison import rows, sentences
    from rnnkit.report.page import figure

    lines = rows(scores)
    metrics = [str(name).removesuffix(" sd") for name in scores if str(name).endswith(" sd")]
    judged = set(scores["measure"])  # the metric of the verdicts
    rest = [name for name in metrics[METRICS:] if name not in judged]
    differences = [name for name in lines[0] if name.endswith("difference")]
    left_out = ("network", *differences, *rest)  # they are in the report
    table = Table(title=folder.name, title_justify="left")
    for name in lines[0]:
        if name == "variant":
            table.add_column(name, min_width=max(len(line[name]) for line in lines))
        elif name not in left_out:
            table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(*(figure(value) for name, value in line.items() if name not in left_out))
    out.print(table)
    for sentence in sentences(scores):
        out.print(sentence, markup=False)
    print_aligned(
        {
            "report": short(folder / "report.html"),
            "as a pandas frame": short(folder / "comparison.parquet"),
            "in MLflow and Prefect": "rnnkit up",
        }
    )
