"""Atomic writes, hashes, manifests and journals."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnkit.errors import InputError
from rnnkit.runtime import files


def test_a_written_file_holds_the_content_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    files.write_atomic(tmp_path / "a", "grün")
    files.write_atomic(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_atomic(tmp_path / "a", "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomic(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_sha256_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000  # more than one block
    (tmp_path / "a").write_bytes(content)
    assert files.sha256_file(tmp_path / "a") == files.sha256_bytes(content)


def test_named_contents_cannot_be_shifted_into_one_another() -> None:
    assert files.sha256_named([("a", b"bc")]) != files.sha256_named([("ab", b"c")])
    assert files.sha256_named([("a", b"")]) != files.sha256_named([("a", b""), ("b", b"")])


@given(st.dictionaries(st.text(), st.integers() | st.floats(allow_nan=False) | st.text()))
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: dict) -> None:
    value = {key: item for key, item in value.items() if item not in (float("inf"), -float("inf"))}
    assert files.canonical_json(value) == files.canonical_json(dict(reversed(value.items())))


def test_canonical_json_refuses_what_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.canonical_json(float("nan"))


def test_read_json_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match=r"a\.json: a JSON file is needed, but Expecting"):
        files.read_json(tmp_path / "a.json")


def test_a_manifest_finds_every_difference(tmp_path: Path) -> None:
    for name in ("same", "changed", "lost", ".hidden"):
        (tmp_path / name).write_text(name)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "deep").write_text("deep")
    manifest = files.write_manifest(tmp_path, names=None)
    assert set(manifest) == {"same", "changed", "lost", "below/deep"}
    assert files.verify_manifest(tmp_path) == []
    (tmp_path / "changed").write_text("changes")
    (tmp_path / "lost").unlink()
    assert files.verify_manifest(tmp_path) == [
        "changed differs from its sha256 in manifest.json",
        "lost is missing",
    ]


@pytest.mark.parametrize(
    ("content", "difference"),
    [(None, "is missing"), ("{", "is not JSON"), ("[]", "is no table of names and hashes")],
)
def test_a_bad_manifest_is_a_difference(
    tmp_path: Path, content: str | None, difference: str
) -> None:
    if content is not None:
        (tmp_path / files.MANIFEST).write_text(content)
    assert files.verify_manifest(tmp_path) == [f"manifest.json {difference}"]


@given(keep=st.integers(min_value=0), text=st.text())
def test_a_journal_torn_anywhere_gives_its_whole_lines_and_goes_on(
    tmp_path_factory: pytest.TempPathFactory, keep: int, text: str
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    records = [{"step": 1}, {"text": text}, {"step": 3}]
    for record in records:
        files.append_line(path, record)
    content = path.read_bytes()
    torn = content[: keep % (len(content) + 1)]
    path.write_bytes(torn)
    whole = torn.count(b"\n")
    assert files.read_lines(path) == records[:whole]
    files.append_line(path, {"step": "next"})
    assert files.read_lines(path) == [*records[:whole], {"step": "next"}]


def test_a_journal_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert files.read_lines(tmp_path / "journal.jsonl") == []


def test_a_damaged_line_inside_a_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(json.dumps({"step": 1}) + "\n[1]\n" + json.dumps({"step": 3}) + "\n")
    with pytest.raises(
        InputError, match=r"journal\.jsonl, line 2: a line must be as it was written"
    ):
        files.read_lines(path)


def test_every_flipped_bit_of_a_journal_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    records: list[dict[str, Any]] = [{"epoch": 1}, {"epoch": 2, "loss": 0.1}, {"kind": "épo"}]
    for record in records:
        files.append_line(path, record)
    content = path.read_bytes()
    for position in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[position] ^= 1 << bit
            path.write_bytes(damaged)
            whole, damage = files.read_whole_lines(path)
            first = content[:position].count(b"\n")
            if position == len(content) - 1:  # the last line break: an incomplete line
                assert (whole, damage) == (records[:2], "") or damage
            elif damage:
                assert whole == records[: len(whole)]
                assert len(whole) in (first, first - 1)
            else:  # the key of the first line's checksum, as of an older version's line
                assert first == 0
                assert {**whole[0], **records[0]} == whole[0]


def test_lines_of_an_older_version_need_no_checksum(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"step": 1}\n')
    files.append_line(path, {"step": 2})
    assert files.read_lines(path) == [{"step": 1}, {"step": 2}]
    path.write_text(path.read_text() + '{"step":3}\n')
    with pytest.raises(InputError, match=r"line 3: .* checksum is not that of its content"):
        files.read_lines(path)


def test_a_traceback_is_kept_where_it_can_be(tmp_path: Path) -> None:
    try:
        raise ValueError("no luck")
    except ValueError:
        where = files.write_traceback(tmp_path / "new")
        assert where == f"; the traceback is in {tmp_path / 'new' / 'traceback.txt'}"
        assert "ValueError: no luck" in (tmp_path / "new" / "traceback.txt").read_text()
        (tmp_path / "file").touch()
        assert files.write_traceback(tmp_path / "file" / "folder") == ""
