"""`rnnkit backtest`: one run for each fold of a series' test split, walking forward."""

import statistics
from collections.abc import Callable
from typing import Annotated, Any

import typer

from flows import settings as places
from flows.cli.options import MLRUNS, Home, Json, Params, Set, load_params, print_json, print_line
from flows.launcher import run_all

METRICS = 3  # in a row


def backtest(
    params: Params,
    set_: Set = None,
    folds: Annotated[int, typer.Option(min=2, help="How many.")] = 4,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Forecast the test split in folds, each from all that came before it; a run for each."""
    from rnnkit.evaluation.backtest import walk_forward

    experiment, settings = load_params(params, set_), places.read(mlruns)
    experiments = walk_forward(experiment, folds)
    done = run_all(experiments, settings, as_json)
    folds_run = [
        {"run": folder.id, **_span(fold), **folder.result}
        for fold, folder in zip(experiments, done, strict=True)
    ]
    if as_json:
        print_json(folds_run)
    else:
        _table(params, folds_run)


def _span(fold: Any) -> dict[str, str]:
    """The first and the last moment of a fold, without a midnight that says nothing."""
    moments = {"from": fold.data.split.test, "until": fold.data.split.until or "the end"}
    return {name: moment.removesuffix("T00:00:00") for name, moment in moments.items()}


def _table(params: Any, folds: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from flows.console import number, out

    names = folds[0]["shown"][:METRICS]
    table = Table(
        "fold", "from", "until", title=f"{params}: {len(folds)} folds", title_justify="left"
    )
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for k, fold in enumerate(folds, start=1):
        values = [number(fold["test"].get(name)) for name in names]
        table.add_row(str(k), fold["from"], fold["until"], *values)
    table.add_section()

    def over_folds(scores: list[dict[str, float]], statistic: Callable[..., float]) -> list[str]:
        """A statistic of each metric; empty where a fold lacks the metric."""
        return [
            number(
                statistic([own[name] for own in scores]) if all(name in s for s in scores) else None
            )
            for name in names
        ]

    tests = [fold["test"] for fold in folds]
    table.add_row("mean", "", "", *over_folds(tests, statistics.mean), style="bold")
    table.add_row("deviation", "", "", *over_folds(tests, statistics.stdev))
    for baseline in folds[0]["baselines"]:
        scores = [fold["baselines"][baseline] for fold in folds]
        table.add_row(baseline, "", "", *over_folds(scores, statistics.mean))
    out.print(table)
    print_line(f"The folds' runs: {', '.join(fold['run'] for fold in folds)}.")
