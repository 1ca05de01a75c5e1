"""Disks that are full or read-only, and folders of another user: one line with the path, status 2,
nothing lost; the same command goes on once there is room."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command import environment

from flows import settings
from rnnkit.runtime.disk import disk_error

HOUSE = Path(__file__).parents[3]
DISK_BYTES = 16 << 20
NOBODY = 65_534
COMPARED = "seeds: [0, 1]\n"
SEARCHED = (
    "tune: {trials: 2, workers: 1, search: {train.optimizer.learning_rate: {low: 0.01, high: 0.1}}}"
)


def rnnkit(
    folder: Path, *arguments: str, prefix: tuple[str, ...] = (), output: Any = None, **more: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*prefix, sys.executable, "-m", "flows.cli", *arguments],
        cwd=folder,
        stdout=output or subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
        env=environment(PYTHONPATH=str(HOUSE), **more),
    )


def refusal(done: "subprocess.CompletedProcess[str]") -> str:
    """The line of a command that was refused."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    lines = [line for line in done.stderr.splitlines() if "EventsWorker" not in line]
    (line,) = lines  # Prefect warns on a busy machine that its last events are still on their way
    assert line.startswith("rnnkit: ")
    return line.removeprefix("rnnkit: ")


class SmallDisk:
    """A mounted file system of a few MB."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def leave(self, free: int) -> None:
        """Fill the disk but for some bytes."""
        with self._filler.open("wb") as file:
            file.truncate()
            room = os.statvfs(self.path)
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - free)

    def empty(self) -> None:
        """Make room again."""
        self._filler.unlink()


def mount(*arguments: str | Path) -> None:
    """Mount, or skip the test where that is not allowed."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    if shutil.which("mount") is None:
        pytest.skip("there is no mount on this system")
    place = tmp_path / "disk"
    place.mkdir()
    mount("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", place)
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "-l", place], check=False)


@pytest.fixture
def copied(here: Path, tmp_path: Path) -> Path:
    """A copy of the folder with a finished run, and with one that was interrupted."""
    folder = tmp_path / "copied"
    shutil.copytree(here, folder)
    (folder / "mlruns" / "settings.yaml").write_text(settings.TEXT)
    run = next((folder / "mlruns" / "runs").iterdir())
    half = run.with_name("half-0123456789")
    half.mkdir()
    shutil.copy(run / "params.yaml", half)
    shutil.copy(run / "fingerprint.json", half)
    (half / "lock").touch()
    os.utime(half / "params.yaml", (0, 0))
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ("runs",),
        ("data", "list"),
        ("--help",),
        ("check", "a.yaml"),
        ("predict", "last", "t.jsonl"),
        ("evaluate", "last", "--json"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_output_to_a_full_disk_is_told_and_no_traceback(
    here: Path, arguments: tuple[str, ...]
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full on this system")
    with Path("/dev/full").open("w") as full:
        message = refusal(rnnkit(here, *arguments, output=full))
    assert message.startswith("standard output: no space left on device; free some of it")


def test_a_reader_that_ends_early_is_no_failure(here: Path) -> None:
    """As `rnnkit predict … | head -1`."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = rnnkit(here, "predict", "last", "t.jsonl", output=closed)
    assert (done.returncode, done.stderr) == (1, "")


def test_new_on_a_full_disk_leaves_nothing_and_works_once_there_is_room(disk: SmallDisk) -> None:
    disk.leave(0)
    message = refusal(rnnkit(disk.path, "new", "demo"))
    assert message.startswith("demo.yaml: no space left on device; free some of it")
    assert [path.name for path in disk.path.iterdir()] == ["filler"]
    disk.empty()
    assert rnnkit(disk.path, "new", "demo").returncode == 0
    assert "is there already" in refusal(rnnkit(disk.path, "new", "demo"))


@pytest.mark.parametrize("free", [0, 8 << 10], ids=["settings", "prepared data"])
def test_check_on_a_full_disk(here: Path, disk: SmallDisk, free: int) -> None:
    home = disk.path / "mlruns"
    disk.leave(free)
    arguments = ("check", "a.yaml", "--set", "data.limit=30", "--mlruns", str(home))
    message = refusal(rnnkit(here, *arguments))
    assert re.match(rf"(--mlruns )?{home}[^ ]*: .*no space left on device", message, re.IGNORECASE)
    assert not list(disk.path.rglob(".*"))
    disk.empty()
    done = rnnkit(here, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(disk.path.rglob(".*"))


@pytest.mark.parametrize(
    ("verb", "more", "free"),
    [
        ("run", "", 200 << 10),
        pytest.param("run", "", 20 << 10, marks=pytest.mark.faults),
        pytest.param("compare", COMPARED, 60 << 10, marks=pytest.mark.faults),
        pytest.param("run", SEARCHED, 200 << 10, marks=pytest.mark.faults),
    ],
    ids=["run", "run that has not begun", "compare", "sweep"],
)
def test_a_run_that_fills_the_disk_goes_on_once_there_is_room(
    here: Path, disk: SmallDisk, tmp_path: Path, prefect_api: str, verb: str, more: str, free: int
) -> None:
    home = disk.path / "mlruns"
    shutil.copy(here / "t.jsonl", tmp_path)
    (tmp_path / "a.yaml").write_text((here / "a.yaml").read_text() + more)

    def start(place: Path) -> "subprocess.CompletedProcess[str]":
        arguments = (verb, "a.yaml", "--json", "--mlruns", str(place))
        return rnnkit(tmp_path, *arguments, PREFECT_API_URL=prefect_api)

    database = tmp_path / "warm" / "mlflow.db"  # made on another disk, to fill this one later
    undisturbed = start(database.parent)
    assert undisturbed.returncode == 0, undisturbed.stderr
    home.mkdir()
    shutil.copytree(database.parent / "matplotlib", home / "matplotlib", dirs_exist_ok=True)
    disk.leave(free)
    message = refusal(start(home))
    assert re.search(rf"{disk.path}.*: no space left on device; free some of it", message)
    disk.empty()
    done = start(home)
    assert done.returncode == 0, done.stderr
    assert _lasting(json.loads(done.stdout)) == _lasting(json.loads(undisturbed.stdout))
    assert not [path for path in home.glob("[!mp]*/**/.*") if path.is_file()]


def _lasting(result: Any) -> Any:
    """A result without what differs from run to run: times, memory and places."""
    if isinstance(result, dict):
        changing = ("seconds", "memory", "folder", "trials")
        return {key: _lasting(value) for key, value in result.items() if key not in changing}
    return [_lasting(value) for value in result] if isinstance(result, list) else result


def test_a_table_that_fills_the_disk_is_told_with_the_place(disk: SmallDisk) -> None:
    """Parquet's own writer names no path."""
    import pandas

    disk.leave(0)
    with pytest.raises(OSError, match="No space left") as caught:
        pandas.DataFrame({"x": range(100_000)}).to_parquet(disk.path / "a.parquet")
    message = str(disk_error(caught.value, disk.path))
    assert message.startswith(f"{disk.path}: no space left on device; free some of it")


WORK = (("runs",), ("check", "a.yaml"), ("predict", "last", "t.jsonl"), ("evaluate", "last"))
"""What needs no place on the disk once the data are prepared."""
WRITE = (
    ("check", "a.yaml", "--set", "data.limit=30"),
    ("run", "a.yaml", "--again"),
    ("compare", "a.yaml", "--set", "seeds=[0, 1]"),
    ("clean", "--yes", "--older-than", "1s"),
    ("schedule", "a.yaml", "--every", "1h"),
)


def test_a_read_only_folder(copied: Path) -> None:
    home = copied / "mlruns"
    mount("--bind", home, home)
    try:
        mount("-o", "remount,ro,bind", home)
        _works_but_writes_nothing(lambda *arguments: rnnkit(copied, *arguments), home)
    finally:
        subprocess.run(["umount", "-l", home], check=False)


def test_a_folder_of_another_user(copied: Path) -> None:
    home, prefix = copied / "mlruns", ()
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere, and there is no setpriv on this system")
        prefix = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
        for path in (home, *home.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    for path in (home, *home.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    _works_but_writes_nothing(lambda *arguments: rnnkit(copied, *arguments, prefix=prefix), home)
    home.chmod(0)
    for arguments in (("check", "a.yaml"), ("run", "a.yaml")):
        message = refusal(rnnkit(copied, *arguments, prefix=prefix))
        assert re.search(rf"{home}.*: .*permission denied", message, re.IGNORECASE)
    home.chmod(0o755)


def _works_but_writes_nothing(
    start: Callable[..., "subprocess.CompletedProcess[str]"], home: Path
) -> None:
    before = sorted(home.rglob("*"))
    for arguments in WORK:
        done = start(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments
    for arguments in WRITE:
        message = refusal(start(*arguments))
        pattern = rf"{home}.*: .*(read-only file system|permission denied)"
        assert re.search(pattern, message, re.IGNORECASE), arguments
    assert sorted(home.rglob("*")) == before
