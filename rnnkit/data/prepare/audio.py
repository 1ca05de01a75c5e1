"""What is heard of a recording: mel-frequency cepstral coefficients, frame by frame."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from rnnkit.params.data import MFCC, Data
from rnnkit.runtime.process_pool import spread

if TYPE_CHECKING:
    import pandas as pd

QUIET = 1e-10
"""Energies are no less than this before the logarithm is taken: silence is about -23."""
LEAST = 1e-5
"""Deviations within a recording are no less than this."""
SPREAD = 120.0
"""Seconds of sound from which on processes share the work: they take a second or two to start."""
SLOPE = 9
"""Frames that a slope is taken over."""


def with_features(frame: pd.DataFrame, data: Data, rows: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """The frame with features, float32 [frames, features], in the place of samples.

    Args:
        frame: recordings at `attrs["rate"]`.
        data: the params' block.
        rows: of each split; others have no features.
    """
    import pandas as pd

    used = np.sort(np.concatenate(list(rows.values())))
    rate, samples = frame.attrs["rate"], frame["samples"].iloc[used].tolist()
    features = all_features(samples, rate, data.features)
    column = pd.Series(features, index=frame.index[used], dtype=object)
    found = frame.drop(columns="samples")
    found["samples"] = column
    found.attrs = {**frame.attrs, "columns": names(data.features)}
    return found


def names(params: MFCC) -> tuple[str, ...]:
    """The features' names."""
    each = [f"mfcc {k + 1}" for k in range(params.coefficients)]
    return tuple(
        f"{'slope of ' * order}{name}" for order in range(params.deltas + 1) for name in each
    )


def all_features(samples: list[np.ndarray], rate: int, params: MFCC) -> list[np.ndarray]:
    """`features` of all recordings, over as many processes as there are cores."""
    seconds = sum(map(len, samples)) / rate
    processes = os.cpu_count() or 1 if seconds > SPREAD else 1
    size = math.ceil(len(samples) / (4 * processes))
    chunks = [samples[k : k + size] for k in range(0, len(samples), size)]
    found = spread(functools.partial(_several, rate=rate, params=params), chunks, processes)
    return [frames for chunk in found for frames in chunk]


def _several(samples: list[np.ndarray], rate: int, params: MFCC) -> list[np.ndarray]:
    return [features(item, rate, params) for item in samples]


def sizes(rate: int, params: MFCC) -> tuple[int, int, int]:
    """Samples of a transform (a power of 2), of the window inside it, and from frame to frame."""
    window = max(1, round(params.window * rate / 1000))
    return 1 << (window - 1).bit_length(), window, max(1, round(params.hop * rate / 1000))


def features(samples: np.ndarray, rate: int, params: MFCC) -> np.ndarray:
    """The coefficients of every frame, and their slopes.

    A frame hears samples of the recording alone; one that is shorter than a frame gets silence
    behind it.

    Args:
        samples: [samples] -1 to 1.
        rate: per second.
        params: what is kept.

    Returns: float32 [frames, coefficients · (1 + deltas)].

    Reference: S. Davis, P. Mermelstein, Comparison of parametric representations for monosyllabic
    word recognition in continuously spoken sentences, 1980; slopes: S. Furui, 1986.
    """
    import librosa

    transform, window, hop = sizes(rate, params)
    if len(samples) < transform:
        samples = np.pad(samples, (0, transform - len(samples)))
    energies = librosa.feature.melspectrogram(
        y=samples,
        sr=rate,
        n_fft=transform,
        win_length=window,
        hop_length=hop,
        n_mels=params.bands,
        center=False,
    )
    logarithms = np.log(np.maximum(energies, QUIET), dtype=np.float64)
    kept = librosa.feature.mfcc(S=logarithms, n_mfcc=params.coefficients)
    orders = [kept]
    for _ in range(params.deltas):
        orders.append(librosa.feature.delta(orders[-1], width=SLOPE, mode="nearest"))
    found = np.concatenate(orders).T
    if params.normalize == "per_utterance":
        found = (found - found.mean(axis=0)) / np.maximum(found.std(axis=0), LEAST)
    return found.astype(np.float32)
