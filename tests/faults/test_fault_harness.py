"""The harness itself: two undisturbed runs are equal, each difference is seen, faults happen."""

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from command import ROOT
from faults.damage import KINDS
from faults.harness import Reference, Twin, compare, copied
from faults.injection import VARIABLE, Fault
from faults.started import CASE, Starter

MakeTwin = Callable[[Reference], Twin]


def test_two_undisturbed_runs_are_equal(plain: Reference, twin: MakeTwin) -> None:
    again = twin(plain)
    ended = again.start().wait(100)
    assert (ended.status, ended.err) == (0, "")
    assert compare(plain, again) == []


def change(name: str) -> Callable[[Twin], None]:
    """Changes a byte in the middle of a file of the run."""

    def flip(twin: Twin) -> None:
        file = twin.run / name
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)

    return flip


def drop_record(twin: Twin) -> None:
    journal = twin.run / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    (place, *_) = (k for k, line in enumerate(lines) if '"kind":"step"' in line)
    journal.write_text("".join(lines[:place] + lines[place + 1 :]))


def change_result(twin: Twin) -> None:
    file = twin.run / "result.json"
    result = json.loads(file.read_text())
    file.write_text(json.dumps({**result, "best_epoch": result["best_epoch"] + 1}))


def in_mlflow(statement: str) -> Callable[[Twin], None]:
    """Changes MLflow's database."""

    def execute(twin: Twin) -> None:
        with closing(sqlite3.connect(twin.home / "mlflow.db")) as database, database:
            assert database.execute(statement).rowcount > 0

    return execute


TWICE = (
    "INSERT INTO metrics SELECT key, value, timestamp + 1, run_uuid, step, is_nan FROM metrics "
    "WHERE key = 'train/loss'"
)
CHANGES: dict[str, tuple[Callable[[Twin], None], str]] = {
    "weights": (change("model/weights.safetensors"), "model/weights.safetensors"),
    "predictions": (change("predictions.parquet"), "predictions.parquet"),
    "result": (change_result, "result.json"),
    "record": (drop_record, "journal.jsonl"),
    "another run": (lambda twin: (twin.home / "runs" / "other-1").mkdir(), "files"),
    "row twice": (in_mlflow(TWICE), "2 times"),
    "lost row": (in_mlflow("DELETE FROM metrics WHERE key = 'train/loss'"), "rows"),
    "other value": (in_mlflow("UPDATE metrics SET value = 7 WHERE key = 'valid/loss'"), "rows"),
    "running": (in_mlflow("UPDATE runs SET status = 'RUNNING'"), "RUNNING"),
    "unfinished write": (lambda twin: (twin.run / ".a.json.1.ab").touch(), "unfinished write"),
    "unfinished folder": (lambda twin: (twin.home / "tmpabcd1234").mkdir(), "unfinished write"),
}
"""What -> (a change to an output folder, part of the line that must tell it)."""


@pytest.mark.parametrize("what", CHANGES)
def test_every_difference_is_seen(plain: Reference, tmp_path: Path, what: str) -> None:
    make, line = CHANGES[what]
    changed = copied(plain.twin, tmp_path / "0")
    assert compare(plain, changed) == []
    make(changed)
    assert any(line in difference for difference in compare(plain, changed))


def test_a_process_and_a_lock_that_are_left_are_seen(
    plain: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faults.remains.END_SECONDS", 0.5)
    twin = copied(plain.twin, tmp_path / "0")
    hold = (
        "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.flock(f, 2); print(flush=True)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", f"{hold}; time.sleep(60)", twin.run / "lock"],
        stdout=subprocess.PIPE,
        env={**os.environ, CASE: str(twin.folder)},
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        left = compare(plain, twin)
        process.kill()
    assert any(line.startswith(f"process {process.pid} is left") for line in left)
    assert any(line.endswith("lock is locked") for line in left)


WRITING = """
import sys
from pathlib import Path
from rnnkit.runtime.files import append_line, write_atomic
folder = Path(sys.argv[1])
for name in "ab":
    write_atomic(folder / name, name * 1000)
append_line(folder / "c", {"time": int(__import__("time").time())})
with open(folder / "d", "w") as text:
    text.write("d" * 10)
"""


def written(folder: Path, starter: Starter, **what: object) -> "subprocess.CompletedProcess[str]":
    """A program that writes four files, with a fault."""
    (folder / "out").mkdir()
    fault = Fault(folder=str(folder / "out"), log=str(folder / "log"), **what)  # type: ignore[arg-type]
    path = os.pathsep.join([str(starter.sites), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-c", WRITING, folder / "out"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path, VARIABLE: json.dumps(asdict(fault))},
        start_new_session=True,
    )


def test_operations_are_counted(tmp_path: Path, starter: Starter) -> None:
    assert written(tmp_path, starter, action="count").returncode == 0
    lines = (tmp_path / "log").read_text().splitlines()
    kinds = [line.partition(" ")[0] for line in lines]
    assert [kinds.count(kind) for kind in ("open", "write", "fsync", "rename")] == [4, 4, 6, 2]
    assert [line for line in lines if line.startswith("rename")] == ["rename a", "rename b"]


@pytest.mark.parametrize(
    ("what", "status", "files", "last"),
    [
        ({"operations": ("write",), "number": 2}, 1, {"a"}, "[Errno 28] No space left on device"),
        ({"operations": ("rename",), "number": 1, "error": "EIO"}, 1, set(), "[Errno 5]"),
        ({"operations": ("fsync",), "names": "c"}, 1, {"a", "b", "c"}, "[Errno 28]"),
        ({"operations": ("write",), "names": "d"}, 1, {"a", "b", "c", "d"}, "[Errno 28]"),
        ({"operations": ("open",), "number": 3, "error": "EROFS"}, 1, {"a", "b"}, "[Errno 30]"),
        ({"operations": ("rename",), "number": 2, "action": "kill before"}, -9, {"a"}, ""),
        ({"operations": ("rename",), "number": 2, "action": "kill after"}, -9, {"a", "b"}, ""),
    ],
)
def test_faults_happen(
    tmp_path: Path,
    starter: Starter,
    what: dict[str, object],
    status: int,
    files: set[str],
    last: str,
) -> None:
    done = written(tmp_path, starter, **what)
    assert done.returncode == status, done.stderr
    assert last in done.stderr
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir() if path.name[0] != "."} == files


def test_a_write_is_torn(tmp_path: Path, starter: Starter) -> None:
    fault = {"operations": ("write",), "number": 2, "action": "tear"}
    assert written(tmp_path, starter, **fault).returncode == -9
    (torn,) = (tmp_path / "out").glob(".b*")
    assert torn.read_text() == "b" * 500


def test_the_clock_is_set_back(tmp_path: Path, starter: Starter) -> None:
    fault = {"operations": ("write",), "number": 1, "action": "set the clock back"}
    assert written(tmp_path, starter, **fault).returncode == 0
    seen = json.loads((tmp_path / "out" / "c").read_text())["time"]
    assert 86_000 < (tmp_path / "out" / "c").stat().st_mtime - seen < 87_000


@pytest.mark.parametrize("how", KINDS)
def test_damage_changes_a_file(tmp_path: Path, how: str) -> None:
    file, content = tmp_path / "a", bytes(range(1, 201))
    file.write_bytes(content)
    KINDS[how](file, random.Random(0))
    after = file.read_bytes() if file.exists() else None
    assert after != content
    if how == "flip":
        assert after is not None
        changed = [a ^ b for a, b in zip(content, after, strict=True) if a != b]
        assert len(changed) == 1
        assert changed[0].bit_count() == 1
