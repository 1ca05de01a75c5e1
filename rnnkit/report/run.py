"""`report.html` of a run: what was run on which data, how it went, and where it is wrong."""

from collections import Counter
from typing import Any

from rnnkit.data.prepare.facts import in_words
from rnnkit.data.prepare.part import PARTS
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.params.experiment import as_written, flatten
from rnnkit.report.page import picture, render
from rnnkit.runs.run_folder import PARAMS, RunFolder
from rnnkit.runtime import files
from rnnkit.tasks.predictions import Items, Predictions

REPORT = "report.html"
SEARCHED = ("study", "importance", "history", "parallel_coordinates")
"""Figures of a sweep."""
APART = ("network", "learning_curves", *SEARCHED)
"""Figures that have their own place in the page."""
MOST = 10
"""Trials that are shown."""


def write_run_report(
    folder: RunFolder,
    experiment: Experiment,
    prepared: Prepared,
    predictions: Predictions,
    result: dict[str, Any],
    trials: list[dict[str, Any]],
) -> None:
    """Writes the page into the run's folder; it needs nothing beside itself.

    Args:
        folder: the run; its figures are drawn.
        experiment: what was trained, tuned values in place.
        prepared: its data.
        predictions: of the test part.
        result: as in result.json.
        trials: of the sweep; empty without one.
    """
    pictures = {path.stem: picture(path) for path in sorted(folder.path.glob("figures/*.png"))}
    heading, wrong = predictions.mistakes(Items(prepared))
    content = render(
        "run.html",
        title=folder.id,
        network=result["network"],
        task=experiment.task.kind.replace("_", " "),
        parameters=result["parameters"],
        verdict=result["verdict"],
        scores=_scores(result),
        start={**result["start"], **result.get("counted", {})},
        chosen=_chosen(experiment, result),
        params=(folder.path / PARAMS).read_text(),
        data=_data(prepared),
        notes=prepared.notes,
        pictures=pictures,
        best_epoch=result["best_epoch"],
        trials=_trials(trials, experiment),
        trials_told=_told_of_trials(trials),
        searched=[name for name in SEARCHED if name in pictures],
        others=[name for name in pictures if name not in APART],
        heading=heading,
        mistakes=wrong,
        seconds={f"{name}, seconds": value for name, value in result["seconds"].items()},
        versions=files.read_json(folder.path / "fingerprint.json"),
    )
    files.write_atomic(folder.path / REPORT, content)


def _scores(result: dict[str, Any]) -> list[dict[str, Any]]:
    names = [name for name in result["shown"] if name in result["test"]]
    rows = [(result["network"], result["test"], True)]
    rows += [(name, metrics, False) for name, metrics in result["baselines"].items()]
    return [
        {"": network, **{name: metrics.get(name) for name in names}, "ours": ours}
        for network, metrics, ours in rows
    ]


def _chosen(experiment: Experiment, result: dict[str, Any]) -> dict[str, Any]:
    """What the params say that is not the default, and what was tuned."""
    rows: dict[str, Any] = {}
    for path, value in flatten(experiment).items():
        try:
            usual = experiment.default(path)
        except (AttributeError, KeyError):
            usual = None
        if path in result["tuned"]:
            rows[f"{path} (tuned)"] = value
        elif value != usual and value not in ({}, []):
            rows[path] = as_written(value)
    return rows


def _data(prepared: Prepared) -> dict[str, Any]:
    sizes = " / ".join(f"{len(prepared.parts[part]):,}" for part in PARTS if part in prepared.parts)
    data = {"source": prepared.facts["source"], "items in train / valid / test": sizes}
    data |= in_words(prepared.described)
    for what, fractions in prepared.unknown.items():
        if any(fractions.values()):
            each = " / ".join(f"{fractions[part]:.2%}" for part in PARTS if part in fractions)
            data[f"unknown {what}"] = each
    return {**data, "sha256": prepared.sha256}


def _told_of_trials(trials: list[dict[str, Any]]) -> str:
    """How the trials ended, and which of them the table has.

    >>> _told_of_trials([{"state": "complete"}, {"state": "pruned"}, {"state": "complete"}])
    'Of 3 trials 2 are complete and 1 pruned; the table has the best of the complete ones.'
    """
    count = Counter(trial["state"] for trial in trials)
    ended = " and ".join(
        f"{count[state]} {state}" for state in ("pruned", "failed") if count[state]
    )
    told = f"Of {len(trials)} trials {count['complete']} are complete"
    return f"{told}{ended and f' and {ended}'}; the table has the best of the complete ones."


def _trials(trials: list[dict[str, Any]], experiment: Experiment) -> list[dict[str, Any]]:
    """The best trials, as rows of a table."""
    sign = 1 if experiment.direction == "minimize" else -1
    done = [t for t in trials if t["state"] == "complete"]
    best = sorted(done, key=lambda t: sign * t["value"])[:MOST]
    paths = sorted({path for trial in best for path in trial["values"]})
    return [
        {
            "trial": str(trial["number"]),
            experiment.train.monitor: trial["value"],
            **{path: trial["values"].get(path, "") for path in paths},
        }
        for trial in best
    ]
