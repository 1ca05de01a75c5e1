"""The rows of a run in MLflow, as its folder has them: each metric once for each step.

A resumed training goes on after its newest checkpoint and forgets what its journal has beyond. Only
what no resume can take back is sent, so that no step is there twice.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from flows.tracking.machine_load import rows_of_load
from rnnkit.evaluation.comparison.table import TABLE, numbers
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import DIAGNOSIS, RESULT, RunFolder
from rnnkit.runtime.files import sha256_json

UNNAMEABLE = re.compile(r"[^\w./: -]", re.ASCII)  # what MLflow refuses in a metric's name
FINAL = ("adopted", "finished", "pruned")
"""Kinds of journal records after which no training goes on."""
TRAINING = ("step", "epoch")
"""Kinds of records that a resumed training writes again."""
GATE_KEYS: Mapping[str, str] = {
    "radius": "spectral_radius",
    "largest": "largest_singular_value",
    "gain": "jacobian_gain",
    "mean": "mean_gate",
}
"""Numbers of a gate in a record of the diagnosis -> how their metric is called."""
BEST = "best/"
"""Prefix of the monitored metric's best value so far. MLflow's charts sort metrics by name, so no
other name may sort before it, and its compare page takes the metric that was sent first."""
SECONDS = "work/training_seconds"
"""Seconds of all epochs so far."""


class Row(NamedTuple):
    """One value of a metric; `time` in ms since 1970."""

    name: str
    step: int
    value: float
    time: int


def rows_of(folder: RunFolder, *, finished: bool = False) -> list[Row]:
    """All rows that MLflow may have of a run, a trial or a comparison as its folder stands, in the
    order in which they are to be sent: the objective first.

    Args:
        finished: with the numbers of its result or table.
    """
    lines = folder.records()
    final = is_final(folder, lines)
    kept = durable(lines, final=final)
    seeds = {  # of a trial: each has its curves
        f"{seed.name}/": durable(RunFolder(seed).records(), final=final)
        for seed in sorted(folder.path.glob("seed-*"))
    }
    rows = list(_best(kept, folder.experiment))
    for prefix, of_seed in {"": kept, **seeds}.items():
        rows += _of(of_seed, prefix)
    if seeds and lines:
        total = sum(_epoch_seconds([line for of_seed in seeds.values() for line in of_seed]))
        rows.append(Row(SECONDS, 0, round(total, 1), lines[-1]["time"]))
    rows += [Row(*row) for row in rows_of_load(folder)]
    if finished and lines:
        rows += [Row(name, 0, value, lines[-1]["time"]) for name, value in _numbers(folder)]
    sendable = (row for row in rows if math.isfinite(row.value))
    named = (row._replace(name=metric_name(row.name)) for row in sendable)
    return list({(row.name, row.step): row for row in named}.values())


def metric_name(name: str) -> str:
    """A name without what MLflow refuses in it."""
    return UNNAMEABLE.sub("", name)


def summary_of(rows: Sequence[Row]) -> str:
    """The number of rows and a hash of them, in any order.

    >>> summary_of([Row("a", 1, 0.5, 9), Row("a", 2, 0.5, 9)]).partition(" ")[0]
    '2'
    >>> summary_of([Row("a", 1, 0.5, 9)]) == summary_of([Row("a", 1, 0.5, 10)])
    True
    """
    return f"{len(rows)} {sha256_json(sorted(row[:3] for row in rows))[:16]}"


def is_final(folder: RunFolder, lines: Sequence[Mapping[str, Any]]) -> bool:
    """Whether no training goes on in a folder: it is done, or it is that of a trial that failed,
    which a new one replaces."""
    failed = folder.path.parent.name == "trials" and bool(lines) and lines[-1]["kind"] == "failed"
    return failed or any(line["kind"] in FINAL for line in lines)


def durable(lines: Sequence[Mapping[str, Any]], *, final: bool) -> list[Mapping[str, Any]]:
    """Records that no resume removes: all of a final journal, else what stands before the newest
    checkpoint. A journal without records of checkpoints counts up to its last epoch.

    >>> steps = [{"kind": "step"}, {"kind": "checkpoint"}, {"kind": "step"}]
    >>> len(durable(steps, final=False)), len(durable(steps, final=True))
    (2, 3)
    >>> len(durable([{"kind": "step"}, {"kind": "epoch"}, {"kind": "step"}], final=False))
    2
    """
    if final:
        return list(lines)
    kinds = [line["kind"] for line in lines]
    mark = "checkpoint" if "checkpoint" in kinds else "epoch"
    end = len(kinds) - kinds[::-1].index(mark) if mark in kinds else 0
    return [
        line for i, line in enumerate(lines) if i < end or line["kind"] not in ("step", "epoch")
    ]


def _of(lines: Sequence[Mapping[str, Any]], prefix: str) -> Iterator[Row]:
    """The rows of a journal, and the seconds of its epochs added up."""
    for line in lines:
        for name, value in _metrics(line).items():
            if not isinstance(value, str):  # "nan" and "inf" stand as words in the journal
                yield Row(prefix + name, line.get("step", 0), float(value), line["time"])
    epochs = [line for line in lines if line["kind"] == "epoch"]
    for line, seconds in zip(epochs, accumulate(_epoch_seconds(lines)), strict=True):
        yield Row(prefix + SECONDS, line["step"], round(seconds, 1), line["time"])


def _best(lines: Sequence[Mapping[str, Any]], experiment: Experiment) -> Iterator[Row]:
    """The best value of the monitored metric after each epoch; of a trial with several seeds their
    mean at its end."""
    name, pick = BEST + experiment.monitor, max if experiment.direction == "maximize" else min
    best: float | None = None
    for line in lines:
        value = None
        if line["kind"] == "epoch":
            value = line["valid"].get(experiment.monitored)  # nothing without a validation split
        elif line["kind"] == "finished" and best is None:
            value = line.get("value")  # only a trial's has one
        if value is None or isinstance(value, str):
            continue
        best = float(value) if best is None else pick(best, float(value))
        yield Row(name, line.get("step", 0), best, line["time"])


def _epoch_seconds(lines: Sequence[Mapping[str, Any]]) -> list[float]:
    return [float(line["seconds"]) for line in lines if line["kind"] == "epoch"]


def _metrics(line: Mapping[str, Any]) -> Mapping[str, float | str]:
    """The metrics of a journal record; the names are grouped by a prefix."""
    if line["kind"] == "step":
        named = {
            "step/loss": line["loss"],
            "gradient/norm": line["gradient_norm"],
            "gradient/norm_max": line["gradient_norm_max"],
            "gradient/clipped_fraction": line["clipped_fraction"],
            "train/learning_rate": line["learning_rate"],
        }
        if line["threshold"] is not None:
            named["gradient/threshold"] = line["threshold"]
        return named
    if line["kind"] == "epoch":
        return {f"valid/{name}": value for name, value in line["valid"].items()} | {
            "train/epoch": line["epoch"],
            "train/epoch_seconds": line["seconds"],
            "work/peak_memory_mib": line["peak_memory"],
            "train/loss": line["train"]["loss"],
            "gradient/refused": line["gradient"]["refused"],
        }
    if line["kind"] == DIAGNOSIS:
        return _of_diagnosis(line)
    if line["kind"] == "seed":  # of a trial with several
        return {f"objective/seed-{line['seed']}": line["value"]}
    if line["kind"] == "finished" and "deviation" in line:  # of the objective, over the seeds
        return {"objective/deviation": line["deviation"]}
    return {}


def _of_diagnosis(line: Mapping[str, Any]) -> dict[str, float | str]:
    """The numbers of a measurement, by layer; the lag at which a gradient vanishes or explodes is
    absent where it does neither."""
    named: dict[str, float | str] = {}
    for series, curve in line["gradient"].items():
        named |= {
            f"gradient_through_time/{key}/{series}": curve[key]
            for key in ("factor", "vanishes", "explodes")
            if curve[key] is not None
        }
    for series, cell in line["cells"].items():
        for gate, values in cell["gates"].items():
            place = series if len(cell["gates"]) == 1 else f"{series}/{gate}"
            named |= {f"recurrent/{GATE_KEYS[key]}/{place}": values[key] for key in values}
        units = {key: value for key, value in cell.items() if key != "gates"}
        named |= {f"recurrent/{key}/{series}": value for key, value in units.items()}
    return named


def _numbers(folder: RunFolder) -> Iterator[tuple[str, float]]:
    """The numbers of a finished comparison or run; a trial has only its curves."""
    if (folder.path / TABLE).exists():
        import pandas

        yield from numbers(pandas.read_parquet(folder.path / TABLE)).items()
    elif (folder.path / RESULT).exists():
        yield from _of_result(folder.result).items()


def _of_result(result: Mapping[str, Any]) -> Mapping[str, float]:
    """The numbers of a result.json: test split, baselines, work."""
    named = {f"test/{name}": value for name, value in result["test"].items()}
    for baseline, metrics in result["baselines"].items():
        named |= {f"versus/{baseline}/{name}": value for name, value in metrics.items()}
    if change := result.get("difference"):  # from the best baseline
        ends = {"": "difference", "_low": "low", "_high": "high"}
        measure = f"difference/{change['measure']}"
        named |= {measure + end: change[k] for end, k in ends.items() if change[k] is not None}
    named |= {f"work/{name}_seconds": value for name, value in result["seconds"].items()}
    work = ("parameters", "best_epoch", "epochs")
    return named | {f"work/{name}": result[name] for name in work if name in result}
