"""`public:SET/FILE`: where a set is looked for, what is said when it is absent, and the run id."""

import os
from pathlib import Path
from typing import Any

import pytest

from flows.cli.datasets import data_fetch
from rnnkit.data.prepare import data_sha256
from rnnkit.data.public import FOLDERS, files_of
from rnnkit.data.sources import fingerprint, read
from rnnkit.data.sources.public_files import located
from rnnkit.errors import InputError
from rnnkit.evaluation.comparison.comparable import is_held_out
from rnnkit.params import Experiment, dump, load
from rnnkit.params.data import Files, Fractions
from rnnkit.runs.identity import inputs_sha256
from rnnkit.runs.run_folder import RunFolder

ROOT = Path(__file__).parents[2]
NAME, FILE = "cls_trec6", "cls_trec6/TREC.test"
SIZES = {file.file: file.bytes for file in files_of(NAME)}


def lay(folder: Path, file: str = FILE, size: int | None = None) -> Path:
    """A file of a set, of its right size; its lines are a label and a text each."""
    place = folder / file
    place.parent.mkdir(parents=True, exist_ok=True)
    line = b"LOC:city Where ?\nNUM:date When ?\n"
    count = SIZES[file] if size is None else size
    content = line * (count // len(line))
    place.write_bytes(content[:-1] + b"x" * (count - len(content)) + content[-1:])
    return place


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without data."""
    here = tmp_path / "checkout"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def experiment(path: str, test: str) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "x",
            "task": {"kind": "classification"},
            "data": {
                "source": {"kind": "labelled_text", "path": path, "format": "label_text"},
                "split": {"kind": "files", "test": test},
            },
        }
    )


def identity(it: Experiment) -> str:
    inputs = inputs_sha256(it, data_sha256(it.data, it.task))
    return RunFolder.identity(it, inputs, "", 0)


def test_a_set_is_found_in_the_output_folder_and_then_beside_the_checkout() -> None:
    older = lay(FOLDERS[1])
    assert located(f"public:{FILE}") == str(older)
    newer = lay(FOLDERS[0])
    assert located(f"public:{FILE}") == str(newer) == f"mlruns/data/{FILE}"
    newer.write_text("cut short")  # as after a download that was interrupted
    assert located(f"public:{FILE}") == str(older)


def test_a_set_that_is_absent_names_the_command_that_fetches_it() -> None:
    message = rf"^public:{FILE}: the public data set {NAME} is not there, in mlruns/data or "
    with pytest.raises(InputError, match=message + rf".*: rnnkit data fetch {NAME}$"):
        located(f"public:{FILE}")
    lay(FOLDERS[0], size=64)
    lay(FOLDERS[0], "cls_trec6/TREC.train")
    whole = rf"public:{NAME}: the public data set {NAME} is not whole"
    with pytest.raises(InputError, match=whole):
        located(f"public:{NAME}")


def test_a_folder_needs_all_of_its_files() -> None:
    """A folder of recordings of which half are there would be other data."""
    with pytest.raises(InputError, match="speech_fsdd is not there"):
        located("public:speech_fsdd/recordings")
    for file in files_of("speech_fsdd")[1:-1]:
        place = FOLDERS[0] / file.file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        os.truncate(place, file.bytes)
    with pytest.raises(InputError, match="speech_fsdd is not whole"):
        located("public:speech_fsdd/recordings")


def test_a_misspelt_set_and_a_misspelt_file_are_refused() -> None:
    with pytest.raises(InputError, match=r"no such public data set \(did you mean cls_trec6"):
        located("public:cls_trec/TREC.test")
    with pytest.raises(InputError, match=r"has no such file \(did you mean cls_trec6/TREC.test"):
        located("public:cls_trec6/TREC.tset")
    with pytest.raises(InputError, match=r"has no such file; it has cls_trec6/TREC\.test, "):
        located("public:cls_trec6/../../secret")


def test_paths_with_braces_and_into_archives_are_located(public_data: Any) -> None:
    lay(FOLDERS[0])
    lay(FOLDERS[0], "cls_trec6/TREC.train")
    assert (
        located("public:cls_trec6/TREC.{test,train}") == "mlruns/data/cls_trec6/TREC.{test,train}"
    )
    FOLDERS[0].joinpath("g2p_cmudict").symlink_to(public_data("g2p_cmudict"))
    assert located("public:g2p_cmudict/cmudict.zip/cmudict/cmudict").startswith("mlruns/data/g2p")


def test_a_file_of_ones_own_stays_as_it_is_written() -> None:
    for path in ("a.tsv", "~/a.tsv", "../shared/data/cls_trec6/TREC.test", "publicly/a"):
        assert located(path) == path


def test_both_ways_to_name_a_file_are_one_run() -> None:
    """A run that was begun with the path, in older params, goes on and is found finished."""
    for file in ("cls_trec6/TREC.train", FILE):
        lay(FOLDERS[1], file)
    named = experiment("public:cls_trec6/TREC.train", f"public:{FILE}")
    older = experiment("../shared/data/cls_trec6/TREC.train", f"../shared/data/{FILE}")
    assert data_sha256(named.data, named.task) == data_sha256(older.data, older.task)
    ids = [identity(it) for it in (named, older)]
    assert ids[0] == ids[1]
    other = named.replace({"data.source.path": f"public:{FILE}"})
    assert identity(other) != ids[0]
    first, second = (it.data.split for it in (named, older))
    assert isinstance(first, Files)
    assert is_held_out(first, second)
    assert not is_held_out(first, first.model_copy(update={"test": "other"}))


def test_recordings_are_the_same_data_in_either_folder(public_data: Any) -> None:
    """Their fingerprint is over names, too."""
    recordings = public_data("speech_fsdd")
    source = load(ROOT / "params" / "spoken_digits.yaml").data.source
    found = []
    for folder in FOLDERS:
        folder.mkdir(parents=True)
        place = folder / "speech_fsdd"
        place.symlink_to(recordings)
        found.append(fingerprint(source, Fractions()))
        place.unlink()
    older = source.model_copy(update={"path": "../shared/data/speech_fsdd/recordings"})
    (FOLDERS[1] / "speech_fsdd").symlink_to(recordings)
    assert found == [fingerprint(older, Fractions())] * 2


def test_the_reader_gets_the_file_and_the_saved_params_keep_the_name(tmp_path: Path) -> None:
    for file in ("cls_trec6/TREC.train", FILE):
        lay(FOLDERS[0], file)
    it = experiment("public:cls_trec6/TREC.train", f"public:{FILE}")
    frame = read(it.data.source, it.data.split)
    assert set(frame["part"]) == {"train", "test"}
    assert len(fingerprint(it.data.source, it.data.split)) == 64
    (tmp_path / "saved.yaml").write_text(dump(it))
    assert load(tmp_path / "saved.yaml") == it
    assert "path: public:cls_trec6/TREC.train" in dump(it)


def test_fetch_leaves_a_set_where_it_is_whole(
    elsewhere: Path, public_data: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is downloaded: there is no server in this test."""
    (elsewhere.parent / "shared").symlink_to(public_data(NAME).parents[1])
    data_fetch(NAME)
    assert f"../shared/data/{NAME}: whole. Licence: " in capsys.readouterr().out
    assert not FOLDERS[0].exists()
