"""`rnnkit check`: notes on changed data, the next command, and `--deep`."""

import json
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from verb_runs import NOTES, rnnkit

from flows import settings as places
from flows.console import Stages
from rnnkit.data.prepare import data_sha256
from rnnkit.params import load
from rnnkit.runs.run_folder import RunFolder
from rnnkit.training.invariants import INVARIANTS, TOLERANCE


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
    monkeypatch.setattr(Monitor, "send", lambda _: None)  # no MLflow
    monitor = Monitor(places.read(Path("mlruns")), folder, Stages())
    run = Run(folder.experiment, folder, spoken / "mlruns", data)
    flow._prepare(run, monitor, MagicMock())  # no Prefect
    prepared, *notes = capsys.readouterr().out.splitlines()
    assert prepared == "prepare: 12 / 6 / 6 items in train / valid / test"
    assert notes == [f"  {note}" for note in NOTES]


def test_check_deep_names_the_rules(here: Path) -> None:
    done = rnnkit(here, "check", "a.yaml", "--deep")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("✓") == 5
    for key, meaning in INVARIANTS.items():
        assert f"  ✓ {key}: {meaning}\n" in done.stdout
    measured = json.loads(rnnkit(here, "check", "a.yaml", "--deep", "--json").stdout)["guards"]
    assert list(measured) == list(INVARIANTS)
    for found in measured.values():
        assert found == {"holds": True, "value": found["value"], "fault": ""}
        assert 0 <= found["value"] <= TOLERANCE
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
    assert "✗ determinism: same output twice (outputs differ by" in done.stdout
    assert "the network breaks a rule that every network must keep" in done.stderr
    done = rnnkit(here, "check", "a.yaml", "--deep", "--json", "--set", noisy)
    found = json.loads(done.stdout)["guards"]["determinism"]
    assert not found["holds"]
    assert found["value"] > TOLERANCE
