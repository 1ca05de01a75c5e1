"""`touch_tones`: telephone key tones in noise -> the keys.

A key is a pair of simultaneous tones for its row and column (ITU-T Recommendation Q.23), of 60 to
120 ms with pauses of 40 to 120 ms. Levels, offset and noise vary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.runtime.files import sha256_json

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

RATE = 8_000  # samples per second
KEYS = ("123A", "456B", "789C", "*0#D")
ROWS = (697, 770, 852, 941)  # Hz
COLUMNS = (1209, 1336, 1477, 1633)  # Hz
ITEMS, MIN_KEYS, MAX_KEYS = 2_000, 3, 8
VERSION = 1  # raise it when the recordings change


def fingerprint() -> str:
    """SHA-256 of the constants that define the recordings."""
    return sha256_json([VERSION, ITEMS, MIN_KEYS, MAX_KEYS, RATE, KEYS, ROWS, COLUMNS])


def read() -> pd.DataFrame:
    """Columns samples (float32 [samples], at 8,000 Hz), text (the keys) and name."""
    import pandas as pd

    recordings = [recording(item) for item in range(ITEMS)]
    samples = [samples for samples, _ in recordings]
    frame = pd.DataFrame({"samples": pd.Series(samples, dtype=object)})
    frame["text"] = [keys for _, keys in recordings]
    frame["name"] = [f"recording {item + 1}" for item in range(ITEMS)]
    frame.attrs = {"rate": RATE}
    return frame


def recording(item: int) -> tuple[np.ndarray, str]:
    """Samples and keys of one recording; deterministic."""
    import numpy as np
    import torch

    from rnnkit.runtime import numerics

    draw = numerics.generator("touch_tones", VERSION, item)

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=draw, dtype=torch.float64))

    pieces, keys = [np.zeros(int(uniform(0.02, 0.15) * RATE))], ""
    for _ in range(int(uniform(MIN_KEYS, MAX_KEYS + 1))):
        row, column = int(uniform(0, 4)), int(uniform(0, 4))
        time = np.arange(int(uniform(0.06, 0.12) * RATE)) / RATE
        tone = uniform(0.3, 1) * np.sin(2 * np.pi * (ROWS[row] * time + uniform(0, 1)))
        tone += uniform(0.3, 1) * np.sin(2 * np.pi * (COLUMNS[column] * time + uniform(0, 1)))
        pieces += [tone, np.zeros(int(uniform(0.04, 0.12) * RATE))]
        keys += KEYS[row][column]
    clean = np.concatenate(pieces)
    noise = torch.randn(len(clean), generator=draw, dtype=torch.float64).numpy()
    loud: np.ndarray = (clean + uniform(0.02, 0.3) * noise) / 3
    return loud.astype(np.float32), keys
