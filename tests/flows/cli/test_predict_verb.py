"""`rnnkit predict`: standard input, files, steps and recordings."""

from pathlib import Path

import pytest
from verb_runs import NOTES, answers, rnnkit

from flows.cli import inference
from rnnkit.errors import InputError, Note
from rnnkit.inference.predict import Predictor


def test_predict_reads_standard_input_a_file_and_steps(here: Path) -> None:
    from_input = answers(rnnkit(here, "predict", "last", typed="a b1 c\nc\n"))
    assert [len(answer["tags"]) for answer in from_input] == [3, 1]
    (here / "new.txt").write_text("a b1 c\nc\n")
    assert answers(rnnkit(here, "predict", "words", "new.txt")) == from_input
    (here / "new.jsonl").write_text('["a", "b1", "c"]\n{"tokens": ["c"], "id": 7}\n')
    assert answers(rnnkit(here, "predict", "words", "new.jsonl")) == from_input
    steps = answers(rnnkit(here, "predict", "words", "--stream", typed="a\nb1\nc\n"))
    assert [step["tags"][0] for step in steps] == from_input[0]["tags"]


def test_a_recording_is_one_input_and_a_folder_of_them_is_scored(spoken: Path) -> None:
    (answer,) = answers(rnnkit(spoken, "predict", "last", "wav/low_3.wav"))
    assert answers(rnnkit(spoken, "predict", "last", typed="wav/low_3.wav\n")) == [answer]
    assert set(answer["probabilities"]) == {"high", "low"}
    changed = rnnkit(spoken, "predict", "last", typed="wav/low_7.wav\nwav/high_8.wav\n")
    assert changed.stderr.splitlines() == [
        "rnnkit: wav/low_7.wav: resampled from 16,000 to 8,000 Hz",
        "rnnkit: wav/high_8.wav: its 2 channels were mixed to one",
    ]
    (scored,) = answers(rnnkit(spoken, "evaluate", "last", "wav", "--json"))
    assert scored["items"] == 24
    assert "majority class" in scored["baselines"]
    assert scored["notes"][:-1] == NOTES
    assert scored["notes"][-1].startswith("items that are also in the run's training split: ")
    assert scored["duplicates"]["train"] >= 12  # tones of other lengths have the same frames
    assert rnnkit(spoken, "evaluate", "last", "wav").stdout.splitlines()[-3:] == [
        f"  {note}" for note in scored["notes"]
    ]


def test_the_verb_tells_what_is_no_wav_file_and_what_is_no_frame(
    listener: Predictor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(inference, "find_model", lambda *_: tmp_path)
    monkeypatch.setattr("rnnkit.inference.predict.load", lambda _: listener)
    flac = tmp_path / "a.flac"
    flac.write_bytes(b"fLaC\0\0\0")
    with pytest.raises(InputError, match=r"a\.flac: a recording must be a WAV file, and be named"):
        inference.predict("last", str(flac), mlruns=tmp_path)
    steps = tmp_path / "steps.txt"
    steps.write_text("[0.1, 0.2]\n")
    with pytest.warns(Note, match="the stream ended before its first frame; without --stream"):
        inference.predict("last", str(steps), stream=True, mlruns=tmp_path)
    assert capsys.readouterr().out == '{"frames": 0}\n'
