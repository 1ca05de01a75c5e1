"""The Python API as its own examples show it, and what it refuses."""

import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT, environment

from flows.notebook import compare, load, run
from rnnkit.errors import InputError

MODULES = (
    "flows.notebook",
    "flows.console",
    "flows.artifacts",
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
    with pytest.raises(InputError, match="sunspots: has variants or seeds; compare runs them"):
        run(ROOT / "params" / "sunspots.yaml", {"seeds": [0, 1]}, tmp_path)
