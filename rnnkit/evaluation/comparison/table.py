"""Finished runs as a table: one row for each variant, over its seeds."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import pandas

from rnnkit.errors import InputError
from rnnkit.evaluation.comparison.bootstrap import Difference, difference
from rnnkit.evaluation.finalize import predictions_of
from rnnkit.params.variants import incomparable_because
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks.predictions import one_measure

TABLE = "comparison.parquet"
"""File name of the table in a comparison's folder."""
Groups = Mapping[str, Sequence[RunFolder]]
"""Variant -> its finished runs."""


def table(groups: Groups) -> pandas.DataFrame:
    """One row for each variant.

    Args:
        groups: the first is the reference.

    Returns:
        variant, network, runs (number), for each shown metric NAME its mean and `NAME sd` over
        the runs; measure, difference, low and high of the paired bootstrap against the first
        variant, and verdict (better, worse or undecided); parameters, seconds (per epoch, median),
        memory (peak, MiB), epochs (mean best epoch).

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
    changes = differences(groups)
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
        epochs = [line for run in runs for line in run.records("epoch")]
        row |= _difference_columns(changes.get(variant)) | {
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


def numbers(table: pandas.DataFrame) -> dict[str, float]:
    """The table as metrics of one run, named METRIC/VARIANT."""
    return {
        f"{name}/{row['variant']}": float(row[name])
        for row in table.to_dict("records")
        for name in [*metric_names(table), "seconds", "memory"]
    }


def differences(groups: Groups) -> dict[str, Difference]:
    """The difference of each variant from the first one, on the same test items.

    Raises:
        InputError: test items, measures or tokens differ.
    """
    first, *others = groups
    measures = {
        variant: [predictions_of(run).measured() for run in runs]
        for variant, runs in groups.items()
    }
    measure = one_measure(run.name for measured in measures.values() for run in measured)
    reference_run, *runs = [run for members in groups.values() for run in members]
    for run in runs:
        if misfit := incomparable_because(reference_run.experiment, run.experiment, measure):
            raise InputError(f"{run.id}: not comparable with {reference_run.id}: {misfit}")
    reference = [run.items for run in measures[first]]
    return {
        variant: difference(
            measure,
            [run.items for run in measures[variant]],
            reference,
            groups[variant][0].experiment.task.window_overlap or 1,
            seed=0,
        )
        for variant in others
    }


def _difference_columns(change: Difference | None) -> dict[str, Any]:
    if change is None:
        return {"measure": "", "difference": None, "low": None, "high": None, "verdict": ""}
    return {
        "measure": change.measure,
        "difference": change.value,
        "low": change.low,
        "high": change.high,
        "verdict": change.verdict,
    }
