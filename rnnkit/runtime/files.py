"""Crash-safe files: atomic writes, hashes, manifests and journals. Does not import torch."""

import hashlib
import json
import mmap
import os
import traceback
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rnnkit.errors import InputError
from rnnkit.runtime.disk import naming
from rnnkit.runtime.secrets import without_secrets
from rnnkit.runtime.unfinished import temporary_path

MANIFEST = "manifest.json"


def sha256_bytes(content: bytes) -> str:
    """SHA-256 of bytes, in hex.

    >>> sha256_bytes(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical_json(value: Any) -> str:
    """Canonical JSON text of a value: sorted keys, no spaces, no NaN.

    >>> canonical_json({"b": 1, "a": [2.0, None]})
    '{"a":[2.0,null],"b":1}'

    Raises:
        ValueError: NaN or infinity, which JSON cannot represent.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256_json(value: Any) -> str:
    """SHA-256 of a value's canonical JSON; independent of key order.

    >>> sha256_json({"a": 1, "b": 2}) == sha256_json({"b": 2, "a": 1})
    True
    """
    return sha256_bytes(canonical_json(value).encode())


def sha256_named(contents: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256 over several named contents; depends on names, contents and order."""
    digest = hashlib.sha256()
    for name, content in contents:
        digest.update(f"{name}\0{sha256_bytes(content)}\n".encode())
    return digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Fsync a folder, so that renames in it are durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file atomically: temporary name, fsync, rename.

    Text is written as UTF-8. The old file stays until the new one is on disk.
    """
    raw = content.encode() if isinstance(content, str) else content
    temporary = temporary_path(path)
    with naming(path):
        try:
            with temporary.open("xb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically."""
    write_atomic(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(
            f"{path}: a JSON file is needed, but {error}; delete it and run again"
        ) from None


def write_manifest(folder: Path, names: Iterable[str] | None) -> dict[str, str]:
    """Write `manifest.json`: relative path -> sha256.

    Args:
        folder: the folder to describe; the manifest is written into it.
        names: relative paths with forward slashes; None: every file below the folder except the
            manifest and hidden files (a leading dot marks an unfinished write).
    """
    if names is None:
        paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        visible = (path for path in paths if not any(part[0] == "." for part in path.parts))
        names = (path.as_posix() for path in visible if path != Path(MANIFEST))
    manifest = {name: sha256_file(folder / name) for name in sorted(names)}
    write_json(folder / MANIFEST, manifest)
    return manifest


def verify_manifest(folder: Path, prefix: str = "", required: Iterable[str] = ()) -> list[str]:
    """Differences from a folder's manifest, one sentence each; empty if there are none.

    Files that the manifest does not name are ignored.

    Args:
        folder: the folder with the manifest.
        prefix: verify only the files whose names begin with it.
        required: names that the manifest must have.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return [f"{MANIFEST} is missing"]
    except (ValueError, RecursionError):
        return [f"{MANIFEST} is not JSON"]
    if not isinstance(manifest, Mapping):
        return [f"{MANIFEST} is no table of names and hashes"]
    differences = [f"{MANIFEST} does not name {name}" for name in required if name not in manifest]
    for name, expected in manifest.items():
        if not name.startswith(prefix):
            continue
        path = folder / name
        if not path.is_file():
            differences.append(f"{name} is missing")
        elif sha256_file(path) != expected:
            differences.append(f"{name} differs from its sha256 in {MANIFEST}")
    return differences


CHECKSUM = "crc32"
"""Key of a journal's line: CRC-32 of the line's canonical JSON without this key."""


def journal_line(record: Mapping[str, Any]) -> str:
    """A record as a line of a journal, with its checksum."""
    return canonical_json({**record, CHECKSUM: _crc32(record)}) + "\n"


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Append one JSON line with a checksum and fsync it. Cuts off an incomplete last line first."""
    created = not path.exists()
    with naming(path):
        with path.open("a+b") as file:
            if file.seek(0, os.SEEK_END):
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                    complete = content.rfind(b"\n") + 1
                file.truncate(complete)
            file.write(journal_line(record).encode())
            file.flush()
            os.fsync(file.fileno())
        if created:
            sync_folder(path.parent)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a JSONL journal; skip an incomplete last line.

    Raises:
        InputError: a line was edited or damaged.
    """
    records, damage = read_whole_lines(path)
    if damage:
        raise InputError(f"{path}, {damage}; restore the file or delete its folder")
    return records


def read_whole_lines(path: Path) -> tuple[list[dict[str, Any]], str]:
    """Records of a JSONL journal up to the first damaged line, and what is wrong with that line;
    empty if all are whole.

    An incomplete last line is no damage. Lines of older versions have no checksum; from the first
    line that has one, all must.
    """
    if not path.exists():
        return [], ""
    records: list[dict[str, Any]] = []
    needs_checksum = False
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError("it is no JSON object")
            needs_checksum |= CHECKSUM in record
            if needs_checksum and record.pop(CHECKSUM, None) != _crc32(record):
                raise ValueError("its checksum is not that of its content")
        except (ValueError, RecursionError) as error:
            return records, f"line {number}: a line must be as it was written, but {error}"
        records.append(record)
    return records, ""


def _crc32(record: Mapping[str, Any]) -> str:
    return f"{zlib.crc32(canonical_json(record).encode()):08x}"


def write_traceback(folder: Path) -> str:
    """Write the traceback of the current exception to `traceback.txt` in a folder.

    Returns:
        its path, as the end of a message; empty if it cannot be written.
    """
    path = folder / "traceback.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = without_secrets(traceback.format_exc())
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError:
        return ""
    return f"; the traceback is in {path}"
