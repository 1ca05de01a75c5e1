"""A finished run: the network beside its baselines, and the tuned values."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from flows.console.output import out


def number(value: float | None) -> str:
    """A figure as a person reads it.

    >>> number(0.98765), number(639.304), number(None)
    ('0.9877', '639.30', '')
    """
    if value is None:
        return ""
    size = abs(value)
    return format(value, ".4g" if size < 10 else ".3f" if size < 100 else ".2f")


def comparison(title: str, result: Mapping[str, Any]) -> Table:
    """The network against its baselines."""
    names = [n for n in result["shown"] if n in result["test"]]
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in names:
        table.add_column(name, justify="right")
    rows = [(result["network"], result["test"]), *result["baselines"].items()]
    for i, (name, metrics) in enumerate(rows):
        cells = [number(metrics.get(metric)) for metric in names]
        table.add_row(name, *cells, style="bold" if i == 0 else None)
    return table


def print_result(run_id: str, result: Mapping[str, Any]) -> None:
    """The table of the model against its baselines, and the tuned values."""
    out.print(comparison(f"{run_id}: test split", result))
    out.print(result["verdict"], markup=False)
    if training := result.get("training"):
        out.print(training, markup=False)
    for what, how in {**result.get("start", {}), **result.get("counted", {})}.items():
        out.print(f"{what}: {how}", markup=False)
    if result["tuned"]:
        values = ", ".join(
            f"{k} = {number(v) if isinstance(v, float) else v}" for k, v in result["tuned"].items()
        )
        trials = ", ".join(f"{n} {state}" for state, n in result["trials"].items() if n)
        out.print(f"Tuned: {values} ({trials} trials).", markup=False)
    for sentence in result.get("advice", ()):
        out.print(f"  {sentence}.", markup=False)
