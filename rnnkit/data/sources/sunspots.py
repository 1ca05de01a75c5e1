"""`sunspots`: yearly sunspot numbers from 1700 on, from the CSV inside statsmodels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.data.sources import installed
from rnnkit.params.source import Builtin

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTION = "forecasting: sunspot numbers, yearly, 1700 to 2008 (309 rows)"
PARTS = ("statsmodels", "datasets", "sunspots", "sunspots.csv")


def fingerprint(params: Builtin) -> str:
    """SHA-256 of the CSV."""
    return installed.fingerprint(installed.data_file(*PARTS))


def read(params: Builtin) -> pd.DataFrame:
    """Columns time (the year's first day) and sunspots (count)."""
    import pandas as pd

    raw = pd.read_csv(installed.data_file(*PARTS))
    years = pd.to_datetime(raw["YEAR"].astype(int).astype(str), format="%Y")
    return pd.DataFrame({"time": years, "sunspots": raw["SUNACTIVITY"].astype("float64")})
