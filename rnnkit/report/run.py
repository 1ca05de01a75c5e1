"""`report.html` of a run: params, data, metrics, figures, trials and the worst mistakes."""

import contextlib
from collections.abc import Mapping
from typing import Any

from rnnkit import figures
from rnnkit.data.prepare.encoded_split import SPLITS
from rnnkit.data.prepare.facts import format_facts
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.params.experiment import as_yaml, flatten
from rnnkit.report.fit_figures import fit_figures
from rnnkit.report.measured import sentences, tables
from rnnkit.report.page import picture, render
from rnnkit.report.sweep import trials_summary, trials_table
from rnnkit.runs.run_folder import PARAMS, RunFolder
from rnnkit.runtime import files
from rnnkit.tasks.predictions import Items, Predictions

REPORT = "report.html"
SEARCHED = ("study", "importance", "history", "parallel_coordinates")
"""Figures of a sweep."""
DIAGNOSED = (
    *("gradient_through_time", "recurrent_weights"),
    *("memory_span", "gradient_norms", "calibration", "hidden_states"),
)
"""Figures of why a network learns or does not."""
PLACED_FIGURES = ("network", "learning_curves", *DIAGNOSED, *SEARCHED)
"""Figures with a fixed place in the page."""


def write_run_report(
    folder: RunFolder,
    experiment: Experiment,
    prepared: Prepared,
    predictions: Predictions,
    result: dict[str, Any],
    trials: list[dict[str, Any]],
) -> None:
    """Write the self-contained page to the run's folder, with the figures that it has.

    Figures of what was measured of the network are drawn here.

    Args:
        experiment: the trained one, with tuned values in place.
        predictions: of the test split.
        result: as in result.json.
        trials: of the sweep; empty without one.
    """
    measured, journal = result.get("measured", {}), folder.records()
    drawn = fit_figures(experiment, journal, measured)
    figures.save_all(drawn, folder.path / "figures")
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
        scores=score_rows(result),
        start={**result["start"], **result.get("counted", {})},
        chosen=_chosen(experiment, result),
        params=(folder.path / PARAMS).read_text(),
        data=_data(prepared),
        notes=prepared.notes,
        pictures=pictures,
        training=result["training"],
        diagnosed=[name for name in DIAGNOSED if name in pictures],
        verdicts=result.get("verdicts"),
        findings=sentences(experiment, journal, measured),
        measured=list(tables(measured)),
        trials=trials_table(trials, experiment),
        trials_summary=trials_summary(trials),
        advice=result.get("advice", []),
        searched=[name for name in SEARCHED if name in pictures],
        others=[name for name in pictures if name not in PLACED_FIGURES],
        tables=[(title, rows) for title, rows in predictions.tables(items) if rows],
        samples=_samples(result),
        heading=heading,
        mistakes=wrong,
        seconds={f"{name}, seconds": value for name, value in result["seconds"].items()},
        versions=files.read_json(folder.path / "fingerprint.json"),
    )
    files.write_atomic(folder.path / REPORT, content)


def score_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for the network, which is `ours`, and for each baseline."""
    names = [name for name in result["shown"] if name in result["test"]]
    rows = [(result["network"], result["test"]), *result["baselines"].items()]
    return [
        {"": network, **{name: metrics.get(name) for name in names}, "ours": k == 0}
        for k, (network, metrics) in enumerate(rows)
    ]


def _samples(result: dict[str, Any]) -> list[dict[str, str]]:
    """Generated texts, with their prompts where they have any."""
    samples: list[dict[str, str]] = result.get("samples", [])
    prompted = any(sample["prompt"] for sample in samples)
    return samples if prompted else [{"text": sample["text"]} for sample in samples]


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
