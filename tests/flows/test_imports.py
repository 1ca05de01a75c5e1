"""What commands and workers leave unimported, because nothing of theirs needs it.

Each of these packages takes a quarter of a second of CPU or more, and every command pays for it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import HOUSE

UNNEEDED = {
    "librosa",
    "matplotlib",
    "mlflow",
    "optuna",
    "prefect",
    "scipy",
    "seqeval",
    "sklearn",
    "statsmodels",
    "torchmetrics",
}
CHECK = """
from flows.cli import main
sys.argv = ["rnnkit", "check", "params/digits.yaml", "--mlruns", {home!r}]
main()
"""
METERS = """
import torch
from rnnkit.metrics import LabelMeter, NoteMeter, TranscriptMeter
ids = torch.tensor([[0, 1]])
for meter in (LabelMeter(2, True), NoteMeter()):
    meter.update(ids.bool() if isinstance(meter, NoteMeter) else ids, ids)
    meter.compute()
meter = TranscriptMeter()
meter.update(["a b"], ["a c"])
meter.compute()
"""
PROGRAMS = {
    "the flow of a run": ("import flows.experiment", set[str]()),
    "a worker of a sweep": ("import flows.tune.worker", {"optuna"}),
    "predict": ("import rnnkit.inference.input_files, rnnkit.inference.stream", set[str]()),
    "meters": (METERS, set[str]()),
    "check": (CHECK, set[str]()),
}
"""Name -> a program, and what of the above it does need."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_not_needed_is_not_imported(name: str, tmp_path: Path) -> None:
    program, needed = PROGRAMS[name]
    unneeded = UNNEEDED - needed
    code = program.replace("{home!r}", repr(str(tmp_path)))
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys\n{code}\nprint(*sorted({unneeded!r} & set(sys.modules)), file=sys.stderr)",
        ],
        cwd=HOUSE,
        env={**os.environ, "PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1:] in ([], [""]), done.stderr
