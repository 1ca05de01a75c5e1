"""Temporary files: those of killed processes go, those of living ones stay."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows import settings
from rnnkit.params import load
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import files
from rnnkit.runtime.unfinished import remove_unfinished, temporary_path, unfinished
from rnnkit.tasks import prepare

KILLED = """
import os, signal, sys
from pathlib import Path
from flows import settings
from rnnkit.params import load
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import files
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
files.write_atomic(Path(sys.argv[1]) / "result.json", "half")
"""


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """What a process leaves that is killed while it writes `deep/result.json`."""
    (tmp_path / "deep").mkdir()
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "deep"], check=False)
    assert killed.returncode < 0
    (path,) = (tmp_path / "deep").iterdir()
    return path


def test_the_file_of_a_killed_process_is_removed(left: Path, tmp_path: Path) -> None:
    files.write_atomic(tmp_path / "whole", "")
    (tmp_path / ".hidden").touch()
    (tmp_path / ".other.tool.0123abcd").touch()
    assert list(unfinished(tmp_path)) == [left]
    remove_unfinished(tmp_path)
    names = sorted(path.name for path in tmp_path.rglob("*"))
    assert names == [".hidden", ".other.tool.0123abcd", "deep", "whole"]


def test_a_folder_of_a_killed_process_is_removed_whole(left: Path, tmp_path: Path) -> None:
    folder = left.with_name(left.name.replace("result.json", "data"))
    folder.mkdir()
    (folder / left.name).touch()
    assert sorted(unfinished(tmp_path)) == sorted([left, folder])
    remove_unfinished(tmp_path)
    assert list((tmp_path / "deep").iterdir()) == []


def test_the_files_of_a_living_process_stay(tmp_path: Path) -> None:
    mine, folder = temporary_path(tmp_path / "a"), temporary_path(tmp_path / "b")
    mine.touch()
    folder.mkdir()
    (folder / f".c.{2**22 + 1}.00000000").touch()  # its writer decides over the whole folder
    remove_unfinished(tmp_path)
    assert mine.exists()
    assert len(list(folder.iterdir())) == 1


def test_a_process_that_began_after_the_last_change_is_not_the_writer(tmp_path: Path) -> None:
    """As in a container, where the numbers of processes begin at 1 again."""
    path = temporary_path(tmp_path / "a")
    path.touch()
    before = time.time() - 86_400
    os.utime(path, (before, before))
    remove_unfinished(tmp_path)
    assert not path.exists()


def test_what_goes_on_removes_what_a_killed_process_left(tmp_path: Path) -> None:
    gone = 2**22 + 1  # above the largest number of a process
    run = RunFolder(tmp_path / "runs" / "a-1")
    left = [
        run.path / f".result.json.{gone}.0123abcd",
        tmp_path / f".settings.yaml.{gone}.0123abcd",
    ]
    run.path.mkdir(parents=True)
    for path in left:
        path.touch()
    settings.read(tmp_path)
    with run.lock():
        assert not any(path.exists() for path in left)
    assert (tmp_path / "settings.yaml").exists()


def test_data_are_prepared_beside_nothing_that_a_killed_process_left(tmp_path: Path) -> None:
    experiment = load("params/demo.yaml", ["data.limit=20"])
    left = tmp_path / "prepared" / f".abc.{2**22 + 1}.0123abcd"
    left.mkdir(parents=True)
    (left / "tensors.safetensors").touch()
    prepared = prepare(experiment.data, experiment.task, tmp_path)
    assert [path.name for path in (tmp_path / "prepared").iterdir()] == [prepared.sha256]
