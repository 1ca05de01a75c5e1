"""The Python API as its own examples show it, and what it refuses."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import ROOT, environment

from flows.notebook import compare, load, run, tune
from rnnkit.errors import InputError
from rnnkit.params import load as load_params

MODULES = (
    "flows.notebook",
    "flows.console.result",
    "flows.console.stages",
    "flows.pages.shown_run",
    "flows.schedule.flow",
    "flows.cli.schedule",
)


def test_the_examples_in_docstrings_hold() -> None:
    """In a process of their own: Prefect reads its settings once in a process."""
    code = (
        "import doctest, importlib, os, sys, tempfile\n"
        "from pathlib import Path\n"
        "from flows import settings\n"
        "settings.apply(settings.read(Path(tempfile.mkdtemp())))\n"
        f"for name in {MODULES}:\n"
        "    failed, tried = doctest.testmod(importlib.import_module(name))\n"
        "    assert tried and not failed, name\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing: is no finished run in"):
        load("nothing", tmp_path)
    with pytest.raises(InputError, match="changes are of params, and these are runs"):
        compare(["a", "b"], {"seed": 1}, tmp_path)
    with pytest.raises(InputError, match="workers are for params, and these are runs; leave them"):
        compare(["a", "b"], workers=2, mlruns=tmp_path)
    with pytest.raises(InputError, match="there is no run, and nothing to compare it with; give"):
        compare([], mlruns=tmp_path)
    with pytest.raises(InputError, match="a: is one run, and nothing to compare it with; give two"):
        compare(["a"], mlruns=tmp_path)
    with pytest.raises(InputError, match="a: is given 2 times; give each run once"):
        compare(["a", "a"], mlruns=tmp_path)
    with pytest.raises(InputError, match="sunspots: has variants or seeds; compare runs them"):
        run(ROOT / "params" / "sunspots.yaml", {"seeds": [0, 1]}, tmp_path)


CHANGES = [
    ({"model.hiden": 3}, "model.hiden=3: model.hiden: unknown key; did you mean 'hidden'?"),
    ({"model.hidden": -3}, "model.hidden=-3: model.hidden must be greater than or equal to 1, got"),
    ({"model..hidden": 3}, "model..hidden=3: write key=value, as train.clip=1.0"),
    ({"name.x": 3}, "name.x=3: name is no block, it has no keys inside"),
    ({"tune.trails": 3}, "tune.trails=3: tune.trails: unknown key; did you mean 'trials'?"),
    ({"model.readout": "attention"}, "model.readout='attention': model.readout 'attention' is"),
    ({"train.bptt": 5}, "train.bptt=5: train.bptt: forecasting has no use for it, only a network"),
]


@pytest.mark.parametrize(("changes", "message"), CHANGES)
def test_a_change_that_is_wrong_is_refused_as_the_command_refuses_it(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    """Of a file and of an Experiment, by every door."""
    file = ROOT / "params" / "sunspots.yaml"
    for params in (file, load_params(file)):
        for door in (run, tune, compare):
            with pytest.raises(InputError) as refusal:
                door(params, changes, tmp_path)
            assert str(refusal.value).startswith(message)
            assert "\n" not in str(refusal.value)
    (path, value) = next(iter(changes.items()))
    with pytest.raises(InputError) as by_command:
        load_params(file, [f"{path}={value}"])
    assert str(by_command.value).partition(": ")[2] == str(refusal.value).partition(": ")[2]


def test_a_sweep_of_what_is_to_be_compared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sunspots: seeds: a comparison trains each variant as it"):
        tune(ROOT / "params" / "sunspots.yaml", {"seeds": [0, 1]}, tmp_path)
