"""`spelled_digits`: the 64 pixels of a handwritten digit -> its English word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.data.sources import digits
from rnnkit.params.source import Builtin
from rnnkit.runtime.files import sha256_json

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTION = (
    "captioning: a handwritten digit, 64 pixels between 0 and 1 -> the word that names it; "
    "1,797 images"
)
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def fingerprint(params: Builtin) -> str:
    """SHA-256 of the digits' file and of the words."""
    return sha256_json([digits.fingerprint(params), WORDS])


def read(params: Builtin) -> pd.DataFrame:
    """Columns vector (float [64 pixels], 0 to 1) and target (a list with the word)."""
    import pandas as pd

    images = digits.read(params)
    pixels = [image.reshape(-1) for image in images["frames"]]
    words = [[WORDS[int(label)]] for label in images["label"]]
    frame = pd.DataFrame({"vector": pixels, "target": words})
    frame.attrs = {
        "columns": tuple(f"pixel {k + 1}" for k in range(len(pixels[0]))),
        "targets": ("word",),
    }
    return frame
