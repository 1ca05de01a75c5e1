"""Files for the readers of sources, and their tables."""

import gzip
from pathlib import Path

import pandas as pd

from rnnkit.data import sources
from rnnkit.params import source as params
from rnnkit.params.data import Fractions


def read(source: params.Source) -> pd.DataFrame:
    return sources.read(source, Fractions())


def write(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return str(path)
