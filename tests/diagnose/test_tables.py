"""Frames of what was measured of a trained network, and of the clip report."""

import pandas

from rnnkit.diagnose.diagnosis import Diagnosis
from rnnkit.diagnose.tables import COLUMNS, frames_of

MEASURED = {
    "memory_span": {"lags": (0, 1), "excess": (0.5, 0.1), "error": (0.1, 0.02), "span": 1},
    "dependence": {"lags": (0, 1, 2), "values": (0.9, 0.5, 0.0), "reach": 1},
    "fit": {
        "classes": {"a": {"truth": 3, "predicted": 5}, "b": {"truth": 2, "predicted": 0}},
        "calibration": {
            "bins": [{"from": 0.9, "to": 1.0, "items": 5, "confidence": 0.95, "accuracy": 0.6}]
        },
    },
    "linear_probe": {"layers": {"inputs": 0.3, "layer0": 0.9}},
    "neighbours": {
        "tokens": [
            {
                "token": "a",
                "count": 9,
                "nearest": [{"token": "b", "cosine": 0.5}, {"token": "c", "cosine": 0.25}],
            }
        ]
    },
}
CLIP = {
    "threshold": 5.0,
    "share": 0.25,
    "scale": 0.9,
    "largest": 8.0,
    "refused": 0,
    "suggested": 4.0,
    "percentiles": {"50": 2.0, "90": 4.5},
    "spikes": [],
    "range": {"low": 1.0, "high": 7.0},
}


def rows(frame: pandas.DataFrame) -> list[tuple[object, ...]]:
    return [*frame.itertuples(index=False, name=None)]


def test_what_was_measured_is_in_frames() -> None:
    frames = frames_of(Diagnosis("a", (), (), MEASURED, CLIP))
    assert rows(frames["memory_span"]) == [(0, 0.5, 0.1), (1, 0.1, 0.02)]
    assert rows(frames["dependence"]) == [(0, 0.9), (1, 0.5), (2, 0.0)]
    assert rows(frames["classes"]) == [("a", 3, 5), ("b", 2, 0)]
    assert rows(frames["calibration"]) == [(0.9, 1.0, 5, 0.95, 0.6)]
    assert rows(frames["linear_probe"]) == [("inputs", 0.3), ("layer0", 0.9)]
    assert rows(frames["neighbours"]) == [("a", 9, "b", 0.5), ("a", 9, "c", 0.25)]
    assert rows(frames["clip"]) == [(5.0, 0.25, 0.9, 8.0, 0, 4.0, 2.0, 4.5)]
    assert list(frames["clip"])[-2:] == ["norm_50", "norm_90"]


def test_frames_of_nothing_have_their_columns() -> None:
    frames = frames_of(Diagnosis("a", (), ()))
    assert {name: tuple(frame) for name, frame in frames.items()} == dict(COLUMNS)
    assert all(frame.empty for frame in frames.values())
