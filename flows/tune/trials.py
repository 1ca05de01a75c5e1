"""The trials of a sweep as they lie on disk: one run folder each, under the parent's `trials/`.

A trial of several seeds holds a run folder for each of them, `seed-0` and so on.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.tracking.mirror import ENDS, End
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import files

STOP = "stop"  # a file beside the trials: ends the workers
DAMAGED = "damaged"  # likewise, with what a worker found wrong with the study
SEARCH = "search.json"  # beside the trials: the ranges that percentiles became
STATES = {"finished": "complete", "pruned": "pruned", "failed": "failed"}


def write_ranges(folder: RunFolder, ranges: Mapping[str, Any]) -> None:
    """Write the ranges of a sweep, with their sha256."""
    content = {"ranges": ranges, "sha256": files.sha256_json(ranges)}
    files.write_json(folder.path / "trials" / SEARCH, content)


def read_ranges(folder: RunFolder) -> dict[str, Any] | None:
    """The ranges of a sweep; None if they are missing or damaged."""
    try:
        content = files.read_json(folder.path / "trials" / SEARCH)
        ranges: dict[str, Any] = content["ranges"]
        return ranges if content["sha256"] == files.sha256_json(ranges) else None
    except (InputError, FileNotFoundError, RecursionError, KeyError, TypeError):
        return None


def with_ranges(folder: RunFolder) -> Experiment:
    """A sweep's experiment, with percentiles as the ranges they became.

    Raises:
        InputError: the ranges were damaged after the sweep began.
    """
    ranges = read_ranges(folder)
    if ranges is None:
        raise InputError(
            f"{folder.path / 'trials' / SEARCH}: must hold the ranges of the sweep as they were "
            "written; the same command writes them again"
        )
    return folder.experiment.replace({"tune.search": ranges})


def take_damage(folder: RunFolder) -> str:
    """What a worker found wrong with the study, which is read once; empty if nothing."""
    file = folder.path / "trials" / DAMAGED
    if not file.exists():
        return ""
    damage = file.read_text().strip()
    file.unlink()
    return damage or "a worker stopped"


def trial_folder(folder: RunFolder, number_: int) -> RunFolder:
    """The folder of a trial."""
    return RunFolder(folder.path / "trials" / f"trial-{number_:04d}")


def trial_folders(folder: RunFolder) -> Iterator[RunFolder]:
    """The folders of the trials that have begun, in the order of their numbers."""
    return map(RunFolder, sorted((folder.path / "trials").glob("trial-*")))


def trainings(
    place: RunFolder, experiment: Experiment, seeds: int
) -> list[tuple[RunFolder, Experiment]]:
    """A trial's trainings: where each lies and what it trains."""
    if seeds == 1:
        return [(place, experiment)]
    return [
        (RunFolder(place.path / f"seed-{seed}"), experiment.replace({"seed": seed}))
        for seed in range(experiment.seed, experiment.seed + seeds)
    ]


def end_of(lines: Sequence[Mapping[str, Any]]) -> End | None:
    """How a trial's journal ends; None while it goes on."""
    return ENDS.get(lines[-1]["kind"]) if lines else None


def trial_records(folder: RunFolder, experiment: Experiment) -> list[dict[str, Any]]:
    """All trials that ended: number, values, value, deviation, state, curve, reason.

    The value of one training is the best of its curve; of several seeds it is their mean, the
    deviation is theirs, and so is the curve as far as all of them go.
    """
    records = []
    for trial in trial_folders(folder):
        lines = trial.records()
        end = end_of(lines)
        if end not in STATES:
            continue
        curve, value, deviation = _measured(trial, lines, experiment)
        records.append(
            {
                "number": int(trial.id.rpartition("-")[2]),
                "values": next(line["values"] for line in lines if line["kind"] == "begun"),
                "value": value,
                "deviation": deviation,
                "state": STATES[end],
                "curve": curve,
                "reason": lines[-1].get("reason", ""),
            }
        )
    return records


def best_of(records: Sequence[dict[str, Any]], experiment: Experiment) -> dict[str, Any] | None:
    """The best trial that was trained to its end."""
    pick = max if experiment.direction == "maximize" else min
    done = [r for r in records if r["state"] == "complete" and r["value"] is not None]
    return pick(done, key=lambda r: r["value"]) if done else None


def best_training(place: RunFolder, experiment: Experiment) -> RunFolder:
    """Where the best of a finished trial's trainings lies."""
    seeds = place.records("seed")
    if not seeds:
        return place
    pick = max if experiment.direction == "maximize" else min
    return RunFolder(place.path / f"seed-{pick(seeds, key=lambda line: line['value'])['seed']}")


def best_epoch(training: RunFolder) -> int:
    """The best epoch of a finished training, from its journal."""
    return [int(line["epoch"]) for line in training.records("epoch") if line["improved"]][-1]


def alone(experiment: Experiment, values: Mapping[str, Any], epochs: int | None) -> Experiment:
    """The experiment without its sweep, with tuned values in place.

    Args:
        epochs: train for exactly as many; None: as the experiment says.
    """
    overrides: dict[str, Any] = {**values, "tune": None}
    if epochs is not None:
        overrides |= {"train.epochs": epochs, "train.early_stopping": None}
    return experiment.replace(overrides)


def epochs_done(place: RunFolder) -> int:
    """How many epochs a trial's trainings have finished."""
    return sum(len(RunFolder(path.parent).records("epoch")) for path in _journals(place))


def _measured(
    trial: RunFolder, lines: Sequence[dict[str, Any]], experiment: Experiment
) -> tuple[list[float], float | None, float | None]:
    """(curve, value, deviation) of a trial."""
    pick = max if experiment.direction == "maximize" else min
    folders = [RunFolder(path.parent) for path in _journals(trial)]
    curves = [c for folder in folders if (c := _curve(folder.records("epoch"), experiment))]
    values = [line["value"] for line in lines if line["kind"] == "seed"]
    if values:
        deviation = statistics.stdev(values) if len(values) > 1 else None
        mean = [statistics.mean(at) for at in zip(*curves, strict=False)]
        return mean, statistics.mean(values), deviation
    curve = curves[0] if curves else []
    return curve, pick(curve) if curve else None, None


def _journals(trial: RunFolder) -> list[Any]:
    return sorted(trial.path.glob("journal.jsonl")) + sorted(
        trial.path.glob("seed-*/journal.jsonl")
    )


def _curve(epochs: Sequence[dict[str, Any]], experiment: Experiment) -> list[float]:
    """The monitored metric after each epoch, where it was a finite number."""
    values = [line["valid"][experiment.monitored] for line in epochs]
    return [value for value in values if not isinstance(value, str)]
