"""The measurements and verdicts of a run as pandas frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas

from rnnkit.diagnose.diagnosis import Diagnosis, diagnose_run
from rnnkit.diagnose.fit import FIT
from rnnkit.diagnose.linear_probe import PROBE
from rnnkit.diagnose.neighbours import NEIGHBOURS
from rnnkit.diagnose.truncation import DEPENDENCE, SPAN
from rnnkit.runs.run_folder import RunFolder

COLUMNS: Mapping[str, Sequence[str]] = {
    "gradient": ("epoch", "series", "lag", "norm"),
    "decay": ("epoch", "series", "factor", "fit", "vanishes", "explodes"),
    "gates": ("epoch", "series", "gate", "radius", "largest", "gain", "mean"),
    "units": ("epoch", "series", "activation"),
    "memory_span": ("lag", "excess", "error"),
    "dependence": ("lag", "value"),
    "clip": ("threshold", "share", "scale", "largest", "refused", "suggested"),
    "classes": ("label", "truth", "predicted"),
    "calibration": ("from", "to", "items", "confidence", "accuracy"),
    "linear_probe": ("layer", "score"),
    "neighbours": ("token", "count", "neighbour", "cosine"),
    "verdicts": ("name", "sentence", "options", "weight"),
}
"""Frame -> its columns; `units` has further ones by cell, `clip` percentiles of the norms."""


def frames(run: str | Path) -> dict[str, pandas.DataFrame]:
    """The diagnosis of a run as frames by name.

    gradient      epoch, series, lag (steps), norm of the gradient of the state
    decay         epoch, series, factor per step, fit (fraction of the variance that a straight line
                  explains in the logarithm), lags at which the gradient vanishes and explodes
    gates         epoch, series, gate, spectral radius and largest singular value of W_hh, gain of
                  its Jacobian, mean activation
    units         epoch, series, largest activation, and what the cell has: memory and longest
                  (steps), saturated and dead (fractions)
    memory_span   lag (steps), excess loss without what is older, and its standard error
    dependence    lag, mutual information (bits) or autocorrelation of the data
    clip          threshold, share of clipped steps, scale of the gradients, largest norm, refused
                  steps, suggested threshold, and percentiles of the norms
    classes       label, how often it is true and predicted in the test split
    calibration   bins of confidence: from, to, items, mean confidence, accuracy
    linear_probe  layer, and what a linear map reads from it (accuracy or R²)
    neighbours    token, count, neighbour, cosine of their embeddings
    verdicts      name, sentence, options to try, weight

    Args:
        run: its folder, in `runs` of the output folder.

    Raises:
        InputError: a sweep that is not finished.
    """
    folder = RunFolder(Path(run))
    return frames_of(diagnose_run(folder, folder.path.parent.parent))


def frames_of(diagnosis: Diagnosis) -> dict[str, pandas.DataFrame]:
    """As `frames`, of a diagnosis."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in COLUMNS}
    for line in diagnosis.lines:
        for series, curve in line["gradient"].items():
            at = {"epoch": line["epoch"], "series": series}
            points = zip(curve["lags"], curve["norms"], strict=True)
            rows["gradient"] += [{**at, "lag": lag, "norm": norm} for lag, norm in points]
            summary = ("factor", "fit", "vanishes", "explodes")
            rows["decay"].append({**at, **{key: curve[key] for key in summary}})
        for series, cell in line["cells"].items():
            at = {"epoch": line["epoch"], "series": series}
            rows["gates"] += [
                {**at, "gate": gate, **_numbers(values)} for gate, values in cell["gates"].items()
            ]
            units = {key: value for key, value in cell.items() if key != "gates"}
            rows["units"].append({**at, **_numbers(units)})
    rows |= _of_network(diagnosis.measured)
    if report := diagnosis.clip:
        norms = {f"norm_{q}": value for q, value in report["percentiles"].items()}
        rows["clip"] = [{**{key: report[key] for key in COLUMNS["clip"]}, **norms}]
    rows["verdicts"] = [
        {key: verdict[key] for key in COLUMNS["verdicts"]} for verdict in diagnosis.verdicts
    ]
    return {
        name: pandas.DataFrame(rows[name], columns=None if rows[name] else list(columns))
        for name, columns in COLUMNS.items()
    }


def _of_network(measured: Mapping[str, Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows of what was measured of a trained network."""
    rows: dict[str, list[dict[str, Any]]] = {}
    if span := measured.get(SPAN):
        points = zip(span["lags"], span["excess"], span["error"], strict=True)
        names = COLUMNS["memory_span"]
        rows["memory_span"] = [dict(zip(names, point, strict=True)) for point in points]
    if depends := measured.get(DEPENDENCE):
        pairs = zip(depends["lags"], depends["values"], strict=True)
        rows["dependence"] = [{"lag": lag, "value": value} for lag, value in pairs]
    fit = measured.get(FIT, {})
    if counts := fit.get("classes"):
        rows["classes"] = [{"label": label, **count} for label, count in counts.items()]
    rows["calibration"] = [*fit.get("calibration", {}).get("bins", ())]
    if probe := measured.get(PROBE):
        scores = probe["layers"].items()
        rows["linear_probe"] = [{"layer": layer, "score": score} for layer, score in scores]
    rows["neighbours"] = [
        {
            "token": row["token"],
            "count": row["count"],
            "neighbour": near["token"],
            "cosine": near["cosine"],
        }
        for row in measured.get(NEIGHBOURS, {}).get("tokens", ())
        for near in row["nearest"]
    ]
    return rows


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Numbers of the journal, which has infinity as a word."""
    return {key: float(value) for key, value in values.items()}
