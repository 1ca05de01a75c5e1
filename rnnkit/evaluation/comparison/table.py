"""Finished runs as a table: one row for each variant, over its seeds."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import pandas

from rnnkit.errors import InputError
from rnnkit.evaluation.comparison.bootstrap import Difference, difference
from rnnkit.evaluation.finalize import predictions_of
from rnnkit.params.variants import incomparable_because
from rnnkit.runs.run_folder import JOURNAL, RunFolder
from rnnkit.tasks.predictions import one_measure

TABLE = "comparison.parquet"
"""File name of the table in a comparison's folder."""
Groups = Mapping[str, Sequence[RunFolder]]
"""Variant -> its finished runs."""
NO_DIFFERENCE = Difference("", 0.0, math.nan, math.nan, 0)


def table(groups: Groups) -> pandas.DataFrame:
    """One row for each variant.

    Args:
        groups: the first is the reference.

    Returns:
        variant, network, runs (number), for each shown metric NAME its mean and `NAME sd` over
        the runs; measure, difference, low and high of the paired bootstrap against the first
        variant, and verdict (better, worse or undecided); the same for each further measure, as
        `bleu difference`; parameters, seconds (per epoch, median), memory (peak, MiB), epochs (mean
        best epoch).

    Raises:
        InputError: the runs are of different tasks or were tested on different items.
    """
    first, *others = [run for runs in groups.values() for run in runs]
    for run in others:
        task, other_task = first.experiment.task.kind, run.experiment.task.kind
        if task != other_task:
            raise InputError(
                f"runs of one task can be compared, and {first.id} is of {task}, "
                f"{run.id} of {other_task}"
            )
    changes = {variant: _columns(change) for variant, change in differences(groups).items()}
    names = next(iter(changes.values()), _columns([NO_DIFFERENCE]))
    none = {name: "" if name.endswith(("measure", "verdict")) else None for name in names}
    rows = []
    for variant, runs in groups.items():
        results = [run.result for run in runs]
        network = results[0]["network"]
        row: dict[str, Any] = {"variant": variant, "network": network, "runs": len(runs)}
        for name in results[0]["shown"]:
            values = [result["test"][name] for result in results if name in result["test"]]
            if values:
                row[name] = statistics.mean(values)
                row[f"{name} sd"] = statistics.stdev(values) if len(values) > 1 else None
        for run in runs:
            run.verified(JOURNAL)
        epochs = [line for run in runs for line in run.records("epoch")]
        row |= changes.get(variant, none) | {
            "parameters": results[0]["parameters"],
            "seconds": statistics.median(line["seconds"] for line in epochs),
            "memory": max(line["peak_memory"] for line in epochs),
            "epochs": statistics.mean(result["best_epoch"] for result in results),
        }
        rows.append(row)
    return pandas.DataFrame(rows)


def metric_names(table: pandas.DataFrame) -> list[str]:
    """The metrics of a table."""
    return [str(name).removesuffix(" sd") for name in table if str(name).endswith(" sd")]


def further_measures(table: pandas.DataFrame) -> list[str]:
    """The measures of a table besides the one that decides."""
    return [str(name).removesuffix(" verdict") for name in table if str(name).endswith(" verdict")]


def difference_of(row: Mapping[Any, Any], measure: str = "") -> Difference | None:
    """A row's difference from the first variant, by the deciding measure or a further one; None of
    the first variant itself."""
    prefix = f"{measure} " if measure else ""
    if not row[f"{prefix}verdict"]:
        return None
    ends = (row[f"{prefix}{end}"] for end in ("low", "high"))
    low, high = (math.nan if end is None else end for end in ends)
    items = int(row.get(f"{prefix}items", 0))  # tables of earlier versions have none
    return Difference(measure or row["measure"], row[f"{prefix}difference"], low, high, items)


def numbers(table: pandas.DataFrame) -> dict[str, float]:
    """The table as metrics of one run, named METRIC/VARIANT; the differences from the first variant
    and the ends of their intervals as difference/METRIC/VARIANT, difference/METRIC_low/VARIANT."""
    named = dict[str, float]()
    for row in table.to_dict("records"):
        variant = row["variant"]
        for name in [*metric_names(table), "seconds", "memory"]:
            named[f"{name}/{variant}"] = float(row[name])
        for measure in ["", *further_measures(table)]:
            change = difference_of(row, measure)
            if change is not None:
                named[f"difference/{change.measure}/{variant}"] = change.value
            if change is not None and change.has_interval:
                named[f"difference/{change.measure}_low/{variant}"] = change.low
                named[f"difference/{change.measure}_high/{variant}"] = change.high
    return named


def differences(groups: Groups) -> dict[str, list[Difference]]:
    """The differences of each variant from the first one on the same test items, by each of the
    measures that the task is compared by, the deciding one first.

    Raises:
        InputError: test items, measures or tokens differ.
    """
    first, *others = groups
    predictions = {
        variant: [predictions_of(run) for run in runs] for variant, runs in groups.items()
    }
    reference, *rest = [table for tables in predictions.values() for table in tables]
    one_measure(table.compared[0] for table in [reference, *rest])
    reference_run, *runs = [run for members in groups.values() for run in members]
    for run in runs:
        if misfit := incomparable_because(
            reference_run.trained, run.trained, reference.compared[0]
        ):
            raise InputError(f"{run.id}: not comparable with {reference_run.id}: {misfit}")
    changes: dict[str, list[Difference]] = {variant: [] for variant in others}
    block = reference_run.experiment.task.window_overlap or 1
    for measure in reference.compared:
        items = {
            variant: [table.measured(measure).items for table in tables]
            for variant, tables in predictions.items()
        }
        for variant in others:
            change = difference(measure, items[variant], items[first], block, seed=0)
            changes[variant].append(change)
    return changes


def _columns(changes: Sequence[Difference]) -> dict[str, Any]:
    """Of the deciding measure, and of each further one with its name before them."""
    columns: dict[str, Any] = {}
    for k, change in enumerate(changes):
        prefix = f"{change.measure} " if k else ""
        values = change.columns().items()
        columns |= {f"{prefix}{n}": value for n, value in values if not (k and n == "measure")}
    return columns
