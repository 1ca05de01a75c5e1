"""Answers of translation and transcription models step by step."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sequence_runs import experiment_of, pairs, recorded, run

from rnnkit.data.prepare.audio import sizes
from rnnkit.data.sources import read, touch_tones
from rnnkit.errors import InputError
from rnnkit.inference import input_lines as lines
from rnnkit.inference.predict import Predictor
from rnnkit.inference.stream import Stream


def test_a_stream_of_words_has_the_translation_so_far(tmp_path: Path) -> None:
    for readout in ("last", "mean", "max"):
        (tmp_path / readout).mkdir()
        it = experiment_of("translation", pairs(tmp_path), model={"readout": readout})
        predictor = run(tmp_path / readout, it)
        stream, seen = Stream(predictor), list[str]()
        for word in ("ab", "gh", "cd"):
            seen.append(word)
            answer = stream.step(word)
            (whole,) = predictor([" ".join(seen)])
            assert answer["text"] == whole["text"]
            assert answer["log_probability"] == pytest.approx(whole["log_probability"], abs=1e-5)
        with pytest.raises(InputError, match="step 4: must have at least one token"):
            stream.step("")


def test_a_stream_searches_as_the_whole_does(tmp_path: Path) -> None:
    predictor = run(tmp_path, experiment_of("translation", pairs(tmp_path), beam=3))
    stream, seen = Stream(predictor), list[str]()
    for word in ("ab", "gh", "cd"):
        seen.append(word)
        answer = stream.step(word)
        (whole,) = predictor([" ".join(seen)])
        assert [h["text"] for h in answer["hypotheses"]] == [h["text"] for h in whole["hypotheses"]]


def test_what_is_no_text_is_refused(translator: Predictor, tmp_path: Path) -> None:
    for value in (5, None, ["ab", "cd"]):
        with pytest.raises(InputError, match=r"input 2: must be a text, got "):
            translator(["ab", value])
    plain = run(tmp_path, experiment_of("translation", pairs(tmp_path)))
    with pytest.raises(InputError, match=r"step 1: must be a text, got \['ab'\]"):
        Stream(plain).step(["ab"])


def test_a_stream_of_samples_has_what_was_said_so_far(listener: Predictor) -> None:
    samples, _ = touch_tones.recording(2)
    stream = Stream(listener)
    assert stream.step(samples[:10].tolist()) == {"frames": 0}
    for begin in range(10, len(samples), 777):
        answer = stream.step(samples[begin : begin + 777].tolist())
    (whole,) = listener([samples.tolist()])
    assert answer.pop("frames") == (len(samples) - 256) // 80 + 1
    assert answer["text"] == whole["text"]
    assert answer["log_probability"] == pytest.approx(whole["log_probability"], abs=1e-3)
    line = json.dumps([0.0, 0.1])
    assert list(lines.inputs([line], listener, "x", False, True)) == [("x, line 1", [0.0, 0.1])]


@pytest.mark.parametrize(
    "value",
    [
        [[0.0]],
        ["a"],
        ["0.5"],
        "x.wav",
        [[0.0], [0.0, 0.1]],
        [np.nan, 0.1],
        [1e39, 0.0],
        [10**400],
        None,
    ],
)
def test_what_is_no_step_of_a_recording_is_refused(listener: Predictor, value: Any) -> None:
    stream = Stream(listener)
    message = (
        r"must be a list of a recording's samples, finite numbers between -1 and 1, "
        r"8,000 per second, got "
    )
    with pytest.raises(InputError, match=message):
        stream.step(value)
    assert stream.step([]) == {"frames": 0}  # nothing of it was kept


@pytest.mark.parametrize("size", [1, 100, 256, 257, 800, 1_999, 5_000])
@pytest.mark.parametrize("window", [25.0, 150.0])
def test_samples_between_frames_that_do_not_touch_are_skipped(
    apart: dict[float, Predictor], window: float, size: int
) -> None:
    predictor = apart[window]
    samples, _ = touch_tones.recording(2)
    samples = samples[:6_000]
    stream = Stream(predictor)
    for begin in range(0, len(samples), size):
        answer = stream.step(samples[begin : begin + size].tolist())
    (whole,) = predictor([samples.tolist()])
    transform, _, hop = sizes(8_000, predictor.experiment.data.features)
    assert answer.pop("frames") == (len(samples) - transform) // hop + 1
    assert answer["text"] == whole["text"]
    assert answer["log_probability"] == pytest.approx(whole["log_probability"], abs=1e-4)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Predictor]:
    """Of recordings, with more from frame to frame than a frame hears, by the frame's window."""
    found = {}
    for window in (25.0, 150.0):
        folder = tmp_path_factory.mktemp("apart")
        features = {"normalize": "none", "deltas": 0, "hop": 287.5, "window": window}
        it = experiment_of(
            "transcription",
            {"kind": "audio", "path": recorded(folder, 20), "names": "{text}_{take}.wav"}
            | {"rate": 8_000},
            data={"features": features},
            model={"representation": {"kind": "raw"}},
        )
        found[window] = run(folder, it)
    return found


def test_a_stream_of_samples_is_classified(tmp_path: Path) -> None:
    it = experiment_of(
        "transcription",
        {"kind": "audio", "path": recorded(tmp_path), "names": "{text}_{take}.wav", "rate": 8_000},
        data={"features": {"normalize": "none", "deltas": 0}},
        model={"representation": {"kind": "raw"}},
    ).replace({"task": {"kind": "classification"}})
    predictor = run(tmp_path, it)
    samples = read(it.data.source, it.data.split)["samples"].iloc[3]
    stream = Stream(predictor)
    for begin in range(0, len(samples), 500):
        answer = stream.step(samples[begin : begin + 500].tolist())
    (whole,) = predictor([samples.tolist()])
    assert answer["label"] == whole["label"]
    assert answer["probabilities"] == pytest.approx(whole["probabilities"], abs=1e-4)


def test_what_needs_the_whole_is_no_stream(tmp_path: Path, captioner: Predictor) -> None:
    looking = experiment_of("translation", pairs(tmp_path), model={"attention": "dot"})
    with pytest.raises(InputError, match="attention looks at the whole source"):
        Stream(run(tmp_path, looking))
    (tmp_path / "heard").mkdir()
    source = {"kind": "builtin", "name": "touch_tones"}
    heard = experiment_of(
        "transcription",
        source,
        data={"tokenizer": {"kind": "characters"}, "limit": 12},
        model={"representation": {"kind": "raw"}},
    )
    with pytest.raises(InputError, match="features that are scaled by their recording, and slopes"):
        Stream(run(tmp_path / "heard", heard))
    with pytest.raises(InputError, match="a captioning model reads one vector or category at once"):
        Stream(captioner)
