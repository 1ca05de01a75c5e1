"""`rnnkit runs`: what a line says, and which runs are listed."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from verb_runs import answers, rnnkit

from rnnkit.runs.run_folder import RunFolder


@pytest.fixture
def home(here: Path, tmp_path: Path) -> Path:
    """An output folder with a finished run, one that failed and one that was interrupted."""
    runs = tmp_path / "mlruns" / "runs"
    shutil.copytree(here / "mlruns" / "runs" / "words-0123456789", runs / "words-0123456789")
    for name, kind in (("words-fail", "failed"), ("other-1", "interrupted")):
        folder = RunFolder(runs / name)
        folder.create(RunFolder(runs / "words-0123456789").params, {})
        folder.append(kind, reason="no luck")
    return tmp_path


def ids(home: Path, *arguments: str) -> set[str]:
    (rows,) = answers(rnnkit(home, "runs", *arguments, "--json"))
    return {row["run"] for row in rows}


def test_a_run_is_listed_with_its_date_duration_and_verdict(home: Path) -> None:
    (rows,) = answers(rnnkit(home, "runs", "words-0", "--json"))
    (row,) = rows
    folder = RunFolder(home / "mlruns" / "runs" / row["run"])
    assert row["status"] == "finished"
    begun = datetime.fromisoformat(row["begun"])
    assert begun.utcoffset() is not None
    assert abs(datetime.now(begun.tzinfo) - begun) < timedelta(days=1)
    assert row["seconds"] == round(sum(folder.result["seconds"].values()), 2)
    assert row["value"] == folder.result["test"][row["metric"]]
    assert row["verdict"] == folder.result["difference"]["verdict"]
    names = folder.result["baselines"].values()
    assert row["baseline"] == max(metrics[row["metric"]] for metrics in names)
    shown = rnnkit(home, "runs").stdout
    assert shown.split("\n")[0].split() == [
        *("run", "begun", "took", "result", "baseline", "verdict", "network")
    ]
    line = next(text for text in shown.splitlines() if text.startswith(row["run"]))
    assert begun.strftime("%Y-%m-%d %H:%M") in line
    assert row["verdict"] in line


def test_runs_are_filtered_by_name_and_state(home: Path) -> None:
    assert ids(home) == {"words-0123456789", "words-fail", "other-1"}
    assert ids(home, "words") == {"words-0123456789", "words-fail"}
    assert ids(home, "*-*i*") == {"words-fail"}
    assert ids(home, "--state", "failed") == {"words-fail"}
    assert ids(home, "--state", "failed", "--state", "interrupted") == {"words-fail", "other-1"}
    assert ids(home, "words", "--state", "interrupted") == set()
    done = rnnkit(home, "runs", "--state", "running")
    assert done.stdout == f"none of the 3 runs in {home}/mlruns/runs is so\n"


def test_a_state_that_is_none_is_refused(home: Path) -> None:
    done = rnnkit(home, "runs", "--state", "done")
    assert done.returncode == 2
    assert done.stderr == (
        "rnnkit: --state done: there are finished, running, interrupted, failed, unreadable\n"
    )
