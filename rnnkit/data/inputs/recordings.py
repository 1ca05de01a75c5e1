"""Recordings as inputs: features per frame."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from rnnkit.data.inputs.interface import Feed
from rnnkit.data.inputs.numbers import Frames
from rnnkit.data.prepare.audio import all_features, sizes, with_features
from rnnkit.data.prepare.part import Flat
from rnnkit.data.prepare.scale import fit_frames
from rnnkit.data.prepare.split import Rows
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.sources.audio import MAX_SAMPLE, recording
from rnnkit.errors import InputError, Note
from rnnkit.params.data import MFCC, Data
from rnnkit.params.source import Source

if TYPE_CHECKING:
    import pandas as pd


def samples_of(value: Any) -> np.ndarray | None:
    """float32 [samples]; None if the value is not a list of samples."""
    try:
        array = np.asarray(value)
    except ValueError:  # lists of unequal lengths
        return None
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        return None
    with np.errstate(over="ignore"):  # overflow gives infinity, rejected below
        samples = array.astype(np.float32)
    return samples if (np.abs(samples) <= MAX_SAMPLE).all() else None  # also for NaN


@dataclass(frozen=True, eq=False)
class Recordings(Frames):
    """Items are the samples of recordings, -1 to 1.

    Args:
        rate: samples per second.
        mfcc: params of the features.
    """

    column: ClassVar[str] = "samples"
    is_text: ClassVar[bool] = True
    file_ending: ClassVar[str | None] = ".wav"
    example: ClassVar[str] = " (of a stream a list of samples, as [0.01, -0.02])"
    counted: ClassVar[str | None] = "frames"

    rate: int
    mfcc: MFCC

    def item(self, value: Any, where: str) -> np.ndarray:
        """Samples of a WAV file's path or of a list."""
        if isinstance(value, str):
            samples, rate, channels = recording(value, self.rate)
            mixed = [f"its {channels} channels were mixed to one"] * (channels > 1)
            resampled = [f"resampled from {rate:,} to {self.rate:,} Hz"] * (rate != self.rate)
            if changes := mixed + resampled:
                warnings.warn(f"{value}: {', '.join(changes)}", Note, stacklevel=2)
            return samples
        listed = samples_of(value)
        if listed is None or not len(listed):
            raise InputError(
                f"{where}: must be the path of a WAV file, or a list of its samples between -1 "
                f"and 1, {self.rate:,} per second"
            )
        return listed

    def encode(self, items: Sequence[np.ndarray]) -> Flat:
        """Encode samples, or features [frames, features] computed before."""
        computed = items if items[0].ndim == 2 else all_features(list(items), self.rate, self.mfcc)
        flat = np.concatenate(computed)
        if self.scaling is not None:
            flat = self.scaling.transform(flat)
        return flat.astype(np.float32), np.array([len(item) for item in computed], dtype=np.int64)

    def feed(self) -> Feed:
        if self.mfcc.normalize == "per_utterance" or self.mfcc.deltas:
            raise InputError(
                "features that are scaled by their recording, and slopes, need frames that are "
                "still to come; predict whole recordings, or train with data.features: "
                "{normalize: none, deltas: 0}"
            )
        return _Framer(self)

    def keys(self, source: Source) -> list[str]:
        return [getattr(source, "audio", "audio")]

    @classmethod
    def fit(cls, frame: pd.DataFrame, rows: Rows, data: Data) -> tuple[Self, pd.DataFrame]:
        """Fit on the training rows; also return the frame with features instead of samples."""
        frame = with_features(frame, data, rows)
        scaling = None
        if data.features.normalize == "none":
            scaling = fit_frames(data, frame, frame[cls.column].iloc[rows["train"]].tolist())
        width = len(frame.attrs["columns"])
        return cls(width, scaling, frame.attrs["rate"], data.features), frame

    @classmethod
    def load(cls, stored: Stored, data: Data) -> Self:
        """Load from the fields of `stored`."""
        return cls(stored.features, stored.scaler, int(stored.facts["rate"]), data.features)


class _Framer:
    """Stream encoder: collects samples and returns the features of complete frames."""

    def __init__(self, inputs: Recordings) -> None:
        self._inputs = inputs
        self._waiting = np.empty(0, dtype=np.float32)
        self._skip = 0  # samples to drop between two frames

    def __call__(self, value: Any, where: str) -> np.ndarray:
        inputs = self._inputs
        samples = samples_of(value)
        if samples is None:
            raise InputError(
                f"{where}: must be a list of a recording's samples, finite numbers between -1 and "
                f"1, {inputs.rate:,} per second, got {str(value)[:40]}"
            )
        transform, _, hop = sizes(inputs.rate, inputs.mfcc)
        self._waiting = np.concatenate([self._waiting, samples[self._skip :]])
        self._skip = max(0, self._skip - len(samples))
        frames = (len(self._waiting) - transform) // hop + 1
        if frames <= 0:
            return np.empty((0, inputs.width), dtype=np.float32)
        whole = self._waiting[: (frames - 1) * hop + transform]
        self._skip = max(0, frames * hop - len(self._waiting))
        self._waiting = self._waiting[frames * hop :]
        return inputs.encode([whole])[0]
