"""Data that ship with Python or an installed package, or that are drawn by rule."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rnnkit.data.sources import dates, touch_tones
from rnnkit.data.sources import standard_library as library
from rnnkit.data.sources.table import FILLED
from rnnkit.errors import InputError
from rnnkit.runtime.files import sha256_file, sha256_json

if TYPE_CHECKING:
    import pandas as pd

FILES = {
    "sunspots": ("statsmodels", "datasets/sunspots/sunspots.csv"),
    "co2": ("statsmodels", "datasets/co2/co2.csv"),
    "digits": ("sklearn", "datasets/data/digits.csv.gz"),
}
SIDE = 8  # pixels of a digit
MAX_PIXEL = 16  # largest value in the file
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class BuiltinSet(NamedTuple):
    """One set. `fingerprint`: SHA-256 of the bytes or rules that decide it, without torch and
    pandas."""

    description: str
    fingerprint: Callable[[], str]
    read: Callable[[], pd.DataFrame]


def _file(name: str) -> Path:
    """The file of a set in an installed package, without import.

    Raises:
        InputError: the package or the file is missing.
    """
    package, inside = FILES[name]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"{package}: the package is needed for its data, but it is not installed; "
            f"run `pip install {package}`"
        )
    path = Path(spec.submodule_search_locations[0]) / inside
    if not path.is_file():
        raise InputError(
            f"{path}: this data file of {package} is needed, but it is not there; "
            f"install the version of {package} that constraints.txt names"
        )
    return path


def _sunspots() -> pd.DataFrame:
    """Columns time (the year's first day) and sunspots (count)."""
    import pandas as pd

    raw = pd.read_csv(_file("sunspots"))
    years = pd.to_datetime(raw["YEAR"].astype(int).astype(str), format="%Y")
    return pd.DataFrame({"time": years, "sunspots": raw["SUNACTIVITY"].astype("float64")})


def _co2() -> pd.DataFrame:
    """Columns time and co2 (parts per million)."""
    import pandas as pd

    raw = pd.read_csv(_file("co2"), dtype={"date": str})
    times = pd.to_datetime(raw["date"], format="%Y%m%d")
    values = raw["co2"].set_axis(pd.DatetimeIndex(times))
    missing = values.isna().to_numpy()
    frame = pd.DataFrame({"time": times, "co2": values.interpolate("time").to_numpy()})
    frame[f"{FILLED}co2"] = missing
    frame.attrs["notes"] = [f"{missing.sum()} missing values were interpolated linearly in time"]
    return frame


def _digits() -> pd.DataFrame:
    """Columns frames (float32 [8 rows, 8 pixels], 0 to 1) and label (the digit as text)."""
    import numpy as np
    import pandas as pd

    raw = np.loadtxt(_file("digits"), delimiter=",")
    images = (raw[:, :-1] / MAX_PIXEL).astype(np.float32).reshape(-1, SIDE, SIDE)
    return pd.DataFrame({"frames": list(images), "label": raw[:, -1].astype(int).astype(str)})


def _spelled_digits() -> pd.DataFrame:
    """Columns vector (float [64 pixels], 0 to 1) and target (a list with the word)."""
    import pandas as pd

    images = _digits()
    pixels = [image.reshape(-1) for image in images["frames"]]
    words = [[WORDS[int(label)]] for label in images["label"]]
    frame = pd.DataFrame({"vector": pixels, "target": words})
    columns = tuple(f"pixel {k + 1}" for k in range(SIDE * SIDE))
    frame.attrs = {"columns": columns, "targets": ("word",)}
    return frame


BUILTINS: Mapping[str, BuiltinSet] = {
    "python_tokens": BuiltinSet(
        "tagging: characters of the standard library's source -> class of their token; "
        "about 1 MB of its top-level modules, grouped by file",
        lambda: library.fingerprint(library.token_files()),
        library.read_tokens,
    ),
    "python_docstrings": BuiltinSet(
        "classification: the summary of a docstring of the standard library -> its module, one of "
        "20; about 3,000 texts",
        lambda: library.fingerprint([path for _, path in library.docstring_files()]),
        library.read_docstrings,
    ),
    "python_docs": BuiltinSet(
        "language modelling: the language reference of Python in English, about 0.5 MB; one item "
        "is one topic; its size differs between Python versions",
        lambda: library.fingerprint([library.TOPICS]),
        library.read_docs,
    ),
    "sunspots": BuiltinSet(
        "forecasting: sunspot numbers, yearly, 1700 to 2008 (309 rows)",
        lambda: sha256_file(_file("sunspots")),
        _sunspots,
    ),
    "co2": BuiltinSet(
        "forecasting: CO2 over Mauna Loa, weekly, 1958 to 2001 (2,284 rows; 59 missing ones are "
        "interpolated in time)",
        lambda: sha256_file(_file("co2")),
        _co2,
    ),
    "digits": BuiltinSet(
        "classification: handwritten digits, 8 rows of 8 pixels between 0 and 1 -> the digit; "
        "1,797 images",
        lambda: sha256_file(_file("digits")),
        _digits,
    ),
    "dates": BuiltinSet(
        "translation: a date as people write it -> ISO 8601; 21,915 days",
        lambda: sha256_json(dates.pairs()),
        dates.read,
    ),
    "spelled_digits": BuiltinSet(
        "captioning: a handwritten digit, 64 pixels between 0 and 1 -> the word that names it; "
        "1,797 images",
        lambda: sha256_json([sha256_file(_file("digits")), WORDS]),
        _spelled_digits,
    ),
    "touch_tones": BuiltinSet(
        "transcription: 3 to 8 keys of a telephone as tones in noise -> the keys; 2,000 recordings "
        "of about a second",
        touch_tones.fingerprint,
        touch_tones.read,
    ),
}
