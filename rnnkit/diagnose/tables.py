"""The measurements and verdicts of a run as pandas frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas

from rnnkit.diagnose.diagnosis import Diagnosis, diagnose_run
from rnnkit.runs.run_folder import RunFolder

COLUMNS: Mapping[str, Sequence[str]] = {
    "gradient": ("epoch", "series", "lag", "norm"),
    "decay": ("epoch", "series", "factor", "fit", "vanishes", "explodes"),
    "gates": ("epoch", "series", "gate", "radius", "largest", "gain", "mean"),
    "units": ("epoch", "series", "activation"),
    "verdicts": ("name", "sentence", "options", "weight"),
}
"""Frame -> its columns; `units` has further ones by cell."""


def frames(run: str | Path) -> dict[str, pandas.DataFrame]:
    """The diagnosis of a run as frames by name.

    gradient   epoch, series, lag (steps), norm of the gradient of the state
    decay      epoch, series, factor per step, fit (fraction of the variance that a straight line
               explains in the logarithm), lags at which the gradient vanishes and explodes
    gates      epoch, series, gate, spectral radius and largest singular value of W_hh, gain of its
               Jacobian, mean activation
    units      epoch, series, largest activation, and what the cell has: memory and longest (steps),
               saturated and dead (fractions)
    verdicts   name, sentence, options to try, weight

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
    rows["verdicts"] = [
        {key: verdict[key] for key in COLUMNS["verdicts"]} for verdict in diagnosis.verdicts
    ]
    return {
        name: pandas.DataFrame(rows[name], columns=None if rows[name] else list(columns))
        for name, columns in COLUMNS.items()
    }


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Numbers of the journal, which has infinity as a word."""
    return {key: float(value) for key, value in values.items()}
