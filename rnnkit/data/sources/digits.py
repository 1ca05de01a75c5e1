"""`digits`: scikit-learn's handwritten digits, as sequences of 8 rows of 8 pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.data.sources import installed
from rnnkit.params.source import Builtin

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTION = (
    "classification: handwritten digits, 8 rows of 8 pixels between 0 and 1 -> the digit; "
    "1,797 images"
)
PARTS = ("sklearn", "datasets", "data", "digits.csv.gz")
SIDE = 8  # pixels
MAX_PIXEL = 16  # largest value in the file


def fingerprint(params: Builtin) -> str:
    """SHA-256 of the compressed CSV."""
    return installed.fingerprint(installed.data_file(*PARTS))


def read(params: Builtin) -> pd.DataFrame:
    """Columns frames (float32 [8 rows, 8 pixels], 0 to 1) and label (the digit as text)."""
    import numpy as np
    import pandas as pd

    raw = np.loadtxt(installed.data_file(*PARTS), delimiter=",")
    images = (raw[:, :-1] / MAX_PIXEL).astype(np.float32).reshape(-1, SIDE, SIDE)
    return pd.DataFrame({"frames": list(images), "label": raw[:, -1].astype(int).astype(str)})
