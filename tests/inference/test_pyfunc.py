"""The registered model: raw inputs in every form that MLflow hands over, and a real server."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import soundfile
from command import RNNKIT, ROOT, environment
from trained_runs import finish_in

from flows import settings as places
from flows.tracking.registry import Registry
from rnnkit.data.sources import touch_tones
from rnnkit.errors import InputError
from rnnkit.inference.pyfunc import _load_pyfunc
from rnnkit.params import Experiment

TREES: dict[str, dict[str, Any]] = {
    "texts": {
        "task": {"kind": "classification"},
        "data": {
            "source": {"kind": "builtin", "name": "python_docstrings"},
            "tokenizer": {"kind": "words"},
            "limit": 200,
        },
    },
    "tokens": {
        "task": {"kind": "tagging"},
        "data": {
            "source": {"kind": "builtin", "name": "python_tokens"},
            "tokenizer": {"kind": "characters"},
            "limit": 40,
        },
    },
    "windows": {
        "task": {"kind": "forecasting", "horizon": 2, "season": 11, "targets": ["sunspots"]},
        "data": {
            "source": {"kind": "builtin", "name": "sunspots"},
            "split": {"kind": "time"},
            "window": 5,
        },
        "model": {"representation": {"kind": "raw"}},
    },
    "sentences": {
        "task": {"kind": "translation", "beam": 2},
        "data": {
            "source": {"kind": "builtin", "name": "dates"},
            "tokenizer": {"kind": "characters"},
            "limit": 60,
        },
    },
    "recordings": {
        "task": {"kind": "transcription"},
        "data": {
            "source": {"kind": "builtin", "name": "touch_tones"},
            "tokenizer": {"kind": "characters"},
            "limit": 20,
        },
        "model": {"representation": {"kind": "raw"}},
    },
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("served")
    for kind in TREES:
        tree = {"name": kind, "train": {"epochs": 1}, **TREES[kind]}
        tree["model"] = {"hidden": 4, **tree.get("model", {})}
        finish_in(place, Experiment.model_validate(tree), f"{kind}-1")
    return place


def served(home: Path, kind: str) -> Any:
    return _load_pyfunc(str(home / "runs" / f"{kind}-1" / "model"))


def test_lists_arrays_and_tables_get_the_same_answers(home: Path) -> None:
    model, texts = served(home, "texts"), ["Return a copy.", "Parse the address of a mail."]
    expected = model.predict(texts)
    assert [set(answer) for answer in expected] == [{"label", "probabilities"}] * 2
    forms: list[Any] = [
        np.array(texts),
        pandas.Series(texts),
        pandas.DataFrame({"anything": texts}),
        pandas.DataFrame({"text": texts, "other": [1, 2]}),
    ]
    for form in forms:
        assert model.predict(form) == expected
    assert len(model.predict(texts * 50)) == 100  # more than one batch


def test_tokens_come_as_text_or_as_lists(home: Path) -> None:
    model = served(home, "tokens")
    expected = model.predict(["x = 1"])
    assert len(expected[0]["tags"]) == 5
    assert model.predict([list("x = 1")]) == expected
    assert model.predict(pandas.DataFrame({"tokens": [list("x = 1")]})) == expected


def test_windows_are_lists_of_steps(home: Path) -> None:
    model, window = served(home, "windows"), [[1.0], [2.0], [3.0], [4.0], [5.0]]
    (answer,) = model.predict(np.array([window]))
    assert len(answer["forecast"]) == 2
    assert model.predict([window]) == [answer]


def test_sentences_are_translated_with_the_tasks_beam(home: Path) -> None:
    model = served(home, "sentences")
    expected = model.predict(["May 3, 2001", "1 May"])
    assert [len(answer["hypotheses"]) for answer in expected] == [2, 2]
    assert model.predict(pandas.DataFrame({"source": ["May 3, 2001", "1 May"]})) == expected


def test_recordings_come_as_samples_or_by_their_path(home: Path, tmp_path: Path) -> None:
    model, (samples, _) = served(home, "recordings"), touch_tones.recording(2)
    path = str(tmp_path / "keys.wav")
    soundfile.write(path, samples, touch_tones.RATE, subtype="FLOAT")
    expected = model.predict([path])
    assert set(expected[0]) == {"text", "log_probability"}
    assert model.predict([samples.tolist()]) == expected
    assert model.predict(pandas.DataFrame({"audio": [path], "take": [2]})) == expected
    assert len(model.predict([samples[:900].tolist(), samples.tolist()])) == 2  # of any length


def test_what_it_cannot_read_is_refused(home: Path) -> None:
    with pytest.raises(InputError, match="an object must have its input under one of text, "):
        served(home, "texts").predict(pandas.DataFrame({"a": ["x"], "b": ["y"]}))
    with pytest.raises(InputError, match="there are no params, got beam"):
        served(home, "texts").predict(["a"], {"beam": 3})


def test_mlflow_serves_a_registered_model_over_http(home: Path) -> None:
    """A raw sentence of any length, through `rnnkit register` and `mlflow models serve`."""
    env = environment()
    register = [*RNNKIT, "register", "texts-1", "--champion"]
    done = subprocess.run(
        [*register, "--mlruns", str(home)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=env,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "texts-1 is models:/texts/1, the champion" in done.stdout
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = f"mlflow models serve -m models:/texts@champion --env-manager local -p {port}"
    env |= {
        "MLFLOW_TRACKING_URI": f"sqlite:///{home / 'mlflow.db'}",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}",  # uvicorn's
    }
    with (home / "serve.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", *command.split()],
            cwd=home,
            stdout=log,
            stderr=log,
            env=env,
            start_new_session=True,
        )
    try:
        texts = ["Return a copy.", "Return " + "the very same thing and " * 300 + "a copy."]
        answers = invoke(port, {"inputs": texts})["predictions"]
        assert [set(answer) for answer in answers] == [{"label", "probabilities"}] * 2
        rows = {"dataframe_records": [{"text": text} for text in texts]}
        assert invoke(port, rows)["predictions"] == answers
        own = served(home, "texts").predict(texts)
        for answer, expected in zip(answers, own, strict=True):
            assert answer["label"] == expected["label"]
            assert answer["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-6)
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=30)


def invoke(port: int, content: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        data=json.dumps(content).encode(),
        headers={"Content-Type": "application/json"},
    )
    until = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read()) from None
        except OSError:
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.3)


def test_an_unregistered_model_is_refused_in_one_line(home: Path) -> None:
    done = subprocess.run(
        [*RNNKIT, "predict", "models:/no@champion", "--mlruns", home],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("rnnkit: models:/no@champion: there is no such model; ")
    assert len(done.stderr.splitlines()) == 1


def test_a_model_that_rnnkit_did_not_make_is_refused(tmp_path: Path) -> None:
    registry = Registry(places.read(tmp_path))
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "MLmodel").write_text("flavors: {}\n")
    registry.client.create_registered_model("foreign")
    registry.client.create_model_version("foreign", source=foreign.as_uri())
    with pytest.raises(InputError, match="models:/foreign/1: was not made by rnnkit, it has no"):
        registry.fetch("models:/foreign/1")
    assert registry.champion("foreign") is None
    assert registry.runs() == set()
