"""A sequence step by step gives what it gives whole; and a model is scored on another file."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from trained_runs import train_in
from untrained_models import untrained

from rnnkit.errors import InputError
from rnnkit.evaluation.evaluate_file import evaluate_file
from rnnkit.inference import input_lines as lines
from rnnkit.inference.predict import Predictor, load
from rnnkit.inference.stream import Stream
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import prepare, task_for
from rnnkit.tasks.baselines import score
from rnnkit.training.evaluate import evaluate


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
    return train_in(folder / "run", experiment, folder).folder.path


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


def test_what_a_stream_classifies_is_cut_as_the_whole_is(tmp_path: Path) -> None:
    place = run(tmp_path, {"kind": "classification"}, labelled(tmp_path), **{"data.max_length": 2})
    predictor = load(place)
    scored = evaluate_file(RunFolder(place), str(tmp_path / "c.csv"), tmp_path)
    note = (
        f"items of {tmp_path / 'c.csv'} cut at data.max_length: 40; 80 of their steps are not read"
    )
    cut, seen = scored["notes"]
    assert cut == note  # all have four words
    assert seen.startswith("items that are also in the run's training split: 24, in its ")
    stream, words = Stream(predictor), ["the", "good", "film", "bad"]
    for k, word in enumerate(words, start=1):
        told = stream.step(word)["probabilities"]
        (whole,) = predictor([" ".join(words[:k])])
        assert told == pytest.approx(whole["probabilities"], abs=1e-6)


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


def test_a_step_of_characters_is_one(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("\n".join(f"the cat saw w{i}" for i in range(40)))
    source = {"kind": "text", "path": str(tmp_path / "t.txt")}
    characters = {"data.tokenizer": {"kind": "characters"}}
    predictor = load(run(tmp_path, {"kind": "language_modeling"}, source, **characters))
    stream = Stream(predictor)
    stream.step("t")
    with pytest.raises(InputError, match=r"^line 2: a step must be one character, got 'the'$"):
        stream.step("the", "line 2")
    with pytest.raises(InputError, match=r"^line 2: must be a text, got \[1, 2\]$"):
        stream.step([1, 2], "line 2")


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
    with pytest.raises(InputError, match="input 1: must be a list of frames, each a list of its n"):
        predictor([[60]])
    with pytest.raises(InputError, match="step 5: must be a list of a frame's notes, got 60"):
        stream.step(60)


@pytest.mark.parametrize("problem", ["adding", "copying", "temporal_order", "embedded_reber"])
def test_memory_problems_are_answered_whole_and_step_by_step(problem: str, tmp_path: Path) -> None:
    source = {"kind": "generated", "train": 50, "valid": 10, "test": 10}
    kind = "raw" if problem == "adding" else "one_hot"
    task = {"kind": "memory", "problem": problem, "length": 12}
    predictor = load(run(tmp_path, task, source, **{"model.representation": {"kind": kind}}))
    steps: list[Any] = [[0.5, 1.0], [0.1, 0.0], [0.2, -1.0]]
    if problem != "adding":
        steps = [(predictor.prepared.fitted.inputs.vocabulary or ())[i] for i in (2, 3, 2)]
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
    with pytest.raises(InputError, match="input 1: must have 64 numbers per step, got "):
        load(vector)([np.zeros(3)])
    with pytest.raises(
        InputError, match="input 1: must be finite numbers that float32 can hold, got nan"
    ):
        load(vector)([np.full(64, np.nan)])
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
        result = evaluate_file(RunFolder(place), test["path"], home)
        predictor = load(place)
        own = prepare(predictor.experiment.data, predictor.experiment.task, home)
        it = task_for(predictor.experiment.task, own)
        split = own.splits["test"]
        expected = evaluate(predictor.network, it, split, predictor.experiment, False)
        assert result["test"] == pytest.approx(expected.metrics)
        assert result["baselines"] == score(it, own, split)
        assert result["items"] == 40
        assert "baseline" in result["verdict"]


@pytest.mark.parametrize("kind", ["vector", "classification"])
def test_columns_of_another_file_are_found_by_their_names(tmp_path: Path, kind: str) -> None:
    rows = [(k % 5, k % 7, "high" if k % 5 > 2 else "low", k) for k in range(60)]
    header, vectors = ["a", "b", "label", "n"], kind == "vector"
    if vectors:
        source: dict[str, Any] = {"kind": "vectors", "targets": ["label"], "columns": ["a", "b"]}
    else:
        source = {"kind": "frames", "sequence": "n", "labels": "per_sequence"}

    def written(name: str, order: list[int]) -> str:
        lines = [",".join(str(line[k]) for k in order) for line in [header, *rows]]
        (tmp_path / name).write_text("\n".join(lines))
        return str(tmp_path / name)

    source["path"] = written("own.csv", [0, 1, 2, 3])
    place = RunFolder(
        run(
            tmp_path,
            {"kind": kind},
            source,
            **{
                "model": {"hidden": 7, "representation": {"kind": "raw"}},
                "train.epochs": 8,
                "train.optimizer": {"kind": "adam", "learning_rate": 0.05},
            },
        )
    )
    own = evaluate_file(place, source["path"], tmp_path)
    assert evaluate_file(place, written("other.csv", [3, 1, 2, 0]), tmp_path) == own
    with pytest.raises(InputError, match=r"less\.csv: there is no column 'b'"):
        evaluate_file(place, written("less.csv", [0, 2, 3]), tmp_path)


def test_drawn_and_built_in_data_come_from_no_file(tmp_path: Path) -> None:
    source = {"kind": "generated", "train": 50, "valid": 10, "test": 10}
    raw = {"model.representation": {"kind": "raw"}}
    place = run(tmp_path, {"kind": "memory", "length": 12}, source, **raw)
    with pytest.raises(InputError, match="drawn sequences come from no file"):
        evaluate_file(RunFolder(place), "a", tmp_path)
    (tmp_path / "d").mkdir()
    place = run(
        tmp_path / "d", {"kind": "classification"}, {"kind": "builtin", "name": "digits"}, **raw
    )
    with pytest.raises(InputError, match="this run's data, frames, came built in"):
        evaluate_file(RunFolder(place), "a", tmp_path)


def forecaster(folder: Path, **source: Any) -> Path:
    rows = [f"{date(2024, 1, 1) + timedelta(days=k)},{k % 5},{k % 7}" for k in range(60)]
    (folder / "s.csv").write_text("\n".join(["time,x,y", *rows]))
    return run(
        folder,
        {"kind": "forecasting", "horizon": 2, "targets": ["y"]},
        {"kind": "table", "path": str(folder / "s.csv"), **source},
        **{
            "data.split": {"kind": "time", "test": 0.3},
            "data.window": 5,
            "data.covariates": {"calendar": ["weekday"]},
            "model.representation": {"kind": "raw"},
        },
    )


def test_a_series_in_a_file_of_its_own_is_scored_in_its_units(tmp_path: Path) -> None:
    place = forecaster(tmp_path)
    rows = (tmp_path / "s.csv").read_text().splitlines()
    test = int(60 * 0.7)
    (tmp_path / "new.csv").write_text("\n".join([rows[0], *rows[1 + test - 5 :]]))
    found = evaluate_file(RunFolder(place), str(tmp_path / "new.csv"), tmp_path)
    predictor = load(place)
    own = prepare(predictor.experiment.data, predictor.experiment.task, tmp_path)
    task = task_for(predictor.experiment.task, own)
    task.calibration = predictor.task.calibration
    split = own.splits["test"]
    expected = evaluate(predictor.network, task, split, predictor.experiment, False).metrics
    assert found["items"] == len(split)
    assert found["test"] == pytest.approx(expected, rel=1e-5)
    names = ("last value", "training mean", "drift")
    for name in names:
        beside = score(task, own, split)[name]
        assert found["baselines"][name]["mae"] == pytest.approx(beside["mae"], rel=1e-5)


def test_a_series_that_the_model_cannot_read_is_refused(tmp_path: Path) -> None:
    place = forecaster(tmp_path)
    rows = [line.rpartition(",")[0] for line in (tmp_path / "s.csv").read_text().splitlines()]
    (tmp_path / "less.csv").write_text("\n".join(rows))
    with pytest.raises(
        InputError, match=r"the model reads a column 'y', and there is none; .* are x"
    ):
        evaluate_file(RunFolder(place), str(tmp_path / "less.csv"), tmp_path)
    short = (tmp_path / "s.csv").read_text().splitlines()[:6]
    (tmp_path / "short.csv").write_text("\n".join(short))
    with pytest.raises(InputError, match=r"there are 5 rows, and window 5 \+ horizon 2 are needed"):
        evaluate_file(RunFolder(place), str(tmp_path / "short.csv"), tmp_path)
    with pytest.raises(InputError, match="a forecasting model reads a whole window"):
        Stream(load(place))


def test_a_model_of_several_series_has_no_other_file(tmp_path: Path) -> None:
    days = [date(2024, 1, 1) + timedelta(days=k) for k in range(40)]
    rows = [f"{name},{day},{k % 5}" for name in "ab" for k, day in enumerate(days)]
    (tmp_path / "two.csv").write_text("\n".join(["id,time,y", *rows]))
    place = run(
        tmp_path,
        {"kind": "forecasting"},
        {"kind": "table", "path": str(tmp_path / "two.csv"), "id": "id"},
        **{
            "data.split": {"kind": "time", "test": 0.3},
            "data.window": 5,
            "model.representation": {"kind": "raw"},
        },
    )
    with pytest.raises(InputError, match="a model of several series has no other file"):
        evaluate_file(RunFolder(place), str(tmp_path / "two.csv"), tmp_path)


# --- lines


def read(*given: Any) -> list[Any]:
    return [value for _, value in lines.inputs(*given)]


def test_a_line_is_what_its_task_reads(tmp_path: Path) -> None:
    source = labelled(tmp_path)
    table = Path(source["path"])
    table.write_text(table.read_text().replace("text,", "body,", 1))
    text = untrained(tmp_path, {**source, "text": "body"}, "classification")
    assert read(["a b\n", "c\r\n"], text, "f", False, False) == ["a b", "c"]
    given = ['"a b"', '{"body": "c", "id": 3}']
    assert read(given, text, "f", True, False) == ["a b", "c"]
    words = untrained(tmp_path, tagged(tmp_path), "tagging")
    assert read(["a b"], words, "f", False, False) == [["a", "b"]]
    assert read(["a"], words, "f", False, True) == ["a"]
    rows = [{"tokens": ["a", " ", *"b" * i], "tags": ["D", "N", *"D" * i]} for i in range(40)]
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, rows)))
    single = {"kind": "tokens", "path": str(tmp_path / "c.jsonl")}
    characters = untrained(tmp_path, single, "tagging", "characters")
    assert read(["a b"], characters, "f", False, False) == [["a", " ", "b"]]
    assert read([" "], characters, "f", False, True) == [" "]
    pieces = [[[60 + (i + k) % 8] for k in range(3 + i % 4)] for i in range(40)]
    (tmp_path / "m.json").write_text(json.dumps(pieces))
    rolls = {"kind": "piano_rolls", "path": str(tmp_path / "m.json")}
    music = untrained(tmp_path, rolls, "music")
    assert read(["[[60], []]"], music, "f", False, False) == [[[60], []]]
    named = lines.inputs(["a\n", "b"], text, "f", False, False)
    assert list(named) == [("f, line 1", "a"), ("f, line 2", "b")]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("text")
    return untrained(folder, labelled(folder), "classification")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{", "f, line 1, column 2: every line must be a JSON value"),
        ("0.5,-1", "f, line 1, column 4: every line must be a JSON value, but extra data"),
        (
            "[" * 100_000,
            "f, line 1: every line must be a JSON value of no more than 100 lists",
        ),
        ("9" * 5_000, "every line must be a JSON value, but a number in it has more digits than"),
        ('{"a": 1}', "must have its input under one of .*tokens.* its keys are a"),
    ],
)
def test_a_line_that_is_no_input_is_refused(text: Predictor, given: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(lines.inputs([given], text, "f", True, False))


def test_a_blank_line_is_refused_as_a_text_and_skipped_in_jsonl(text: Predictor) -> None:
    with pytest.raises(InputError, match="f, line 2: an input is needed, but the line is empty"):
        list(lines.inputs(["a", " "], text, "f", False, False))
    given = ['"a"', "", '{"text": "b"}', "\n"]
    assert list(lines.inputs(given, text, "f", True, False)) == [
        ("f, line 1", "a"),
        ("f, line 3", "b"),
    ]


def test_half_a_character_of_a_token_is_refused(tmp_path: Path) -> None:
    predictor: Predictor = load(run(tmp_path, {"kind": "tagging"}, tagged(tmp_path)))
    with pytest.raises(InputError, match=r"input 1: .* character 2 is half of one \(\\ud83d"):
        predictor([["a", "b\ud83d"]])


@pytest.mark.parametrize(
    ("source", "task", "message"),
    [
        (
            {"kind": "vectors", "path": "v.csv", "targets": ["label"]},
            "vector",
            r"a JSON value \(as \[0.5, -1\]\), but extra",
        ),
        (
            {"kind": "builtin", "name": "touch_tones"},
            "transcription",
            r"a JSON value \(of a stream a list of samples, as \[0.01, -0.02\]\), but extra data",
        ),
    ],
)
def test_numbers_that_are_no_json_are_refused_with_an_example(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: dict[str, Any],
    task: str,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{k},{k % 7},{'high' if k % 5 > 2 else 'low'}" for k in range(60)]
    Path("v.csv").write_text("\n".join(["a,b,label", *rows]))
    predictor = untrained(tmp_path, source, task, "characters")
    with pytest.raises(InputError, match=message):
        list(lines.inputs(["0.5,-1"], predictor, "f", False, True))


def test_answers_are_plain_json(tmp_path: Path) -> None:
    predictor: Predictor = load(run(tmp_path, {"kind": "tagging"}, tagged(tmp_path)))
    with torch.no_grad():
        text = json.dumps(predictor([["a"], ["b", "c"]]))
    assert len(json.loads(text)) == 2
