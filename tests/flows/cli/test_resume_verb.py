"""`rnnkit resume`."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from verb_runs import rnnkit

from flows import settings as places
from flows.cli import run as verb
from rnnkit.errors import InputError
from rnnkit.runs.run_folder import RunFolder


@pytest.fixture
def stopped(here: Path) -> Iterator[RunFolder]:
    """A run that was begun and interrupted, beside the finished one."""
    done = RunFolder(here / "mlruns" / "runs" / "words-0123456789")
    run = RunFolder(here / "mlruns" / "runs" / "words-aaaa")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        run.create(done.experiment, {"date": "", "again": 0})
    yield run
    shutil.rmtree(run.path)


def test_resume_refuses_what_it_cannot_go_on_with(here: Path, stopped: RunFolder) -> None:
    done = rnnkit(here, "resume", "words-aaaa")  # its id is not that of its params and data
    assert done.returncode == 2
    assert done.stderr == (
        "rnnkit: words-aaaa: its params or data are not those it was begun with; begin a new one "
        f"with: rnnkit run {stopped.path / 'params.yaml'}\n"
    )
    with stopped.lock():
        done = rnnkit(here, "resume", "words-aaaa")
    assert (done.returncode, done.stderr) == (
        75,
        "rnnkit: words-aaaa is being run by another process\n",
    )


def test_resume_takes_the_newest_that_did_not_end(here: Path, stopped: RunFolder) -> None:
    other = RunFolder(here / "mlruns" / "runs" / "words-bbbb")
    shutil.copytree(stopped.path, other.path)
    try:
        done = rnnkit(here, "resume")
        assert "words-bbbb was interrupted before; it goes on where it stopped." in done.stdout
        assert "the newest of 2 is taken; before it: words-aaaa" in done.stdout
    finally:
        shutil.rmtree(other.path)


def test_resume_has_nothing_to_do(here: Path) -> None:
    done = rnnkit(here, "resume")
    assert done.returncode == 2
    assert done.stderr.endswith("was interrupted or failed; nothing to resume\n")
    done = rnnkit(here, "resume", "words-0123456789", "--json")
    assert json.loads(done.stdout)["run"] == "words-0123456789"


def test_a_run_named_by_its_path_goes_on_where_it_lies(
    tmp_path: Path, stopped: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = places.read(tmp_path / "other" / "mlruns")
    shutil.copytree(stopped.path, other.runs / stopped.id)
    resumed: list[Path] = []

    def resume_run(run: RunFolder, settings: places.Settings, quiet: bool) -> None:
        resumed.append(settings.runs / run.id)
        raise InputError("far enough")

    monkeypatch.setattr(verb, "resume_run", resume_run)
    with pytest.raises(InputError, match="far enough"):
        verb.resume(str(other.runs / stopped.id), tmp_path / "mlruns", False)
    assert resumed == [other.runs / stopped.id]


def test_a_run_in_no_output_folder_is_not_resumed(here: Path, stopped: RunFolder) -> None:
    shutil.copytree(stopped.path, here / "words-aaaa")
    try:
        done = rnnkit(here, "resume", "words-aaaa")
    finally:
        shutil.rmtree(here / "words-aaaa")
    assert done.returncode == 2
    assert done.stderr.startswith("rnnkit: words-aaaa: a run goes on in the folder runs of an outp")
    assert done.stderr.endswith(f"move it to {stopped.path}\n")
