"""An output folder on a disk of its own that is full, or read-only, for a while.

Needs a system on which this process may mount; elsewhere `test_failing_disks` has the same failures
without what SQLite and Parquet write.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.experiments import PLAIN
from faults.harness import COMMAND_SECONDS, Reference, Twin, fresh, interrupted, recovered
from faults.started import Ended, Starter
from faults.tally import Tally

DISK_BYTES = 64 << 20
FREE_KIB = (0, 20, 100, 300, 600, 1_000, 1_500, 2_000)
"""Space that is left when a run begins; a whole run needs about 2 MB."""

MakeTally = Callable[[str], Tally]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory; skips the test where it cannot be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(place)]
    try:
        done = subprocess.run(["mount", *options], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no program `mount`")
    if done.returncode:
        pytest.skip(f"this process may not mount a file system: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def on(disk: Path, folder: Path, starter: Starter) -> Twin:
    """A training whose output folder lies on a disk."""
    twin = fresh(PLAIN, folder, starter)
    shutil.move(twin.home, disk / "mlruns")
    twin.home.symlink_to(disk / "mlruns")
    return twin


def told(twin: Twin) -> Ended:
    """A command on a disk that fails: it ends well, or in a line that names a place on it."""
    ended = twin.start().wait(COMMAND_SECONDS)
    assert ended.status in (0, 1, 2), ended
    assert ended.untidy == [], f"more than lines of ours: {ended.err[-1000:]}"
    if ended.status:
        assert str(twin.home.resolve()) in ended.err, f"no path is named: {ended.err}"
    return ended


def fill(disk: Path, free: int) -> Path:
    """Fills a disk but for some bytes, with a file."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - free)))
    return ballast


def run_full(reference: Reference, twin: Twin, disk: Path, free: int) -> list[str]:
    """A run on a disk with too little space, and once more with enough; what is wrong."""
    ballast = fill(disk, free)
    try:
        told(twin)
    except AssertionError as error:
        return [str(error)]
    finally:
        ballast.unlink()
    return recovered(reference, twin)


def test_a_full_disk(
    plain: Reference, disk: Path, tmp_path: Path, starter: Starter, tally: MakeTally
) -> None:
    counts = tally("full disk")
    counts.add(run_full(plain, on(disk, tmp_path / "0", starter), disk, 200 << 10), "200 KiB free")
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("free", FREE_KIB)
def test_disks_with_less_space_than_a_run_needs(
    plain: Reference, disk: Path, tmp_path: Path, starter: Starter, tally: MakeTally, free: int
) -> None:
    counts = tally("full disk")
    twin = on(disk, tmp_path / "0", starter)
    counts.add(run_full(plain, twin, disk, free << 10), f"{free} KiB free")
    counts.check()


@pytest.mark.faults
def test_a_disk_that_is_read_only(
    plain: Reference, disk: Path, tmp_path: Path, starter: Starter, tally: MakeTally
) -> None:
    """A run that was begun before goes on when the disk can be written again."""
    counts = tally("read-only disk")
    twin = interrupted(plain, on(disk, tmp_path / "0", starter), "epoch-000003.")
    remount = ["mount", "-o", "remount,ro", str(disk)]
    subprocess.run(remount, check=True)
    try:
        ended = told(twin)
        wrong = [] if ended.status else ["it ended well"]
    except AssertionError as error:
        wrong = [str(error)]
    finally:
        subprocess.run([*remount[:2], "remount,rw", str(disk)], check=True)
    counts.add(wrong or recovered(plain, twin), "in the run that goes on")
    counts.check()
