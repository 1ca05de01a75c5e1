"""A finished run: the network beside its baselines, and the tuned values."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.measure import Measurement
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
    """The network against its baselines: a row each, or where the metrics are too many for the
    terminal's width a column each."""
    names = [n for n in result["shown"] if n in result["test"]]
    models = [(result["network"], result["test"]), *result["baselines"].items()]
    rows = [[model, *(number(metrics.get(n)) for n in names)] for model, metrics in models]
    by_model = _table(title, ["", *names], rows)
    unlimited = out.options.update(max_width=1_000)
    if Measurement.get(out, unlimited, by_model).maximum <= out.width:
        by_model.rows[0].style = "bold"
        return by_model
    columns = [*zip(["", *names], *rows, strict=True)]
    by_metric = _table(title, columns[0], columns[1:])
    by_metric.columns[1].style = "bold"
    return by_metric


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(header[0], no_wrap=True)
    for name in header[1:]:
        table.add_column(name, justify="right", overflow="fold")
    for row in rows:
        table.add_row(*row)
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
    print_verdicts(result.get("verdicts", ()))


def print_verdicts(verdicts: Sequence[Mapping[str, Any]]) -> None:
    """Why a network learns or does not, a line each.

    Args:
        verdicts: as in result.json.
    """
    for verdict in verdicts:
        out.print(f"Diagnosis: {verdict['text']}", markup=False)
