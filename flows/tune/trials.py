"""The trials of a sweep as they lie on disk: one run folder each, under the parent's `trials/`.

A trial of several seeds holds a run folder for each of them, `seed-0` and so on.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.tracking.mirror import ENDS, End
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder

STOP = "stop"  # a file beside the trials: ends the workers
DAMAGED = "damaged"  # likewise, with what a worker found wrong with the study
STATES = {"finished": "complete", "pruned": "pruned", "failed": "failed"}


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


def number_of(trial: RunFolder) -> int:
    """The number of a trial, from its folder."""
    return int(trial.id.rpartition("-")[2])


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
    """The records of all trials that ended."""
    read = ((trial, trial.records()) for trial in trial_folders(folder))
    return [record_of(trial, lines, experiment) for trial, lines in read if end_of(lines) in STATES]


def record_of(
    trial: RunFolder, lines: Sequence[dict[str, Any]], experiment: Experiment
) -> dict[str, Any]:
    """The record of a trial that ended: number, values, value, deviation, seeds, state, curve,
    epochs, seconds, reason.

    The value of one training is the best of its curve; of several seeds it is their mean, the
    deviation is theirs, and so is the curve as far as all of them go. `seeds` has the value of each
    seed, `seconds` what all its epochs took.

    Args:
        lines: of the trial's journal.
    """
    epochs = [RunFolder(path.parent).records("epoch") for path in _journals(trial)]
    curve, value, deviation = _measured(epochs, lines, experiment)
    seeds = {line["seed"]: float(line["value"]) for line in lines if line["kind"] == "seed"}
    if not seeds and value is not None:
        seeds = {experiment.seed: value}
    end = end_of(lines)
    assert end is not None
    return {
        "number": number_of(trial),
        "values": next(line["values"] for line in lines if line["kind"] == "begun"),
        "value": value,
        "deviation": deviation,
        "seeds": seeds,
        "state": STATES[end],
        "curve": curve,
        "epochs": sum(map(len, epochs)),
        "seconds": sum(line.get("seconds", 0.0) for each in epochs for line in each),
        "reason": lines[-1].get("reason", ""),
    }


def ranked(records: Sequence[dict[str, Any]], experiment: Experiment) -> list[dict[str, Any]]:
    """The trials that were trained to their end, the best one first; where some were confirmed,
    these alone."""
    complete = [r for r in records if r["state"] == "complete" and r["value"] is not None]
    done = [record for record in complete if not record.get("unconfirmed")]
    sign = -1 if experiment.direction == "maximize" else 1
    return sorted(done, key=lambda record: sign * record["value"])


def best_of(records: Sequence[dict[str, Any]], experiment: Experiment) -> dict[str, Any] | None:
    """The best trial that was trained to its end."""
    return next(iter(ranked(records, experiment)), None)


def best_training(place: RunFolder, experiment: Experiment) -> RunFolder:
    """Where the best of a finished trial's trainings lies."""
    seeds = place.records("seed")
    trained = [(line["value"], RunFolder(place.path / f"seed-{line['seed']}")) for line in seeds]
    trained = trained or [(line["value"], place) for line in place.records("finished")]
    for folder, _ in confirmations(place, experiment):
        trained += [(line["value"], folder) for line in folder.records("finished")]
    pick = max if experiment.direction == "maximize" else min
    return pick(trained, key=lambda training: training[0])[1]


def confirmations(place: RunFolder, experiment: Experiment) -> list[tuple[RunFolder, Experiment]]:
    """The trainings that confirm a trial: where each lies and what it trains."""
    tune = experiment.tune
    if tune is None or tune.confirm is None:
        return []
    values = place.records("begun")[0]["values"]
    folder, training = place.path.parent / "confirm" / place.id, alone(experiment, values, None)
    return [
        (RunFolder(folder / f"seed-{seed}"), training.replace({"seed": seed}))
        for seed in range(experiment.seed + tune.seeds, experiment.seed + tune.confirm_seeds)
    ]


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
    epochs: Sequence[Sequence[dict[str, Any]]],
    lines: Sequence[dict[str, Any]],
    experiment: Experiment,
) -> tuple[list[float], float | None, float | None]:
    """(curve, value, deviation) of a trial, from the epochs of its trainings and its journal."""
    pick = max if experiment.direction == "maximize" else min
    curves = [curve for each in epochs if (curve := _curve(each, experiment))]
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
