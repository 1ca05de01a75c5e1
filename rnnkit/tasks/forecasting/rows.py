"""Tables of the rows behind a series: the forecast, and the window that it was made from."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rnnkit.tasks.forecasting.ahead import DatedWindow


def rows_ahead(
    windows: Sequence[DatedWindow], answers: Sequence[Mapping[str, Any]]
) -> pd.DataFrame:
    """A row for each step and column that is forecast: series (of several), time, step (from 1),
    column, forecast, and a column `quantile Q` for each quantile.

    Args:
        windows: what was read.
        answers: of the predictor, in their order.
    """
    pieces = []
    for window, answer in zip(windows, answers, strict=True):
        forecasts = {"forecast": answer["forecast"]}
        quantiles = answer.get("quantiles", {}).items()
        forecasts |= {f"quantile {level}": values for level, values in quantiles}
        steps = pd.Series(range(1, len(window.ahead) + 1))
        for k, target in enumerate(window.targets):
            numbers = {name: [row[k] for row in values] for name, values in forecasts.items()}
            piece = pd.DataFrame({"time": window.ahead, "step": steps, "column": target, **numbers})
            pieces.append(_of_series(piece, window))
    return pd.concat(pieces, ignore_index=True)


def rows_before(windows: Sequence[DatedWindow]) -> pd.DataFrame:
    """A row for each row of a window and column that is forecast: series (of several), time,
    column, value."""
    pieces = []
    for window in windows:
        for name, values in zip(window.targets, window.target_values.T, strict=True):
            piece = pd.DataFrame({"time": window.past, "column": name, "value": values})
            pieces.append(_of_series(piece, window))
    return pd.concat(pieces, ignore_index=True)


def _of_series(piece: pd.DataFrame, window: DatedWindow) -> pd.DataFrame:
    if window.series:
        piece.insert(0, "series", window.series)
    return piece
