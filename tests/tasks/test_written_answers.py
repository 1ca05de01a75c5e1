"""What networks that write or transcribe answer: whole inputs, streams, prompts, other files."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from sequence_runs import experiment_of, names, pairs, run
from trained_runs import train_in

from flows.cli import predict as predict_verb
from rnnkit.data.prepare import prepare
from rnnkit.data.prepare.audio import sizes
from rnnkit.data.sources import read, touch_tones
from rnnkit.errors import InputError, Note
from rnnkit.evaluation.evaluate_file import rescore
from rnnkit.inference import input_lines as lines
from rnnkit.inference.generate import generate
from rnnkit.inference.predict import Predictor
from rnnkit.inference.pyfunc import Served
from rnnkit.inference.stream import Stream
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks.written import Written

# --- predicted


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("translator")
    return run(folder, experiment_of("translation", pairs(folder), beam=3))


@pytest.fixture(scope="module")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("captioner")
    data = {"tokenizer": {"kind": "characters"}}
    return run(folder, experiment_of("captioning", names(folder), data=data))


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """Of recordings, in one direction, without anything that needs what is still to come."""
    features = {"normalize": "none", "deltas": 0}
    data = {"tokenizer": {"kind": "characters"}, "limit": 30, "features": features}
    model = {"representation": {"kind": "raw"}}
    source = {"kind": "builtin", "name": "touch_tones"}
    folder = tmp_path_factory.mktemp("listener")
    return run(folder, experiment_of("transcription", source, data=data, model=model))


def test_a_translation_has_its_hypotheses(translator: Predictor) -> None:
    one, other = translator(["ab cd", "ef unheard gh"])
    for answer in (one, other):
        assert 1 <= len(answer["hypotheses"]) <= 3
        assert answer["text"] == answer["hypotheses"][0]["text"]
        assert answer["log_probability"] < 0
    assert translator(["ab cd"])[0]["text"] == one["text"]


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
    experiment = request.getfixturevalue(kind).experiment
    assert list(lines.inputs([line], experiment, "x", True, False)) == [("x, line 1", expected)]
    with pytest.raises(InputError, match="an object must have its input under one of "):
        list(lines.inputs(['{"nothing": 1}'], experiment, "x", True, False))


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


# --- step by step


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
    assert list(lines.inputs([line], listener.experiment, "x", False, True)) == [
        ("x, line 1", [0.0, 0.1])
    ]


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


def recorded(folder: Path, takes: int = 30) -> str:
    """Two words by their pitch, so many times each."""
    import soundfile

    (folder / "wav").mkdir()
    for take in range(takes):
        for name, hertz in (("low", 300 + take), ("high", 1500 + take)):
            tone = 0.3 * np.sin(2 * np.pi * hertz * np.arange(1_500 + 20 * take) / 8_000)
            soundfile.write(folder / "wav" / f"{name}_{take}.wav", tone, 8_000)
    return str(folder / "wav")


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


# --- text of a category, another file


def test_text_of_a_category_is_drawn(captioner: Predictor, translator: Predictor) -> None:
    one, same, other = (generate(captioner, "left", 20, 1.0, None, seed) for seed in (0, 0, 5))
    assert one == same
    assert set(one + other) <= set("abc")
    likeliest = generate(captioner, "left", 20, 0.0, None, 0)
    assert likeliest.startswith(captioner(["left"])[0]["text"])  # which is not as long
    with pytest.raises(InputError, match="there is no category 'up'"):
        generate(captioner, "up", 5, 1.0, None, 0)
    with pytest.raises(InputError, match="task is translation; rnnkit predict has its answers"):
        generate(translator, "ab", 5, 1.0, None, 0)
    with pytest.raises(InputError, match=r"--prompt; there are right, left"):
        generate(captioner, "", 5, 1.0, None, 0)


def test_a_vector_is_a_prompt_as_a_list(tmp_path: Path) -> None:
    it = experiment_of(
        "captioning",
        {"kind": "builtin", "name": "spelled_digits"},
        data={"tokenizer": {"kind": "characters"}, "limit": 20},
        model={"representation": {"kind": "raw"}},
    )
    predictor = run(tmp_path, it)
    for prompt, message in (
        ("", "which vector is it to be of. Give its 64 numbers with --prompt, as a JSON list"),
        ("[" * 100_000, "the prompt: must be a vector, a JSON list of its numbers, got"),
        (f"[{10**400}]", "the prompt: must be numbers, got"),
        ("seven", "the prompt: must be a vector, a JSON list of its numbers, got 'seven'"),
        ("[7]", "the prompt: must have 64 numbers per step, got "),
    ):
        with pytest.raises(InputError, match=message):
            generate(predictor, prompt, 5, 1.0, None, 0)
    pixels = read(it.data.source, it.data.split)["vector"].iloc[0].tolist()
    assert isinstance(predictor.task, Written)
    longest = predictor.task.longest
    likeliest = generate(predictor, json.dumps(pixels), longest, 0.0, None, 0)
    assert likeliest == predictor([pixels])[0]["text"]
    drawn = {generate(predictor, json.dumps(pixels), 5, 1.0, None, seed) for seed in range(5)}
    assert len(drawn) > 1


@pytest.mark.parametrize("kind", ["translation", "captioning"])
def test_a_run_is_scored_on_another_file(tmp_path: Path, kind: str) -> None:
    source = pairs(tmp_path) if kind == "translation" else names(tmp_path)
    it = experiment_of(kind, source, data={"tokenizer": {"kind": "characters"}})
    run(tmp_path, it)
    found = rescore(RunFolder(tmp_path / "run"), source["path"], tmp_path)
    assert found["items"] == 60
    assert found["test"]["loss"] > 0
    assert ("constant text" if kind == "translation" else "bigram") in found["baselines"]


def test_a_score_does_not_change_with_the_training_file(tmp_path: Path) -> None:
    """Data grow; a model's vocabularies, and the baselines it was held against, do not."""
    source, other = pairs(tmp_path), tmp_path / "other.tsv"
    shutil.copy(source["path"], other)
    run(tmp_path, experiment_of("translation", source))
    place = RunFolder(tmp_path / "run")
    before = rescore(place, str(other), tmp_path)
    pairs(tmp_path, count=80, more="new words\twords new\n")
    assert rescore(place, str(other), tmp_path) == before
    shutil.rmtree(tmp_path / "prepared")
    with pytest.raises(InputError, match="run: its prepared data are gone, and its source has cha"):
        rescore(place, str(other), tmp_path)
    pairs(tmp_path)
    assert rescore(place, str(other), tmp_path) == before


def test_a_category_that_training_has_not_seen_is_refused(tmp_path: Path) -> None:
    source = names(tmp_path)
    (tmp_path / "up.csv").write_text("text,label\nabc,up\n")
    split = {"kind": "files", "valid": source["path"], "test": str(tmp_path / "up.csv")}
    tokens = {"tokenizer": {"kind": "characters"}}
    it = experiment_of("captioning", source, data={**tokens, "split": split})
    with pytest.raises(InputError, match="every label must occur in the training part, but test"):
        prepare(it.data, it.task, tmp_path)
    run(tmp_path, experiment_of("captioning", source, data=tokens))
    with pytest.raises(
        InputError, match=r"knows the categories .* alone, but 'up' is there, too; leave them"
    ):
        rescore(RunFolder(tmp_path / "run"), str(tmp_path / "up.csv"), tmp_path)


@pytest.mark.parametrize("kind", ["classification", "transcription"])
def test_a_run_of_recordings_is_scored_on_others(tmp_path: Path, kind: str) -> None:
    path = recorded(tmp_path)
    it = experiment_of(
        "transcription",
        {"kind": "audio", "path": path, "names": "{text}_{take}.wav", "rate": 8_000},
        data={"split": {"kind": "names", "test": "*_[0-4].wav", "valid": "*_[5-9].wav"}},
        model={"representation": {"kind": "raw"}},
    ).replace({"task": {"kind": kind}})
    own = train_in(tmp_path / "run", it, tmp_path).result
    (tmp_path / "test").mkdir()
    for file in Path(path).glob("*_[0-4].wav"):
        shutil.copy(file, tmp_path / "test")
    found = rescore(RunFolder(tmp_path / "run"), str(tmp_path / "test"), tmp_path)
    assert found["items"] == 10
    assert found["test"] == pytest.approx(own["test"])
    assert found["baselines"] == own["baselines"]
    if kind == "classification":
        (tmp_path / "test" / "low_1.wav").rename(tmp_path / "test" / "middle_1.wav")
        with pytest.raises(InputError, match="knows the labels high, low alone"):
            rescore(RunFolder(tmp_path / "run"), str(tmp_path / "test"), tmp_path)


def test_what_cannot_be_read_says_how_it_is_read(tmp_path: Path) -> None:
    it = experiment_of("translation", pairs(tmp_path))
    run(tmp_path, it)
    (tmp_path / "n.tsv").write_text("de\ten\na\tb\n")
    message = r"there is no column 'source'.* as the run's own data were, \{.*path: .*n\.tsv\}$"
    with pytest.raises(InputError, match=message):
        rescore(RunFolder(tmp_path / "run"), str(tmp_path / "n.tsv"), tmp_path)
    with pytest.raises(InputError, match=r"there is no such file.*is started$"):
        rescore(RunFolder(tmp_path / "run"), str(tmp_path / "o.tsv"), tmp_path)


def test_the_verb_tells_what_is_no_wav_file_and_what_is_no_frame(
    listener: Predictor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(predict_verb, "find_model", lambda *_: tmp_path)
    monkeypatch.setattr("rnnkit.inference.predict.load", lambda _: listener)
    flac = tmp_path / "a.flac"
    flac.write_bytes(b"fLaC\0\0\0")
    with pytest.raises(InputError, match=r"a\.flac: a recording must be a WAV file, and be named"):
        predict_verb.predict("last", str(flac), mlruns=tmp_path)
    steps = tmp_path / "steps.txt"
    steps.write_text("[0.1, 0.2]\n")
    with pytest.warns(Note, match="the stream ended before its first frame; without --stream"):
        predict_verb.predict("last", str(steps), stream=True, mlruns=tmp_path)
    assert capsys.readouterr().out == '{"frames": 0}\n'
