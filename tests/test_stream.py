"""A sequence step by step gives what it gives whole; and a model is scored on another file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rnnkit import lines
from rnnkit.conclude import conclude
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.predict import Predictor, load
from rnnkit.prepare import prepare
from rnnkit.rescore import rescore
from rnnkit.runfolder import RunFolder
from rnnkit.stream import Stream
from rnnkit.train import train_into


def run(folder: Path, task: dict[str, Any], source: dict[str, Any], **changes: Any) -> Path:
    """A trained run of a few items."""
    tree: dict[str, Any] = {
        "name": "s",
        "task": task,
        "data": {"source": source, "split": {"kind": "fractions", "valid": 0.2, "test": 0.2}},
        "model": {"hidden": 7, "depth": 2, "cell": {"kind": "lstm"}},
        "train": {"epochs": 1},
    }
    if task["kind"] == "memory":
        del tree["data"]["split"]
    for path, value in changes.items():
        *above, last = path.split(".")
        block = tree
        for key in above:
            block = block[key]
        block[last] = value
    experiment = Experiment.model_validate(tree)
    prepared = prepare(experiment.data, experiment.task, folder)
    place = RunFolder(folder / "run")
    place.create(experiment, {})
    list(train_into(place, experiment, prepared))
    conclude(place, experiment, prepared, folder / "prepared")
    return place.path


def tagged(folder: Path, name: str = "t.jsonl", tag: str = "V") -> dict[str, Any]:
    rows = [
        {"tokens": ["a", f"b{i}", "c", "d"][: 2 + i % 3], "tags": ["D", "N", tag, "D"][: 2 + i % 3]}
        for i in range(40)
    ]
    (folder / name).write_text("\n".join(map(json.dumps, rows)))
    return {"kind": "tokens", "path": str(folder / name)}


def labelled(folder: Path, name: str = "c.csv") -> dict[str, Any]:
    rows = [
        f"the w{i} {'good' if i % 2 else 'bad'} film,{'pos' if i % 2 else 'neg'}" for i in range(40)
    ]
    (folder / name).write_text("\n".join(["text,label", *rows]))
    return {"kind": "labelled_text", "path": str(folder / name)}


def test_tags_one_token_at_a_time_equal_those_of_the_sentence(tmp_path: Path) -> None:
    predictor = load(run(tmp_path, {"kind": "tagging"}, tagged(tmp_path)))
    tokens = ["a", "b3", "unseen", "d"]
    (whole,) = predictor([tokens])
    stream = Stream(predictor)
    each = [stream.step(token) for token in tokens]
    assert [answer["tags"][0] for answer in each] == whole["tags"]
    told = [answer["probabilities"][0] for answer in each]
    assert told == pytest.approx(whole["probabilities"], rel=1e-5)


@pytest.mark.parametrize("readout", ["last", "mean", "max"])
def test_a_label_after_each_word_equals_that_of_the_words_so_far(
    readout: str, tmp_path: Path
) -> None:
    task = {"kind": "classification"}
    predictor = load(run(tmp_path, task, labelled(tmp_path), **{"model.readout": readout}))
    words = ["the", "w1", "good", "film"]
    whole = predictor([" ".join(words[: i + 1]) for i in range(4)])
    stream = Stream(predictor)
    for word, expected in zip(words, whole, strict=True):
        answer = stream.step(word)
        assert answer["label"] == expected["label"]
        assert answer["probabilities"] == pytest.approx(expected["probabilities"], rel=1e-5)


def test_the_log_probabilities_of_a_streams_tokens_make_up_that_of_the_text(
    tmp_path: Path,
) -> None:
    (tmp_path / "t.txt").write_text("\n".join(f"the cat saw w{i}" for i in range(40)))
    source = {"kind": "text", "path": str(tmp_path / "t.txt")}
    predictor = load(run(tmp_path, {"kind": "language_modeling"}, source))
    (whole,) = predictor(["the cat saw w3"])
    stream = Stream(predictor)
    total = sum(stream.step(word)["log_probability"] for word in ("the", "cat", "saw", "w3"))
    total += stream.end()["log_probability"]
    assert total == pytest.approx(whole["log_probability"], rel=1e-5)
    assert whole["tokens"] == 5


def test_music_frame_by_frame_equals_the_piece(tmp_path: Path) -> None:
    pieces = [[[60 + (i + k) % 8] for k in range(3 + i % 4)] for i in range(40)]
    (tmp_path / "m.json").write_text(json.dumps(pieces))
    source = {"kind": "piano_rolls", "path": str(tmp_path / "m.json")}
    raw = {"model.representation": {"kind": "raw"}}
    predictor = load(run(tmp_path, {"kind": "music"}, source, **raw))
    piece = [[60], [], [62, 64], [61]]
    (whole,) = predictor([piece])
    stream = Stream(predictor)
    each = [stream.step(notes) for notes in piece]
    assert each[0]["log_probability"] is None
    total = sum(answer["log_probability"] for answer in each[1:])
    assert total == pytest.approx(whole["log_probability"], rel=1e-5)
    assert each[-1]["next"] == pytest.approx(whole["next"], rel=1e-4)
    with pytest.raises(InputError, match="notes must be whole numbers from 21 to 108"):
        stream.step([200])


@pytest.mark.parametrize("problem", ["adding", "copying", "temporal_order", "embedded_reber"])
def test_memory_problems_are_answered_whole_and_step_by_step(problem: str, tmp_path: Path) -> None:
    source = {"kind": "generated", "train": 50, "valid": 10, "test": 10}
    kind = "raw" if problem == "adding" else "one_hot"
    task = {"kind": "memory", "problem": problem, "length": 12}
    predictor = load(run(tmp_path, task, source, **{"model.representation": {"kind": kind}}))
    steps: list[Any] = [[0.5, 1.0], [0.1, 0.0], [0.2, -1.0]]
    if problem != "adding":
        steps = [(predictor.prepared.vocabulary or ())[i] for i in (2, 3, 2)]
    (whole,) = predictor([steps])
    stream = Stream(predictor)
    answer = [stream.step(step) for step in steps][-1]
    for key, value in whole.items():
        newest = value[-1:] if isinstance(value, list) else value
        words = key in ("answer", "symbols")
        assert answer[key] == (newest if words else pytest.approx(newest, rel=1e-4))


def test_what_cannot_be_streamed_is_refused(tmp_path: Path) -> None:
    both = run(tmp_path, {"kind": "tagging"}, tagged(tmp_path), **{"model.bidirectional": True})
    with pytest.raises(InputError, match="bidirectional network begins at both ends"):
        Stream(load(both))
    raw = {"model.representation": {"kind": "raw"}}
    (tmp_path / "v").mkdir()
    vector = run(
        tmp_path / "v",
        {"kind": "vector"},
        {"kind": "builtin", "name": "digits"},
        **raw,
        **{"model.cell": {"kind": "gru"}},
    )
    with pytest.raises(InputError, match="a vector model reads one vector at once"):
        Stream(load(vector))
    (answer,) = load(vector)([np.zeros(64)])
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    with pytest.raises(InputError, match="input 1: must have 64 finite numbers"):
        load(vector)([np.zeros(3)])
    with pytest.raises(InputError, match="input 1: must be numbers"):
        load(vector)(["abc"])


# --- another file


def test_the_test_part_as_a_file_scores_as_the_run_did(tmp_path: Path) -> None:
    for task, source in (
        ({"kind": "classification"}, labelled(tmp_path)),
        ({"kind": "tagging"}, tagged(tmp_path)),
    ):
        home = tmp_path / str(task["kind"])
        home.mkdir()
        test = labelled(tmp_path, "c2.csv") if "label" in source["kind"] else tagged(tmp_path, "t2")
        files = {"kind": "files", "valid": 0.2, "test": test["path"]}
        place = run(home, task, source, **{"data.split": files})
        result = rescore(place, test["path"], home)
        predictor = load(place)
        own = prepare(predictor.experiment.data, predictor.experiment.task, home)
        from rnnkit.baselines import score
        from rnnkit.evaluate import evaluate
        from rnnkit.tasks import task_for

        it = task_for(predictor.experiment.task, own)
        part = own.parts["test"]
        expected = evaluate(predictor.network, it, part, predictor.experiment, False)
        assert result["test"] == pytest.approx(expected.metrics)
        assert result["baselines"] == score(it, own, part)
        assert result["items"] == 40
        assert "baseline" in result["verdict"]


def test_labels_that_the_network_does_not_know_are_refused(tmp_path: Path) -> None:
    place = run(tmp_path, {"kind": "tagging"}, tagged(tmp_path))
    other = tagged(tmp_path, "other.jsonl", tag="X")
    with pytest.raises(InputError, match=r"knows the labels D, N, V alone, but there are 1 others"):
        rescore(place, other["path"], tmp_path)


def test_drawn_and_built_in_data_come_from_no_file(tmp_path: Path) -> None:
    source = {"kind": "generated", "train": 50, "valid": 10, "test": 10}
    raw = {"model.representation": {"kind": "raw"}}
    place = run(tmp_path, {"kind": "memory", "length": 12}, source, **raw)
    with pytest.raises(InputError, match="drawn sequences come from no file"):
        rescore(place, "a", tmp_path)
    (tmp_path / "d").mkdir()
    place = run(
        tmp_path / "d", {"kind": "classification"}, {"kind": "builtin", "name": "digits"}, **raw
    )
    with pytest.raises(InputError, match="this run's data, frames, came built in"):
        rescore(place, "a", tmp_path)


def test_a_forecast_is_scored_on_no_other_file(tmp_path: Path) -> None:
    rows = [f"2024-01-{day:02d},{day % 5}" for day in range(1, 32)]
    (tmp_path / "s.csv").write_text("\n".join(["time,x", *rows]))
    place = run(
        tmp_path,
        {"kind": "forecasting"},
        {"kind": "table", "path": str(tmp_path / "s.csv")},
        **{
            "data.split": {"kind": "time"},
            "data.window": 3,
            "model.representation": {"kind": "raw"},
        },
    )
    with pytest.raises(InputError, match="a forecasting model has no other file"):
        rescore(place, str(tmp_path / "s.csv"), tmp_path)
    with pytest.raises(InputError, match="a forecasting model reads a whole window"):
        Stream(load(place))


# --- lines


def experiment_of(source: dict[str, Any], task: str, **changes: Any) -> Experiment:
    tree = {"name": "x", "task": {"kind": task}, "data": {"source": source}}
    if task == "music":
        tree["model"] = {"representation": {"kind": "raw"}}
    return Experiment.model_validate(tree).replace(changes)


def test_a_line_is_what_its_task_reads() -> None:
    text = experiment_of({"kind": "labelled_text", "path": "a", "text": "body"}, "classification")
    assert list(lines.inputs(["a b\n", "c\r\n"], text, "f", False, False)) == ["a b", "c"]
    given = ['"a b"', '{"body": "c", "id": 3}']
    assert list(lines.inputs(given, text, "f", True, False)) == ["a b", "c"]
    words = experiment_of({"kind": "tokens", "path": "a"}, "tagging")
    assert list(lines.inputs(["a b"], words, "f", False, False)) == [["a", "b"]]
    assert list(lines.inputs(["a"], words, "f", False, True)) == ["a"]
    characters = words.replace({"data.tokenizer": {"kind": "characters"}})
    assert list(lines.inputs(["a b"], characters, "f", False, False)) == [["a", " ", "b"]]
    assert list(lines.inputs([" "], characters, "f", False, True)) == [" "]
    music = experiment_of({"kind": "piano_rolls", "path": "a"}, "music")
    assert list(lines.inputs(["[[60], []]"], music, "f", False, False)) == [[[60], []]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "f, line 1: an input is needed, but the line is empty"),
        ("{", "f, line 1, column 2: every line must be a JSON value"),
        ('{"a": 1}', "must have its input under 'text', 'tokens'.* its keys are a"),
    ],
)
def test_a_line_that_is_no_input_is_refused(given: str, message: str) -> None:
    text = experiment_of({"kind": "labelled_text", "path": "a"}, "classification")
    with pytest.raises(InputError, match=message):
        list(lines.inputs([given], text, "f", True, False))


def test_answers_are_plain_json(tmp_path: Path) -> None:
    predictor: Predictor = load(run(tmp_path, {"kind": "tagging"}, tagged(tmp_path)))
    with torch.no_grad():
        text = json.dumps(predictor([["a"], ["b", "c"]]))
    assert len(json.loads(text)) == 2
