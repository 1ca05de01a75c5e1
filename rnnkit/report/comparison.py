"""Figures and self-contained `report.html` of a comparison."""

from pathlib import Path
from typing import Any, cast

import pandas
from matplotlib.figure import Figure

from rnnkit import figures
from rnnkit.evaluation.comparison.bootstrap import Difference
from rnnkit.evaluation.comparison.table import (
    Groups,
    difference_of,
    further_measures,
    metric_names,
)
from rnnkit.evaluation.finalize import predictions_of
from rnnkit.params.experiment import as_yaml, flatten
from rnnkit.report.page import figure, picture, render
from rnnkit.runtime import files
from rnnkit.tasks.sequence_to_sequence.predictions import TextsOfLengths

REPORT = "report.html"
IGNORED_PARAMS = ("seed", "name", "variants", "seeds")
"""Params that do not define a variant."""


def write_comparison_report(folder: Path, groups: Groups, table: pandas.DataFrame) -> None:
    """Draw the figures and write the page; the first group is the reference."""
    runs = [run for members in groups.values() for run in members]
    drawn = figures.save_all(_figures(groups, table), folder / "figures")
    content = render(
        "comparison.html",
        title=folder.name,
        told=f"{len(groups)} variants, {len(runs)} runs, {runs[0].experiment.task.kind}",
        verdicts=sentences(table),
        rows=rows(table),
        pictures={path.stem: picture(path) for path in drawn},
        differing=_differing(groups),
        runs=[
            {"variant": variant, "run": run.id, "seed": run.experiment.seed}
            for variant, members in groups.items()
            for run in members
        ],
    )
    files.write_atomic(folder / REPORT, content)


def _figures(groups: Groups, table: pandas.DataFrame) -> dict[str, Figure]:
    predictions = {
        variant: [predictions_of(run) for run in members] for variant, members in groups.items()
    }
    drawn = {"curves": figures.bands(*_curves(groups))}
    texts = [run for members in predictions.values() for run in members]
    if all(isinstance(run, TextsOfLengths) for run in texts):
        first = cast("TextsOfLengths", texts[0])
        edges = first.length_edges()  # of the first variant, because token lengths may differ
        scores = {
            name: pandas.concat(
                cast("TextsOfLengths", run).by_length(edges, first.table) for run in members
            )
            .groupby(level=0)
            .mean()
            for name, members in predictions.items()
        }
        if len(edges) > 2:  # at least two groups
            metric, unit = first.length_metric, first.length_unit
            drawn["by_length"] = figures.scores_by_length(scores, metric, unit)
    if len(compared := table[table["verdict"] != ""]):
        intervals = {
            row["variant"]: (row["difference"], row["low"], row["high"])
            for row in compared.to_dict("records")
        }
        measure, reference = compared["measure"].iloc[0], str(table["variant"].iloc[0])
        drawn["differences"] = figures.intervals(intervals, measure, reference)
    return drawn


def rows(table: pandas.DataFrame) -> list[dict[str, Any]]:
    """The table formatted for display: mean ± standard deviation, difference with its interval."""
    formatted = []
    for row in table.to_dict("records"):
        cells: dict[str, Any] = {name: row[name] for name in ("variant", "network", "runs")}
        for name in metric_names(table):
            deviation = row[f"{name} sd"]
            spread = f" ± {deviation:.2g}" if figure(deviation) else ""
            cells[name] = f"{figure(row[name])}{spread}"
        for measure in ("", *further_measures(table)):
            change = difference_of(row, measure)
            cells[f"{measure} difference".strip()] = "" if change is None else _interval(change)
        cells |= {"parameters": row["parameters"], "s/epoch": row["seconds"]}
        formatted.append({**cells, "MiB": round(row["memory"])})
    return formatted


def _interval(change: Difference) -> str:
    ends = f"[{change.low:+.3g}, {change.high:+.3g}]" if change.has_interval else "too few items"
    return f"{change.value:+.4g} {ends} {change.verdict}"


def sentences(table: pandas.DataFrame) -> list[str]:
    """One sentence per variant: its comparison with the first one."""
    first = table["variant"].iloc[0]
    relations = {
        "better": "is better than",
        "worse": "is worse than",
        "undecided": "cannot be distinguished from",
    }
    lines = []
    for row in table.to_dict("records"):
        if (change := difference_of(row)) is None:
            continue
        further = [difference_of(row, measure) for measure in further_measures(table)]
        also = "".join(f"; {other} ({other.verdict})" for other in further if other is not None)
        lines.append(f"{row['variant']} {relations[change.verdict]} {first}: {change}{also}.")
    return lines


def _curves(groups: Groups) -> tuple[dict[str, list[list[float]]], str]:
    first = next(iter(groups.values()))[0].trained
    name = first.monitored
    curves = {}
    for variant, runs in groups.items():
        valid = [[epoch["valid"] for epoch in run.records("epoch")] for run in runs]
        values = [[float(metrics[name]) for metrics in run if name in metrics] for run in valid]
        if nonempty := [curve for curve in values if curve]:
            curves[variant] = nonempty
    return curves, first.monitor


def _differing(groups: Groups) -> list[dict[str, Any]]:
    """The params that differ between variants, a row for each; of a sweep those it chose."""
    flat = {variant: flatten(runs[0].trained) for variant, runs in groups.items()}
    paths = sorted({path for values in flat.values() for path in values})
    return [
        {"": path} | {variant: as_yaml(values.get(path, "")) for variant, values in flat.items()}
        for path in paths
        if path.split(".")[0] not in IGNORED_PARAMS
        and len({str(params.get(path, "")) for params in flat.values()}) > 1
    ]
