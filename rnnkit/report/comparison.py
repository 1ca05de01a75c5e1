"""A comparison's figures and its `report.html`, which needs nothing beside itself."""

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
APART = ("seed", "name", "variants", "seeds")
"""Params that say nothing of what a variant is."""


def write_comparison_report(folder: Path, groups: Groups, table: pandas.DataFrame) -> None:
    """Draws the figures and writes the page.

    Args:
        folder: of the comparison.
        groups: variant -> its finished runs; the first is the reference.
        table: as `rnnkit.evaluation.comparison.table` makes it.
    """
    (folder / "figures").mkdir(exist_ok=True)
    runs = [run for members in groups.values() for run in members]
    predictions = {
        variant: [predictions_of(run) for run in members] for variant, members in groups.items()
    }
    curves, monitor = _curves(groups)
    drawn = {"curves": figures.bands(curves, monitor)}
    against = {
        row["variant"]: (row["difference"], row["low"], row["high"])
        for row in table.to_dict("records")
        if row["verdict"]
    }
    texts = [each for several in predictions.values() for each in several]
    if all(isinstance(each, TextsOfLengths) for each in texts):
        first = cast("TextsOfLengths", texts[0])
        edges = first.length_edges()  # of the first variant: another one's tokens may be shorter
        scores = {
            name: pandas.concat(
                cast("TextsOfLengths", each).by_length(edges, first.table) for each in several
            )
            .groupby(level=0)
            .mean()
            for name, several in predictions.items()
        }
        if len(edges) > 2:  # several groups
            metric, unit = first.length_metric, first.length_unit
            drawn["by_length"] = figures.scores_by_length(scores, metric, unit)
    if against:
        measure = table.loc[table["verdict"] != "", "measure"].iloc[0]
        drawn["differences"] = figures.intervals(against, measure, str(table["variant"].iloc[0]))
    for name, picture_ in drawn.items():
        figures.save(picture_, folder / "figures" / f"{name}.png")
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
    """The table as a person reads it: each mean with its deviation, each interval as one."""
    metrics = [str(name).removesuffix(" sd") for name in table if str(name).endswith(" sd")]
    found = []
    for row in table.to_dict("records"):
        told: dict[str, Any] = {"variant": row["variant"], "network": row["network"]}
        told["runs"] = row["runs"]
        for name in metrics:
            deviation = row[f"{name} sd"]
            spread = f" ± {deviation:.2g}" if figure(deviation) else ""
            told[name] = f"{figure(row[name])}{spread}"
        told["difference"] = ""
        if row["verdict"]:
            told["difference"] = (
                f"{row['difference']:+.4g} [{row['low']:+.3g}, {row['high']:+.3g}] {row['verdict']}"
            )
        told |= {"parameters": row["parameters"], "s/epoch": row["seconds"]}
        found.append({**told, "MiB": round(row["memory"])})
    return found


def sentences(table: pandas.DataFrame) -> list[str]:
    """Each variant against the first one, in a sentence."""
    first = table["variant"].iloc[0]
    said = {
        "better": "is better than",
        "worse": "is worse than",
        "undecided": "cannot be told from",
    }
    return [
        f"{row['variant']} {said[row['verdict']]} {first}: {row['measure']} "
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
    kept = {variant: [c for c in runs if c] for variant, runs in curves.items()}
    return {variant: runs for variant, runs in kept.items() if runs}, first.train.monitor


def _differing(groups: Groups) -> list[dict[str, Any]]:
    """The params in which the variants are not alike."""
    flat = {variant: flatten(runs[0].experiment) for variant, runs in groups.items()}
    paths = sorted({path for values in flat.values() for path in values})
    return [
        {"variant": variant}
        | {
            path: as_written(values.get(path, ""))
            for path in paths
            if path.split(".")[0] not in APART
            and len({str(other.get(path, "")) for other in flat.values()}) > 1
        }
        for variant, values in flat.items()
    ]
