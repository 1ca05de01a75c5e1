"""Recordings as inputs: features per frame."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from rnnkit.data.inputs.interface import Feed
from rnnkit.data.inputs.numbers import Frames
from rnnkit.data.prepare.audio import all_features, names, sizes
from rnnkit.data.prepare.encoded_split import Flat
from rnnkit.data.prepare.scale import fit_frames
from rnnkit.data.prepare.split import Rows
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.sources.wav import MAX_SAMPLE, recording
from rnnkit.errors import InputError, Note
from rnnkit.params.data import MFCC, Data
from rnnkit.params.source import Source


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
    """Items are the samples of recordings, -1 to 1; their frames are computed.

    Args:
        rate: samples per second.
        mfcc: params of the features. Features that are normalized per recording have no scaler.
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
        samples = items[0].ndim == 1
        return super().encode(all_features(list(items), self.rate, self.mfcc) if samples else items)

    def feed(self) -> Feed:
        """Encoder that collects samples and returns the features of complete frames."""
        if self.mfcc.normalize == "per_utterance" or self.mfcc.deltas:
            raise InputError(
                "features that are scaled by their recording, and slopes, need frames that are "
                "still to come; predict whole recordings, or train with data.features: "
                "{normalize: none, deltas: 0}"
            )
        transform, _, hop = sizes(self.rate, self.mfcc)
        waiting, skip = np.empty(0, dtype=np.float32), 0  # skip: samples between two frames

        def encode_samples(value: Any, where: str) -> np.ndarray:
            nonlocal waiting, skip
            samples = samples_of(value)
            if samples is None:
                raise InputError(
                    f"{where}: must be a list of a recording's samples, finite numbers between -1 "
                    f"and 1, {self.rate:,} per second, got {str(value)[:40]}"
                )
            waiting = np.concatenate([waiting, samples[skip:]])
            skip = max(0, skip - len(samples))
            frames = (len(waiting) - transform) // hop + 1
            if frames <= 0:
                return np.empty((0, self.width), dtype=np.float32)
            whole = waiting[: (frames - 1) * hop + transform]
            skip = max(0, frames * hop - len(waiting))
            waiting = waiting[frames * hop :]
            return self.encode([whole])[0]

        return encode_samples

    def keys(self, source: Source) -> list[str]:
        return [getattr(source, "audio", "audio")]

    @classmethod
    def fit(cls, frame: pd.DataFrame, rows: Rows, data: Data) -> tuple[Self, pd.DataFrame]:
        """Also returns the frame with features instead of samples; rows of no split have none."""
        rate, used = frame.attrs["rate"], np.sort(np.concatenate(list(rows.values())))
        features = all_features(frame[cls.column].iloc[used].tolist(), rate, data.features)
        frame = frame.assign(samples=pd.Series(features, index=frame.index[used], dtype=object))
        frame.attrs["columns"] = names(data.features)
        scaler = None
        if data.features.normalize == "none":
            scaler = fit_frames(data, frame, frame[cls.column].iloc[rows["train"]].tolist())
        return cls(len(frame.attrs["columns"]), scaler, rate, data.features), frame

    @classmethod
    def load(cls, stored: Stored, data: Data) -> Self:
        width, rate = stored.record["features"], stored.facts["rate"]
        return cls(width, stored.scaler, rate, data.features)
