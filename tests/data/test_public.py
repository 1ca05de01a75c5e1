"""Public data sets: the table, and the download, from a server on loopback."""

import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rnnkit.data import public
from rnnkit.errors import InputError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which it is served."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def put(folder: Path, name: str, source: Path) -> None:
    """Lays a set's files where GitHub would have them."""
    for file in public.files_of(name):
        place = folder / file.repository / file.commit / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((source.parent / file.file).read_bytes())


def fetch(name: str, to: Path, address: str, seen: list[tuple[int, int]] | None = None) -> Path:
    raw = address + "/{repository}/{commit}/{path}"
    archive = address + "/{repository}/archive/{commit}.zip"
    seen = [] if seen is None else seen
    return public.fetch(name, to, lambda *done: seen.append(done), raw, archive)


def test_every_set_has_files_and_every_file_a_set() -> None:
    assert len(public.sets()) == 18
    for name in public.sets():
        files = public.files_of(name)
        assert files
        assert all(len(f.sha256) == 64 and len(f.commit) == 40 and f.path for f in files)
    assert len(public.files_of("speech_fsdd")) == 3_001


def test_the_table_is_that_of_the_public_data(public_data: Any) -> None:
    folder = public_data("music_jsb").parent
    for name in public.sets():
        for file in public.files_of(name)[:5]:
            assert (folder / file.file).stat().st_size == file.bytes


def test_a_set_is_fetched_whole_and_once(served: Any, public_data: Any, tmp_path: Path) -> None:
    folder, address = served
    source = public_data("cls_trec6")
    put(folder, "cls_trec6", source)
    seen: list[tuple[int, int]] = []
    place = fetch("cls_trec6", tmp_path / "to", address, seen)
    for file in source.glob("TREC*"):
        assert (place / file.name).read_bytes() == file.read_bytes()
    assert seen[-1] == (4, 4)
    (place / "TREC.test").write_text("damaged")
    for kept in folder.rglob("TREC.train"):
        kept.unlink()  # what is whole is not asked for
    fetch("cls_trec6", tmp_path / "to", address)
    assert (place / "TREC.test").read_bytes() == (source / "TREC.test").read_bytes()


def test_a_set_of_many_files_comes_as_an_archive(
    served: Any, public_data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = served
    source = public_data("cls_trec6")
    file, *_ = files = public.files_of("cls_trec6")
    place = folder / file.repository / "archive" / f"{file.commit}.zip"
    place.parent.mkdir(parents=True)
    top = f"{file.repository.split('/')[1]}-{file.commit}"
    with zipfile.ZipFile(place, "w") as packed:
        for one in files:
            packed.writestr(f"{top}/{one.path}", (source.parent / one.file).read_bytes())
    monkeypatch.setattr(public, "ARCHIVE_FILES", 3)
    found = fetch("cls_trec6", tmp_path / "to", address)
    assert (found / "TREC.train").read_bytes() == (source / "TREC.train").read_bytes()
    assert [p.name for p in (tmp_path / "to").iterdir()] == ["cls_trec6"]


def test_a_file_that_is_another_is_not_kept(served: Any, public_data: Any, tmp_path: Path) -> None:
    folder, address = served
    put(folder, "gen_names_makemore", public_data("gen_names_makemore"))
    (name,) = folder.rglob("names.txt")
    name.write_text("somebody else's")
    with pytest.raises(InputError, match="has changed: its sha256 differs"):
        fetch("gen_names_makemore", tmp_path / "to", address)
    assert not list((tmp_path / "to").rglob("names.txt"))


def test_what_cannot_be_fetched_is_said_in_a_line(served: Any, tmp_path: Path) -> None:
    _, address = served
    with pytest.raises(InputError, match="cannot be fetched, 404"):
        fetch("gen_names_makemore", tmp_path, address)
    with pytest.raises(InputError, match="cannot be fetched"):
        fetch("gen_names_makemore", tmp_path, "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"there is no such public data set \(did you mean lm_ptb"):
        public.files_of("lm_ptp")
    with pytest.raises(InputError, match="rnnkit data list names them"):
        public.files_of("zzz")
