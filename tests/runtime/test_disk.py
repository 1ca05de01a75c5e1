"""Failures of the disk as one line, and paths that people give."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from rnnkit.errors import InputError
from rnnkit.runtime import files
from rnnkit.runtime.disk import NEXT_STEPS, disk_error, naming, user_path


def raised(number: int, *path: str) -> OSError:
    return OSError(number, os.strerror(number), *path)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "/a/b: no space left on device; free some of it and give the command again"),
        (errno.EDQUOT, "/a/b: disk quota exceeded; free some of it and give the command again"),
        (errno.EROFS, "/a/b: read-only file system; give this user the rights, or name another"),
        (errno.EACCES, "/a/b: permission denied; give this user the rights, or name another place"),
        (errno.EIO, "/a/b: input/output error; see to the disk and give the command again, or nam"),
        (errno.ENAMETOOLONG, "/a/b: file name too long; name a shorter one"),
        (errno.EISDIR, "/a/b: is a directory; see what is there and give the command again"),
    ],
)
def test_a_failure_names_its_path_and_the_next_step(number: int, message: str) -> None:
    assert str(disk_error(raised(number, "/a/b"), "/mlruns")).startswith(message)


def test_a_failure_without_a_path_is_that_of_the_place() -> None:
    failure = disk_error(raised(errno.ENOSPC), "/mlruns")
    assert str(failure).startswith("/mlruns: no space left on device; free")


def test_a_failed_rename_names_the_new_path() -> None:
    failure = disk_error(OSError(errno.ENOSPC, "", "/a/.b.1.0", None, "/a/b"), "/mlruns")
    assert str(failure).startswith("/a/b: no space left")


def test_the_failure_behind_another_is_found() -> None:
    error = RuntimeError("the task failed")
    error.__cause__ = raised(errno.ENOSPC, "/a/b")
    assert str(disk_error(error, "/mlruns")).startswith("/a/b: no space left on device")


def test_what_is_no_failure_of_a_disk_is_left_alone() -> None:
    for error in (
        None,
        ValueError("a bug"),
        raised(errno.ECONNREFUSED),
        raised(errno.EACCES),  # of a socket: without a path
        OSError("without a number"),
    ):
        assert disk_error(error, "/mlruns") is None
    error = ValueError("a bug")
    error.__context__ = raised(errno.ENOENT, "/a/b")  # an absent file may have been expected
    assert disk_error(error, "/mlruns") is None


def test_a_database_on_a_full_or_read_only_disk_is_told_with_its_place(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "a.db")
    database.execute("CREATE TABLE t (x)")
    database.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as full:
        database.execute("INSERT INTO t VALUES (zeroblob(100000))")
    database.close()
    assert str(disk_error(full.value, tmp_path)).startswith(f"a database in {tmp_path}: no space l")
    database = sqlite3.connect(f"file:{tmp_path}/a.db?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as read_only:
        database.execute("CREATE TABLE u (x)")
    database.close()
    assert "read-only file system" in str(disk_error(read_only.value, tmp_path))


@pytest.mark.parametrize("number", NEXT_STEPS)
def test_writes_name_the_file_and_not_its_temporary_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(descriptor: int) -> None:
        raise raised(number)

    monkeypatch.setattr(os, "fsync", fail)
    for write in (
        lambda: files.write_atomic(tmp_path / "a", "x"),
        lambda: files.write_json(tmp_path / "a", {}),
        lambda: files.append_line(tmp_path / "a", {}),
    ):
        with pytest.raises(OSError, match=r"a'$") as caught:
            write()
        assert caught.value.filename == str(tmp_path / "a")
        assert str(disk_error(caught.value, "/mlruns")).startswith(f"{tmp_path / 'a'}: ")


def test_a_path_is_put_in_and_what_is_no_failure_of_a_file_passes() -> None:
    with pytest.raises(OSError, match=r"No space left on device: 'out'") as caught, naming("out"):
        raise raised(errno.ENOSPC)
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(ValueError, match="a bug"), naming("out"):
        raise ValueError("a bug")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("~nosuch/a.csv", "~nosuch/a.csv: there is no user 'nosuch'"),
        ("a\0b", r"a\x00b: no file can have such a name"),
        ("\ud800", r"\ud800: no file can have such a name"),
        ("x" * 5000, "name too long; name a shorter one"),
        ("x/" * 2500, "name too long; name a shorter one"),
    ],
)
def test_a_path_that_cannot_be_one_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        user_path(text)
    assert message in str(caught.value)


def test_a_path_below_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> os.stat_result:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(InputError, match="permission denied; give this user the rights"):
        user_path(str(tmp_path / "a"))


def test_a_path_may_be_absent_or_begin_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    assert user_path("~/a/b") == Path("/home/anna/a/b")
    assert user_path("no/such/file") == Path("no/such/file")
    assert user_path("pyproject.toml/inside") == Path("pyproject.toml/inside")
