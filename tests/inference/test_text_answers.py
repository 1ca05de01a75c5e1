"""Answers of translation, captioning and transcription models to whole inputs."""

import json
from pathlib import Path

import numpy as np
import pandas
import pytest
from sequence_runs import experiment_of, recorded, run

from rnnkit.data.sources import touch_tones
from rnnkit.errors import InputError, Note
from rnnkit.inference import input_lines as lines
from rnnkit.inference.predict import Predictor
from rnnkit.inference.pyfunc import Served
from rnnkit.tasks.sequence_to_sequence.task import SequenceToSequence


def test_a_translation_has_its_hypotheses(translator: Predictor) -> None:
    one, other = translator(["ab cd", "ef unheard gh"])
    for answer in (one, other):
        assert 1 <= len(answer["hypotheses"]) <= 3
        assert answer["text"] == answer["hypotheses"][0]["text"]
        assert answer["log_probability"] < 0
    assert translator(["ab cd"])[0]["text"] == one["text"]


def test_hypotheses_show_the_score_they_are_sorted_by(translator: Predictor) -> None:
    penalty = translator.experiment.task.length_penalty  # type: ignore[union-attr]
    assert penalty > 0
    assert isinstance(translator.task, SequenceToSequence)
    for answer in translator(["ab cd", "ef gh ab cd", "gh"]):
        listed = answer["hypotheses"]
        keys = [(not one["ended"], -one["score"]) for one in listed]
        assert keys == sorted(keys)
        for one in listed:
            tokens, _ = translator.task.target.encode([one["text"]])
            steps = len(tokens) + one["ended"]
            assert one["score"] == pytest.approx(one["log_probability"] / steps**penalty)


def test_a_source_of_which_nothing_is_known_is_told(translator: Predictor) -> None:
    with pytest.warns(Note, match=r"^input 2: none of its tokens is in the vocabulary$") as told:
        translator(["ab ñ", "ñ ß"])
    assert len(told) == 1


def test_an_empty_source_is_no_input(translator: Predictor) -> None:
    with pytest.raises(InputError, match="input 2: must have at least one token"):
        translator(["ab", ""])


def test_a_caption_of_a_category_and_of_one_that_is_not_there(captioner: Predictor) -> None:
    (answer,) = captioner(["left"])
    assert set(answer["text"]) <= set("abc")
    with pytest.raises(InputError, match="input 1: there is no category 'up'; there are "):
        captioner(["up"])


def test_a_number_may_be_a_category(tmp_path: Path) -> None:
    rows = [json.dumps({"text": "ab" * (1 + k), "label": k % 2}) for k in range(40)]
    (tmp_path / "n.jsonl").write_text("\n".join(rows))
    source = {"kind": "labelled_text", "path": str(tmp_path / "n.jsonl")}
    tokens = {"tokenizer": {"kind": "characters"}}
    predictor = run(tmp_path, experiment_of("captioning", source, data=tokens))
    assert predictor([1, np.int64(0)]) == predictor(["1", "0"])


def test_a_recording_by_its_samples_and_by_its_file(listener: Predictor, tmp_path: Path) -> None:
    import soundfile

    samples, _ = touch_tones.recording(1)
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, touch_tones.RATE, subtype="FLOAT")
    one, other = listener([samples.tolist(), str(path)])
    assert one == other
    assert isinstance(one["text"], str)
    for bad in ([], [["a"]], [0.0, float("nan")]):
        with pytest.raises(InputError, match="input 1: must be the path of a WAV file, or a list"):
            listener([bad])
    with pytest.raises(InputError, match="there is no such file"):
        listener([str(tmp_path / "b.wav")])


@pytest.mark.parametrize(
    ("kind", "line", "expected"),
    [
        ("translator", '{"source": "ab"}', "ab"),
        ("captioner", '{"label": "left", "text": "x"}', "left"),
        ("listener", '{"audio": "a.wav"}', "a.wav"),
    ],
)
def test_objects_have_their_input_under_the_sources_key(
    kind: str, line: str, expected: str, request: pytest.FixtureRequest
) -> None:
    predictor = request.getfixturevalue(kind)
    assert list(lines.inputs([line], predictor, "x", True, False)) == [("x, line 1", expected)]
    with pytest.raises(InputError, match="an object must have its input under one of "):
        list(lines.inputs(['{"nothing": 1}'], predictor, "x", True, False))


@pytest.mark.parametrize(
    ("kind", "key", "given"),
    [
        ("translator", "source", "ab cd"),
        ("captioner", "label", "left"),
        ("listener", "audio", None),
    ],
)
def test_a_served_table_may_have_other_columns(
    kind: str, key: str, given: str | None, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    predictor = request.getfixturevalue(kind)
    value = given or str(Path(recorded(tmp_path, 1)) / "low_0.wav")
    table = pandas.DataFrame([{"id": 3, key: value}])
    assert Served(predictor).predict(table) == predictor([value])
