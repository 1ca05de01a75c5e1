"""`generated`: number of sequences per split; the task generates them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.params.source import Generated
from rnnkit.runtime.files import sha256_json

if TYPE_CHECKING:
    import pandas as pd


def fingerprint(params: Generated) -> str:
    """SHA-256 of the params: there is no file."""
    return sha256_json(params.model_dump(mode="json"))


def read(params: Generated, part: str | None) -> pd.DataFrame:
    """The column part, one row per sequence."""
    import pandas as pd

    counts = {"train": params.train, "valid": params.valid, "test": params.test}
    return pd.DataFrame({"part": [name for name, count in counts.items() for _ in range(count)]})
