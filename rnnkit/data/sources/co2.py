"""`co2`: weekly CO2 over Mauna Loa, from the CSV inside statsmodels.

59 missing weeks are interpolated linearly in time; the frame's `notes` report it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.data.sources import installed
from rnnkit.params.source import Builtin

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTION = (
    "forecasting: CO2 over Mauna Loa, weekly, 1958 to 2001 (2,284 rows; 59 missing ones are "
    "interpolated in time)"
)
PARTS = ("statsmodels", "datasets", "co2", "co2.csv")


def fingerprint(params: Builtin) -> str:
    """SHA-256 of the CSV."""
    return installed.fingerprint(installed.data_file(*PARTS))


def read(params: Builtin) -> pd.DataFrame:
    """Columns time and co2 (parts per million)."""
    import pandas as pd

    raw = pd.read_csv(installed.data_file(*PARTS), dtype={"date": str})
    times = pd.to_datetime(raw["date"], format="%Y%m%d")
    values = raw["co2"].set_axis(pd.DatetimeIndex(times))
    missing = int(values.isna().sum())
    frame = pd.DataFrame({"time": times, "co2": values.interpolate("time").to_numpy()})
    frame.attrs["notes"] = [f"{missing} missing values were interpolated linearly in time"]
    return frame
