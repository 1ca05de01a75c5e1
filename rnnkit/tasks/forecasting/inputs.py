"""Inputs of forecasting: windows of a series, in its own scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rnnkit.data.inputs import Inputs
from rnnkit.data.inputs.numbers import refuse_infinite, table_of
from rnnkit.data.prepare.encoded_split import Flat
from rnnkit.data.prepare.scale import Scaler, refuse_negative
from rnnkit.errors import InputError
from rnnkit.tasks.forecasting.ahead import DatedWindow


@dataclass(frozen=True, eq=False)
class Windows(Inputs):
    """An array [window, columns] in the series' units is an item, of several series a pair (name,
    array), or a `DatedWindow`. With covariates known ahead the array is [window + horizon,
    columns], and what cannot be known of the last rows may be anything.

    Args:
        scaler: of all columns, of each series its own.
        window: rows of the past.
        horizon: rows that are forecast.
    """

    column: ClassVar[str] = "window"

    tokenizer = None
    scaler: Scaler
    window: int
    horizon: int

    @property
    def features(self) -> int:
        """The columns, and if some are known ahead the feature that tells window from horizon."""
        return len(self.scaler.columns) + (1 if self.scaler.known else 0)

    def series(self, value: Any, where: str) -> int:
        """The index of an input's series; raises InputError if there is no such series."""
        (name, _), names = self._named(value), self.scaler.series
        if name not in names:
            raise InputError(
                f"{where}: must be a pair of a series' name and its window, and there "
                f"is no series {name!r}; the series are {', '.join(names[:5])}"
                + (", …" if len(names) > 5 else "")
            )
        return names.index(name)

    def item(self, value: Any, where: str) -> np.ndarray:
        """Scaled, [window or window + horizon, columns]."""
        scaler, series = self.scaler, self.series(value, where)
        array = table_of(self._named(value)[1], where, len(scaler.columns))
        needed = self.window + (self.horizon if scaler.known else 0)
        if len(array) != needed:
            raise InputError(
                f"{where}: must have {needed} steps, the window"
                f"{' and the horizon' if scaler.known else ''}, got {len(array)}"
            )
        scaled, past = scaler.transform(array, series), self.window
        refuse_negative(array[:past], scaler, where)
        refuse_infinite(scaled[:past], array[:past], where)
        if scaler.known:
            refuse_infinite(scaled[past:, -scaler.known :], array[past:, -scaler.known :], where)
        return scaled

    def shown(self, value: Any) -> dict[str, Any]:
        """Of a dated window the series, the times of the rows ahead and the columns."""
        return value.shown if isinstance(value, DatedWindow) else {}

    def encode(self, items: Sequence[np.ndarray]) -> Flat:
        with np.errstate(over="ignore"):  # of what cannot be known
            flat = np.concatenate(items).astype(np.float32)
        return flat, np.array([len(item) for item in items], dtype=np.int64)

    def _named(self, value: Any) -> tuple[Any, Any]:
        """The name of a series, empty for a single one, and the window."""
        if isinstance(value, DatedWindow):
            return value.series, value.values
        several = self.scaler.series != ("",)
        pair = several and isinstance(value, list | tuple) and len(value) == 2
        return (value[0], value[1]) if pair else ("", value)
