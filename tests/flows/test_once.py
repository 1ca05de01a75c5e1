"""Fingerprinting and reading data, and naming a run, happen once for each run."""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest
from command import ROOT, SMALL, called

COUNTED = """
import os, sys
from pathlib import Path
from rnnkit.data import sources
from rnnkit.runs.run_folder import RunFolder

def count(owner, name):
    function = getattr(owner, name)
    def counted(*args):
        file = Path(os.environ["COUNTS"], f"{os.getpid()}.txt")
        with file.open("a") as lines:
            lines.write(name + "\\n")
        return function(*args)
    setattr(owner, name, staticmethod(counted) if owner is RunFolder else counted)

count(sources, "fingerprint")
count(sources, "read")
count(RunFolder, "identity")

if __name__ == "__main__":
    from flows.cli import main
    main()
"""
"""The command; worker processes import this, too, and count their own calls."""


def counts(folder: Path, prefect: str, *arguments: str) -> Counter[str]:
    """How often each was called, in the command and its workers, until it ended well."""
    program, calls = folder / "counted.py", folder / "calls"
    program.write_text(COUNTED)
    calls.mkdir(exist_ok=True)
    for file in calls.iterdir():
        file.unlink()
    more = {"COUNTS": str(calls), "PREFECT_API_URL": prefect, "PYTHONPATH": str(ROOT)}
    home = str(folder / "mlruns")
    done = called(sys.executable, program, *arguments, "--mlruns", home, **more)
    assert (done.returncode, done.stderr) == (0, "")
    return Counter(line for file in calls.iterdir() for line in file.read_text().split())


DEMO = {
    "data.limit": 60,
    "model.hidden": 8,
    "model.representation.size": 8,
    "train.epochs": 2,
    "tune.trials": 2,
}


def test_the_demo_with_its_sweep_fingerprints_reads_and_names_once(
    tmp_path: Path, prefect_api: str
) -> None:
    demo = ("run", "params/demo.yaml", *(f"--set={path}={value}" for path, value in DEMO.items()))
    first = counts(tmp_path, prefect_api, *demo)
    assert first == {"fingerprint": 1, "read": 1, "identity": 1}
    (run,) = (tmp_path / "mlruns" / "runs").iterdir()
    assert sum(json.loads((run / "result.json").read_text())["trials"].values()) == 2
    assert counts(tmp_path, prefect_api, *demo) == {"fingerprint": 1, "identity": 1}  # it is shown
    once_more = counts(tmp_path, prefect_api, *demo, "--again")
    assert once_more == {"fingerprint": 1, "identity": 2}  # the first is finished, so another id


@pytest.mark.parametrize(
    ("variant", "times"), [("model.cell.kind: lstm", 1), ("data.tokenizer.vocabulary: 20", 2)]
)
def test_runs_of_a_comparison_share_the_fingerprint_of_their_data(
    tmp_path: Path, prefect_api: str, variant: str, times: int
) -> None:
    params = tmp_path / "small.yaml"
    variants = f"variants: {{gru: {{}}, other: {{{variant}}}}}\nseeds: [0, 1]\n"
    params.write_text(SMALL.replace("epochs: 3", "epochs: 1") + variants)
    calls = counts(tmp_path, prefect_api, "compare", str(params))
    assert calls["fingerprint"] == times
    assert calls["read"] >= times
    assert calls["identity"] == 5  # of four runs, and of the params file's own data
