"""Features of recordings: mel-frequency cepstral coefficients per frame."""

from __future__ import annotations

import functools
import os

import numpy as np

from rnnkit.params.data import MFCC
from rnnkit.runtime.process_pool import map_in_processes

MIN_ENERGY = 1e-10
"""Lower bound of energies before the logarithm: silence is about -23."""
MIN_STANDARD_DEVIATION = 1e-5
"""Lower bound within a recording."""
PARALLEL_SECONDS = 120.0
"""Seconds of sound from which on to use several processes, which take 1 to 2 s to start."""
SLOPE_FRAMES = 9
"""Frames per slope."""


def names(params: MFCC) -> tuple[str, ...]:
    """Names of the features."""
    mfcc = [f"mfcc {k + 1}" for k in range(params.coefficients)]
    orders = range(params.deltas + 1)
    return tuple(f"{'slope of ' * order}{name}" for order in orders for name in mfcc)


def all_features(samples: list[np.ndarray], rate: int, params: MFCC) -> list[np.ndarray]:
    """`features` of all recordings, in parallel if there is much sound."""
    seconds = sum(map(len, samples)) / rate
    processes = os.cpu_count() or 1 if seconds > PARALLEL_SECONDS else 1
    return map_in_processes(
        functools.partial(features, rate=rate, params=params), samples, processes
    )


def sizes(rate: int, params: MFCC) -> tuple[int, int, int]:
    """Sizes of the transform (a power of 2), the window and the hop, in samples."""
    window = max(1, round(params.window * rate / 1000))
    return 1 << (window - 1).bit_length(), window, max(1, round(params.hop * rate / 1000))


def features(samples: np.ndarray, rate: int, params: MFCC) -> np.ndarray:
    """Coefficients of every frame, and their slopes.

    Frames do not extend beyond the recording; a recording shorter than a frame is zero-padded.

    Args:
        samples: [samples] -1 to 1.
        rate: samples per second.
        params: of the features.

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
    logarithms = np.log(np.maximum(energies, MIN_ENERGY), dtype=np.float64)
    orders = [librosa.feature.mfcc(S=logarithms, n_mfcc=params.coefficients)]
    for _ in range(params.deltas):
        orders.append(librosa.feature.delta(orders[-1], width=SLOPE_FRAMES, mode="nearest"))
    table = np.concatenate(orders).T
    if params.normalize == "per_utterance":
        deviation = np.maximum(table.std(axis=0), MIN_STANDARD_DEVIATION)
        table = (table - table.mean(axis=0)) / deviation
    return table.astype(np.float32)
