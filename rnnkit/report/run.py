"""`report.html` of a run: params, data, metrics, figures, trials and the worst mistakes."""

import contextlib
from collections import Counter
from typing import Any

from rnnkit.data.prepare.encoded_split import SPLITS
from rnnkit.data.prepare.facts import format_facts
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.params.experiment import as_yaml, flatten
from rnnkit.report.page import picture, render
from rnnkit.runs.run_folder import PARAMS, RunFolder
from rnnkit.runtime import files
from rnnkit.tasks.predictions import Items, Predictions

REPORT = "report.html"
SEARCHED = ("study", "importance", "history", "parallel_coordinates")
"""Figures of a sweep."""
PLACED_FIGURES = ("network", "learning_curves", *SEARCHED)
"""Figures with a fixed place in the page."""
MAX_TRIALS = 10
"""Number of best trials shown."""


def write_run_report(
    folder: RunFolder,
    experiment: Experiment,
    prepared: Prepared,
    predictions: Predictions,
    result: dict[str, Any],
    trials: list[dict[str, Any]],
) -> None:
    """Write the self-contained page to the run's folder, with the figures that it has.

    Args:
        experiment: the trained one, with tuned values in place.
        predictions: of the test split.
        result: as in result.json.
        trials: of the sweep; empty without one.
    """
    pictures = {path.stem: picture(path) for path in sorted(folder.path.glob("figures/*.png"))}
    items = Items(prepared)
    heading, wrong = predictions.mistakes(items)
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
        training=result["training"],
        trials=_trials(trials, experiment),
        trials_summary=_trial_counts(trials),
        searched=[name for name in SEARCHED if name in pictures],
        others=[name for name in pictures if name not in PLACED_FIGURES],
        tables=[(title, rows) for title, rows in predictions.tables(items) if rows],
        heading=heading,
        mistakes=wrong,
        seconds={f"{name}, seconds": value for name, value in result["seconds"].items()},
        versions=files.read_json(folder.path / "fingerprint.json"),
    )
    files.write_atomic(folder.path / REPORT, content)


def _scores(result: dict[str, Any]) -> list[dict[str, Any]]:
    names = [name for name in result["shown"] if name in result["test"]]
    rows = [(result["network"], result["test"]), *result["baselines"].items()]
    return [
        {"": network, **{name: metrics.get(name) for name in names}, "ours": k == 0}
        for k, (network, metrics) in enumerate(rows)
    ]


def _chosen(experiment: Experiment, result: dict[str, Any]) -> dict[str, Any]:
    """Params that were tuned or differ from the default."""
    rows: dict[str, Any] = {}
    for path, value in flatten(experiment).items():
        default = None
        with contextlib.suppress(AttributeError, KeyError):
            default = experiment.default(path)
        if path in result["tuned"]:
            rows[f"{path} (tuned)"] = value
        elif value != default and value not in ({}, []):
            rows[path] = as_yaml(value)
    return rows


def _data(prepared: Prepared) -> dict[str, Any]:
    sizes = " / ".join(
        f"{len(prepared.splits[split]):,}" for split in SPLITS if split in prepared.splits
    )
    data = {"source": prepared.facts["source"], "items in train / valid / test": sizes}
    data |= format_facts(prepared.fitted.described(prepared.facts))
    for what, fractions in prepared.unknown.items():
        if any(fractions.values()):
            unknown = " / ".join(
                f"{fractions[split]:.2%}" for split in SPLITS if split in fractions
            )
            data[f"unknown {what}"] = unknown
    return {**data, "sha256": prepared.sha256}


def _trial_counts(trials: list[dict[str, Any]]) -> str:
    """The number of trials by state, in a sentence.

    >>> _trial_counts([{"state": "complete"}, {"state": "pruned"}, {"state": "complete"}])
    'Of 3 trials 2 are complete and 1 pruned; the table has the best of the complete ones.'
    """
    count = Counter(trial["state"] for trial in trials)
    others = [f" and {count[state]} {state}" for state in ("pruned", "failed") if count[state]]
    text = f"Of {len(trials)} trials {count['complete']} are complete{''.join(others)}"
    return f"{text}; the table has the best of the complete ones."


def _trials(trials: list[dict[str, Any]], experiment: Experiment) -> list[dict[str, Any]]:
    """The best trials, as rows of a table."""
    sign = 1 if experiment.direction == "minimize" else -1
    done = [t for t in trials if t["state"] == "complete"]
    best = sorted(done, key=lambda t: sign * t["value"])[:MAX_TRIALS]
    paths = sorted({path for trial in best for path in trial["values"]})
    return [
        {
            "trial": str(trial["number"]),
            experiment.monitor: trial["value"],
            **{path: trial["values"].get(path, "") for path in paths},
        }
        for trial in best
    ]
