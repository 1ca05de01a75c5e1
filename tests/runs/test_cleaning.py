"""`rnnkit clean`: what goes, and what stays."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows import settings
from flows.cli.runs import begun
from rnnkit.params import Experiment
from rnnkit.runs.cleaning import delete, leftovers
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime.files import write_json
from rnnkit.runtime.unfinished import temporary_path

ROOT = Path(__file__).parents[2]
DAY = 86_400  # seconds
EXPERIMENT = Experiment.model_validate(
    {
        "name": "x",
        "task": {"kind": "tagging"},
        "data": {
            "source": {"kind": "builtin", "name": "python_tokens"},
            "tokenizer": {"kind": "characters"},
        },
    }
)


def a_run(home: Path, name: str, data: str, finished: bool, days: int) -> RunFolder:
    run = RunFolder(home / "runs" / name)
    run.create(EXPERIMENT, {"data": data})
    (run.path / "model").mkdir()
    (run.path / "model" / "weights.safetensors").write_bytes(b"w" * 50)
    trial = run.path / "trials" / "trial-0000" / "checkpoints"
    trial.mkdir(parents=True)
    for place in (run.path / "checkpoints", trial):
        (place / "epoch").write_bytes(b"c" * 100)
    run.append("begun")
    if finished:
        run.finish({})
    old = run.path.stat().st_mtime - days * DAY
    for path in (run.path / "journal.jsonl", run.path):
        os.utime(path, (old, old))
    return run


def prepared(home: Path, sha256: str, days: int) -> Path:
    place = home / "prepared" / sha256
    place.mkdir(parents=True)
    write_json(place / "prepared.json", {})
    old = place.stat().st_mtime - days * DAY
    os.utime(place, (old, old))
    return place


def test_what_is_not_needed_goes_and_all_else_stays(tmp_path: Path) -> None:
    done = a_run(tmp_path, "done", "a", finished=True, days=1)
    registered = a_run(tmp_path, "registered", "b", finished=True, days=90)
    old = a_run(tmp_path, "old", "c", finished=False, days=40)
    young = a_run(tmp_path, "young", "d", finished=False, days=2)
    busy = a_run(tmp_path, "busy", "e", finished=False, days=40)
    data = {sha: prepared(tmp_path, sha, days=50) for sha in "abcd"}
    with busy.lock():
        found = leftovers(tmp_path, {"registered"}, 30 * DAY)
        assert not any(leftover.path in data.values() for leftover in found)  # busy may read them
        delete(found)
    more = leftovers(tmp_path, {"registered", "busy"}, 30 * DAY)
    delete(more)
    found += more
    assert leftovers(tmp_path, {"registered", "busy"}, 30 * DAY) == []
    gone = {leftover.path for leftover in found}
    assert gone == {
        done.path / "checkpoints",
        done.path / "trials" / "trial-0000" / "checkpoints",
        old.path,
        data["b"],
        data["c"],
    }
    assert not any(path.exists() for path in gone)
    assert (done.path / "model" / "weights.safetensors").exists()
    assert done.status == "finished"
    assert (registered.path / "checkpoints" / "epoch").exists()
    assert (young.path / "checkpoints" / "epoch").exists()
    assert busy.path.exists()
    assert data["a"].exists()
    assert data["d"].exists()


def test_a_sweep_is_as_young_as_its_youngest_trial(tmp_path: Path) -> None:
    sweep = a_run(tmp_path, "sweep", "a", finished=False, days=40)
    RunFolder(sweep.path / "trials" / "trial-0000").append("begun", values={})
    assert leftovers(tmp_path, set(), 30 * DAY) == []


def clean(home: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", "clean", "--mlruns", str(home), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_lists_first_and_deletes_with_yes(tmp_path: Path) -> None:
    run = a_run(tmp_path, "done", "a", finished=True, days=1)
    listed = clean(tmp_path)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "checkpoints of finished runs" in listed.stdout
    assert "rnnkit clean --yes deletes them" in listed.stdout
    assert (run.path / "checkpoints" / "epoch").exists()
    assert "deleted" in clean(tmp_path, "--yes").stdout
    assert not (run.path / "checkpoints").exists()
    assert "there is nothing to clean" in clean(tmp_path).stdout
    for span in ("long", "9999999999d"):
        refused = clean(tmp_path, "--older-than", span)
        assert refused.returncode == 2
        (line,) = refused.stderr.splitlines()
        assert line.startswith(f"rnnkit: --older-than {span}: write a number and s, m, h or d")
        assert line.endswith("as 6h, of at most 36500d")


def test_what_an_interrupted_clean_left_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(tmp_path, "done", "a", finished=True, days=1)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(shutil, "rmtree", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            delete(leftovers(tmp_path, set(), 30 * DAY))
    assert not (run.path / "checkpoints").exists()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["done"]
    old = a_run(tmp_path, "old", "b", finished=False, days=40)
    old.path.rename(tmp_path / "runs" / ".deleted-0")
    assert [run.id for run in begun(settings.read(tmp_path))] == ["done"]
    found = leftovers(tmp_path, set(), 30 * DAY)
    assert [each.what for each in found[-2:]] == ["what an interrupted clean left"] * 2
    delete(found)
    assert leftovers(tmp_path, set(), 30 * DAY) == []


def test_temporary_files_of_killed_processes_go_and_those_of_living_ones_stay(
    tmp_path: Path,
) -> None:
    run = a_run(tmp_path, "done", "a", finished=True, days=1)
    gone = 2**22 + 1  # above the largest number of a process
    left = [
        tmp_path / f".settings.yaml.{gone}.0123abcd",
        run.path / f".result.json.{gone}.0123abcd",
        tmp_path / "prepared" / f".abc.{gone}.0123abcd",
    ]
    left[2].mkdir(parents=True)
    (left[2] / "tensors").write_bytes(b"t" * 70)
    left[0].touch()
    left[1].write_bytes(b"r" * 30)
    (run.path / "checkpoints" / f".epoch.{gone}.0123abcd").touch()  # goes with its folder
    living = temporary_path(run.path / "report.html")
    living.touch()
    found = leftovers(tmp_path, set(), 30 * DAY)
    sizes = {leftover.path: leftover.size for leftover in found if "temporary" in leftover.what}
    assert sizes == dict(zip(left, (0, 30, 70), strict=True))
    delete(found)
    assert not any(path.exists() for path in left)
    assert living.exists()
    assert leftovers(tmp_path, set(), 30 * DAY) == []


@pytest.mark.parametrize("facts", ["", "3", "{}", '{"data": [1]}'])
def test_a_run_with_damaged_facts_keeps_no_data_and_stops_no_clean(
    tmp_path: Path, facts: str
) -> None:
    run = a_run(tmp_path, "done", "a", finished=True, days=1)
    (run.path / "fingerprint.json").write_text(facts)
    data = prepared(tmp_path, "a", days=50)
    assert data in {leftover.path for leftover in leftovers(tmp_path, set(), 30 * DAY)}


def test_two_may_clean_at_once(tmp_path: Path) -> None:
    a_run(tmp_path, "done", "a", finished=True, days=1)
    mine, other = (leftovers(tmp_path, set(), 30 * DAY) for _ in range(2))
    delete(other)
    delete(mine)
    assert leftovers(tmp_path, set(), 30 * DAY) == []


def test_comparisons_that_came_to_nothing_go(tmp_path: Path) -> None:
    for name, finished in (("none", False), ("made", True)):
        folder = RunFolder(tmp_path / "comparisons" / name)
        folder.create(EXPERIMENT, {})
        folder.append("begun")
        if finished:
            folder.finish({})
    (found,) = leftovers(tmp_path, set(), -1)
    assert found.path.name == "none"
    assert found.what == "comparisons that were interrupted or failed"
    assert leftovers(tmp_path, set(), DAY) == []
