"""`rnnkit runs`: what has been run."""

import json
from typing import Any

from flows.cli.options import MLRUNS, Home, Json, short
from flows.cli.run_lookup import begun
from rnnkit.errors import InputError


def runs(mlruns: Home = MLRUNS, as_json: Json = False) -> None:
    """List the runs, newest last."""
    from flows import settings as places

    settings = places.read(mlruns)
    rows = [_row(folder) for folder in begun(settings)]
    if as_json:
        print(json.dumps(rows))
        return
    if not rows:
        print(
            f"no runs in {settings.runs} yet; begin with: rnnkit new demo && rnnkit run demo.yaml"
        )
        return
    from rich.table import Column, Table

    from flows.console import number, out

    lines = [("run", "result", "baseline", "network")]
    for row in rows:
        result = row["status"]
        if row["value"] is not None:
            result = f"{row['metric']} {number(row['value'])}"
        lines.append((row["run"], result, number(row["baseline"]), row["network"]))
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)][:-1]
    kept = [Column(name, min_width=w) for name, w in zip(lines[0], widths, strict=False)]
    table = Table(*kept, Column("network", no_wrap=True))
    for line in lines[1:]:
        table.add_row(*line)
    out.print(table)
    print(f"Each run's folder is {short(settings.runs)}/RUN.")


def _row(folder: Any) -> dict[str, Any]:
    from rnnkit.params import load

    row: dict[str, Any] = {"run": folder.id, "status": folder.status, "network": ""}
    row |= {"metric": "", "value": None, "baseline": None, "folder": str(short(folder.path))}
    if row["status"] == "finished":
        try:
            result, task = folder.result, load(folder.path / "params.yaml").task
            name = result["shown"][0]
        except (InputError, OSError, ValueError, KeyError):  # of another version, or edited
            return row | {"status": "unreadable"}
        best = max if task.metrics[name] == "maximize" else min
        row |= {"network": result["network"], "metric": name, "value": result["test"][name]}
        row["baseline"] = best(m[name] for m in result["baselines"].values() if name in m)
    return row
