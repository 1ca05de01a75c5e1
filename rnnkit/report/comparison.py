"""Figures and self-contained `report.html` of a comparison."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pandas

from rnnkit import figures
from rnnkit.evaluation.comparison.table import Groups
from rnnkit.evaluation.finalize import predictions_of
from rnnkit.params.experiment import as_written, flatten
from rnnkit.report.page import figure, picture, render
from rnnkit.runtime import files
from rnnkit.tasks.sequence_to_sequence.predictions import TextsOfLengths

REPORT = "report.html"
IGNORED_PARAMS = ("seed", "name", "variants", "seeds")
"""Params that do not define a variant."""


def write_comparison_report(folder: Path, groups: Groups, table: pandas.DataFrame) -> None:
    """Draw the figures and write the page.

    Args:
        folder: of the comparison.
        groups: variant -> its finished runs; the first is the reference.
        table: from `rnnkit.evaluation.comparison.table`.
    """
    (folder / "figures").mkdir(exist_ok=True)
    runs = [run for members in groups.values() for run in members]
    predictions = {
        variant: [predictions_of(run) for run in members] for variant, members in groups.items()
    }
    curves, monitor = _curves(groups)
    drawn = {"curves": figures.bands(curves, monitor)}
    intervals = {
        row["variant"]: (row["difference"], row["low"], row["high"])
        for row in table.to_dict("records")
        if row["verdict"]
    }
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
    if intervals:
        measure = table.loc[table["verdict"] != "", "measure"].iloc[0]
        drawn["differences"] = figures.intervals(intervals, measure, str(table["variant"].iloc[0]))
    for name, chart in drawn.items():
        figures.save(chart, folder / "figures" / f"{name}.png")
    content = render(
        "comparison.html",
        title=folder.name,
        told=f"{len(groups)} variants, {len(runs)} runs, {runs[0].experiment.task.kind}",
        verdicts=sentences(table),
        rows=rows(table),
        pictures={name: picture(folder / "figures" / f"{name}.png") for name in drawn},
        differing=_differing(groups),
        runs=[
            {"variant": variant, "run": run.id, "seed": run.experiment.seed}
            for variant, members in groups.items()
            for run in members
        ],
    )
    files.write_atomic(folder / REPORT, content)


def rows(table: pandas.DataFrame) -> list[dict[str, Any]]:
    """The table formatted for display: mean ± standard deviation, difference with its interval."""
    metrics = [str(name).removesuffix(" sd") for name in table if str(name).endswith(" sd")]
    formatted = []
    for row in table.to_dict("records"):
        cells: dict[str, Any] = {"variant": row["variant"], "network": row["network"]}
        cells["runs"] = row["runs"]
        for name in metrics:
            deviation = row[f"{name} sd"]
            spread = f" ± {deviation:.2g}" if figure(deviation) else ""
            cells[name] = f"{figure(row[name])}{spread}"
        cells["difference"] = ""
        if row["verdict"]:
            cells["difference"] = (
                f"{row['difference']:+.4g} [{row['low']:+.3g}, {row['high']:+.3g}] {row['verdict']}"
            )
        cells |= {"parameters": row["parameters"], "s/epoch": row["seconds"]}
        formatted.append({**cells, "MiB": round(row["memory"])})
    return formatted


def sentences(table: pandas.DataFrame) -> list[str]:
    """One sentence per variant: its comparison with the first one."""
    first = table["variant"].iloc[0]
    relations = {
        "better": "is better than",
        "worse": "is worse than",
        "undecided": "cannot be distinguished from",
    }
    return [
        f"{row['variant']} {relations[row['verdict']]} {first}: {row['measure']} "
        f"{row['difference']:+.4g}, 95 % interval {row['low']:+.3g} to {row['high']:+.3g}."
        for row in table.to_dict("records")
        if row["verdict"]
    ]


def _curves(groups: Groups) -> tuple[Mapping[str, list[list[float]]], str]:
    first = next(iter(groups.values()))[0].experiment
    name = first.monitored
    curves = {
        variant: [
            [float(line["valid"][name]) for line in run.records("epoch") if name in line["valid"]]
            for run in runs
        ]
        for variant, runs in groups.items()
    }
    nonempty = {variant: [c for c in runs if c] for variant, runs in curves.items()}
    return {variant: runs for variant, runs in nonempty.items() if runs}, first.train.monitor


def _differing(groups: Groups) -> list[dict[str, Any]]:
    """The params that differ between variants, one row per variant."""
    flat = {variant: flatten(runs[0].experiment) for variant, runs in groups.items()}
    paths = sorted({path for values in flat.values() for path in values})
    return [
        {"variant": variant}
        | {
            path: as_written(values.get(path, ""))
            for path in paths
            if path.split(".")[0] not in IGNORED_PARAMS
            and len({str(params.get(path, "")) for params in flat.values()}) > 1
        }
        for variant, values in flat.items()
    ]
