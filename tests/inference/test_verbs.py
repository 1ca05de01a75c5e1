"""The verbs that use a finished run, as they are typed: predict, evaluate; and check --deep."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from trained_runs import finish_in

from flows import settings as places
from flows.console import Stages
from rnnkit.data.prepare import data_sha256
from rnnkit.params import load
from rnnkit.runs.run_folder import RunFolder

PARAMS = """
name: words
task: {kind: tagging}
data:
  source: {kind: tokens, path: t.jsonl}
  split: {kind: fractions, valid: 0.2, test: 0.2}
model: {hidden: 6}
train: {epochs: 1}
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, params and a finished run."""
    folder = tmp_path_factory.mktemp("verbs")
    rows = [
        {"tokens": ["a", f"b{i}", "c"][: 1 + i % 3], "tags": ["D", "N", "V"][: 1 + i % 3]}
        for i in range(40)
    ]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "t.csv").write_text("tokens,tags\na,D\n")
    finish(folder, PARAMS)
    return folder


def finish(folder: Path, params: str) -> None:
    """A finished run of the params, which are written to the folder."""
    (folder / "a.yaml").write_text(params)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        it = load(Path("a.yaml"))
        finish_in(folder / "mlruns", it, f"{it.name}-0123456789")


SPOKEN = """
name: spoken
task: {kind: classification}
data:
  source: {kind: audio, path: wav, names: "{text}_{take}.wav", rate: 8000}
  split: {kind: names, test: "*_[0-2].wav", valid: "*_[3-5].wav"}
  features: {normalize: none, deltas: 0}
model: {representation: {kind: raw}, hidden: 6}
train: {epochs: 1}
"""
NOTES = [
    "the channels of 1 recordings were mixed to one",
    "1 recordings were resampled from 16,000 to 8,000 Hz",
]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recordings, one of them in stereo and one at another rate, and a run."""
    folder = tmp_path_factory.mktemp("spoken")
    (folder / "wav").mkdir()
    for take in range(12):
        for name, hertz in (("low", 300), ("high", 1_500)):
            rate = 16_000 if (name, take) == ("low", 7) else 8_000
            tone = 0.3 * np.sin(2 * np.pi * hertz * np.arange((200 + take) * rate // 1_000) / rate)
            stereo = (name, take) == ("high", 8)
            soundfile.write(
                folder / "wav" / f"{name}_{take}.wav", np.stack([tone] * (1 + stereo), 1), rate
            )
    finish(folder, SPOKEN)
    return folder


def rnnkit(folder: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    house = Path(__file__).parents[2]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "MLFLOW_"))}
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        timeout=300,
        env={**kept, "PYTHONPATH": str(house)},
    )


def answers(done: subprocess.CompletedProcess[str]) -> list[Any]:
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_predict_reads_standard_input_a_file_and_steps(here: Path) -> None:
    from_input = answers(rnnkit(here, "predict", "last", typed="a b1 c\nc\n"))
    assert [len(answer["tags"]) for answer in from_input] == [3, 1]
    (here / "new.txt").write_text("a b1 c\nc\n")
    assert answers(rnnkit(here, "predict", "words", "new.txt")) == from_input
    (here / "new.jsonl").write_text('["a", "b1", "c"]\n{"tokens": ["c"], "id": 7}\n')
    assert answers(rnnkit(here, "predict", "words", "new.jsonl")) == from_input
    steps = answers(rnnkit(here, "predict", "words", "--stream", typed="a\nb1\nc\n"))
    assert [step["tags"][0] for step in steps] == from_input[0]["tags"]


@pytest.mark.parametrize(
    ("arguments", "typed", "message"),
    [
        (("predict", "last"), "", "standard input: there is no input in it"),
        (("predict", "last"), "a\n\n", "standard input, line 2: an input is needed"),
        (("predict", "last", "--json-lines"), '["a"]\n7', "standard input, line 2: must be a list"),
        (("predict", "last", "--stream", "--json-lines"), '"a"\n7', "line 2: must be a list of to"),
        (("predict", "last", "--json-lines"), "[", "line 1, column 2: every line must be a JSON"),
        (("predict", "last", "t.csv"), "", "t.csv: every line must be an input, and this is a tab"),
        (("predict", "last", "gone.csv"), "", "gone.csv: there is no such file"),
        (("predict", "last", "gone.txt"), "", "gone.txt: there is no such file"),
        (("predict", "other"), "a", "other: there is no such run"),
        (("evaluate", "last", "gone.jsonl"), "", "gone.jsonl: there is no such file"),
        (("backtest", "a.yaml"), "", "only forecasts are tested in folds"),
        (("data", "fetch", "nothing"), "", "nothing: there is no such public data set"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    here: Path, arguments: tuple[str, ...], typed: str, message: str
) -> None:
    done = rnnkit(here, *arguments, typed=typed)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_evaluate_shows_the_test_part_or_scores_a_file(here: Path) -> None:
    shown = rnnkit(here, "evaluate", "words")
    assert shown.returncode == 0
    assert "words-0123456789: test part" in shown.stdout
    assert "most frequent tag per token" in shown.stdout
    (scored,) = answers(rnnkit(here, "evaluate", "words", "t.jsonl", "--json"))
    assert scored["items"] == 40
    assert set(scored["baselines"]) == {"most frequent tag", "most frequent tag per token"}
    assert 0 <= scored["test"]["accuracy"] <= 1


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
    assert scored["notes"] == NOTES
    assert rnnkit(spoken, "evaluate", "last", "wav").stdout.splitlines()[-2:] == [
        f"  {note}" for note in NOTES
    ]


@pytest.mark.parametrize(
    ("arguments", "typed", "message"),
    [
        (("wav/low_3.wav", "--stream"), "", "wav/low_3.wav: a recording is one input and no lines"),
        (("wav/low_3.wav", "--json-lines"), "", "leave --stream and --json-lines out"),
        (("gone.wav",), "", "gone.wav: there is no such file"),
        (("--stream",), '["a"]\n', "standard input, line 1: must be a list of a recording's sam"),
        (("--stream",), '"x.wav"\n', "and 1, 8,000 per second, got x.wav"),
        (("--stream",), "[[0.1], [0.1, 0.2]]\n", "line 1: must be a list of a recording's samples"),
        (("--stream",), "[NaN, 0.1]\n", "line 1: must be a list of a recording's samples"),
    ],
)
def test_what_is_no_recording_is_said_in_a_line(
    spoken: Path, arguments: tuple[str, ...], typed: str, message: str
) -> None:
    done = rnnkit(spoken, "predict", "last", *arguments, typed=typed)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_was_changed_in_the_data_is_said(
    spoken: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checked = rnnkit(spoken, "check", "a.yaml")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert f"  notes       {'; '.join(NOTES)}\n" in checked.stdout
    assert checked.stdout.endswith("\nNext: rnnkit run a.yaml\n")
    other = ("--set", "model.hidden=3", "--set", 'data.split.test="*_[01].wav"', "--mlruns", "o o")
    typed = rnnkit(spoken, "check", "a.yaml", *other).stdout
    assert typed.endswith(
        "\nNext: rnnkit run a.yaml --set model.hidden=3 "
        """--set 'data.split.test="*_[01].wav"' --mlruns 'o o'\n"""
    )
    from flows import experiment as flow
    from flows.pipeline.monitor import Monitor
    from flows.pipeline.steps import Run

    monkeypatch.chdir(spoken)
    folder = RunFolder(spoken / "mlruns" / "runs" / "other")
    folder.create(load(Path("a.yaml")), {})
    data = data_sha256(folder.experiment.data, folder.experiment.task)
    monkeypatch.setattr(Monitor, "_send", lambda *_, **__: False)  # no MLflow
    monkeypatch.setattr(flow, "prepare_data", flow.prepare_data.fn)  # no Prefect
    monitor = Monitor(places.read(Path("mlruns")), folder, Stages())
    flow._prepare(Run(folder.experiment, folder, spoken / "mlruns", data), monitor)
    prepared, *notes = capsys.readouterr().out.splitlines()
    assert prepared == "prepare: 12 / 6 / 6 items in train / valid / test"
    assert notes == [f"  {note}" for note in NOTES]


def test_check_deep_names_the_rules(here: Path) -> None:
    done = rnnkit(here, "check", "a.yaml", "--deep")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("✓") == 5
    (here / "bad_cell.py").write_text(
        "import torch\nfrom rnnkit.nn.cells.gru import GRU\n\n\nclass Noisy(GRU):\n"
        "    def __init__(self, inputs, hidden, params):\n"
        "        from rnnkit.params.model import GRU as block\n"
        "        super().__init__(inputs, hidden, block())\n\n"
        "    def step(self, inputs, state, kept=None):\n"
        "        (h,) = super().step(inputs, state, kept)\n"
        "        return type(state)(h + torch.rand_like(h))\n"
    )
    noisy = "model.cell={kind: custom, module: 'bad_cell:Noisy'}"
    done = rnnkit(here, "check", "a.yaml", "--deep", "--set", noisy)
    assert done.returncode == 2
    assert "✗ twice the same: outputs differ by" in done.stdout
    assert "the network breaks a rule that every network must keep" in done.stderr


def test_backtest_runs_every_fold_once(tmp_path: Path) -> None:
    rows = [f"{date(2024, 1, 1) + timedelta(days=k)},{k % 7}" for k in range(120)]
    (tmp_path / "s.csv").write_text("\n".join(["time,x", *rows]))
    (tmp_path / "f.yaml").write_text(
        "name: f\ntask: {kind: forecasting}\ndata:\n  source: {kind: table, path: s.csv}\n"
        "  split: {kind: time, valid: 0.1, test: 0.4}\n  window: 7\n"
        "model: {representation: {kind: raw}, hidden: 4}\ntrain: {epochs: 1}\n"
    )
    done = rnnkit(tmp_path, "backtest", "f.yaml", "--folds", "2", "--json")
    (folds,) = answers(done)
    assert [fold["until"] for fold in folds] == [folds[1]["from"], "the end"]
    assert len({fold["run"] for fold in folds}) == 2
    again = rnnkit(tmp_path, "backtest", "f.yaml", "--folds", "2")
    assert again.returncode == 0
    assert "seasonal naive" in again.stdout
    assert folds[0]["run"] in again.stdout


@pytest.fixture
def stopped(here: Path) -> Iterator[RunFolder]:
    """A run that was begun and interrupted, beside the finished one."""
    done = RunFolder(here / "mlruns" / "runs" / "words-0123456789")
    run = RunFolder(here / "mlruns" / "runs" / "words-aaaa")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        run.create(done.experiment, {"date": "", "again": 0})
    yield run
    shutil.rmtree(run.path)


def test_resume_refuses_what_it_cannot_go_on_with(here: Path, stopped: RunFolder) -> None:
    done = rnnkit(here, "resume", "words-aaaa")  # its id is not that of its params and data
    assert done.returncode == 2
    assert done.stderr == (
        "rnnkit: words-aaaa: its data are not those it was begun with; begin a new one with: "
        f"rnnkit run {stopped.path / 'params.yaml'}\n"
    )
    with stopped.lock():
        done = rnnkit(here, "resume", "words-aaaa")
    assert (done.returncode, done.stderr) == (
        75,
        "rnnkit: words-aaaa is being run by another process\n",
    )


def test_resume_takes_the_newest_that_did_not_end(here: Path, stopped: RunFolder) -> None:
    other = RunFolder(here / "mlruns" / "runs" / "words-bbbb")
    shutil.copytree(stopped.path, other.path)
    try:
        done = rnnkit(here, "resume")
        assert "words-bbbb was interrupted before; it goes on where it stopped." in done.stdout
        assert "the newest of 2 is taken; before it: words-aaaa" in done.stdout
    finally:
        shutil.rmtree(other.path)


def test_resume_has_nothing_to_do(here: Path) -> None:
    done = rnnkit(here, "resume")
    assert done.returncode == 2
    assert done.stderr.endswith("was interrupted or failed; nothing to resume\n")
    done = rnnkit(here, "resume", "words-0123456789", "--json")
    assert json.loads(done.stdout)["run"] == "words-0123456789"
