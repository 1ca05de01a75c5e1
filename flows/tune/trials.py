"""The trials of a sweep as they lie on disk: one run folder each, under the parent's `trials/`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.tracking import End
from rnnkit.params import Experiment
from rnnkit.runfolder import RunFolder

STOP = "stop"  # a file beside the trials: the workers are to leave off
ENDS: Mapping[str, End] = {"finished": "finished", "pruned": "pruned", "failed": "failed"}
STATES = {"finished": "complete", "pruned": "pruned", "failed": "failed"}


def trial_folders(folder: RunFolder) -> Iterator[RunFolder]:
    """The folders of the trials that have begun, in the order of their numbers."""
    for path in sorted((folder.path / "trials").glob("trial-*")):
        yield RunFolder(path)


def trial_records(folder: RunFolder, experiment: Experiment) -> list[dict[str, Any]]:
    """All trials that ended: number, values, value (best monitored), state, curve, reason."""
    pick = max if experiment.direction == "maximize" else min
    records = []
    for trial in trial_folders(folder):
        lines = trial.records()
        ends = [line for line in lines if line["kind"] in ENDS]
        if not ends:
            continue
        curve = [line["valid"][experiment.monitored] for line in lines if line["kind"] == "epoch"]
        finite = [value for value in curve if not isinstance(value, str)]
        records.append(
            {
                "number": int(trial.id.rpartition("-")[2]),
                "values": lines[0]["values"],
                "value": pick(finite) if finite else None,
                "state": STATES[ends[-1]["kind"]],
                "curve": finite,
                "reason": ends[-1].get("reason", ""),
            }
        )
    return records


def best_of(records: Sequence[dict[str, Any]], experiment: Experiment) -> dict[str, Any] | None:
    """The best trial that was trained to its end."""
    pick = max if experiment.direction == "maximize" else min
    done = [r for r in records if r["state"] == "complete" and r["value"] is not None]
    return pick(done, key=lambda r: r["value"]) if done else None


def trial_folder(folder: RunFolder, number_: int) -> RunFolder:
    """The folder of a trial."""
    return RunFolder(folder.path / "trials" / f"trial-{number_:04d}")


def alone(experiment: Experiment, values: Mapping[str, Any], epochs: int | None) -> Experiment:
    """The experiment without its sweep, with tuned values in place.

    Args:
        epochs: train for exactly as many; None: as the experiment says.
    """
    overrides: dict[str, Any] = {**values, "tune": None}
    if epochs is not None:
        overrides |= {"train.epochs": epochs, "train.early_stopping": None}
    return experiment.replace(overrides)
