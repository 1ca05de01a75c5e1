"""Fixtures that several test files share."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import prefect_server

if TYPE_CHECKING:
    from flows.settings import Settings
    from rnnkit.inference.predict import Predictor

PUBLIC_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def public_data() -> Callable[[str], Path]:
    """The folder of one public data set by its name; skips the test where it is absent."""

    def find(name: str) -> Path:
        folder = PUBLIC_DATA / name
        if not folder.is_dir():
            pytest.skip(f"the public data set {name} is not at ../shared/data/{name}")
        return folder

    return find


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address, with its login, of a Prefect server that the commands of many tests share.

    A command that finds none starts its own, which takes longer than what most tests run.
    """
    with prefect_server(tmp_path_factory.mktemp("prefect") / "mlruns") as server:
        yield server.url_with_login


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Writes a params file, of one test."""

    def to_file(content: str | bytes) -> Path:
        file = tmp_path / "a.yaml"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return to_file


@pytest.fixture(scope="session")
def translator(tmp_path_factory: pytest.TempPathFactory) -> "Predictor":
    from sequence_runs import experiment_of, pairs, run

    folder = tmp_path_factory.mktemp("translator")
    return run(folder, experiment_of("translation", pairs(folder), beam=3))


@pytest.fixture(scope="session")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> "Predictor":
    from sequence_runs import experiment_of, names, run

    folder = tmp_path_factory.mktemp("captioner")
    data = {"tokenizer": {"kind": "characters"}}
    return run(folder, experiment_of("captioning", names(folder), data=data))


@pytest.fixture(scope="session")
def listener(tmp_path_factory: pytest.TempPathFactory) -> "Predictor":
    """A transcription model that can stream: one direction, no scaling by recording, no slopes."""
    from sequence_runs import experiment_of, run

    features = {"normalize": "none", "deltas": 0}
    data = {"tokenizer": {"kind": "characters"}, "limit": 30, "features": features}
    model = {"representation": {"kind": "raw"}}
    source = {"kind": "builtin", "name": "touch_tones"}
    folder = tmp_path_factory.mktemp("listener")
    return run(folder, experiment_of("transcription", source, data=data, model=model))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database of a new output folder, to be copied: making one takes seconds."""
    from flows import settings
    from flows.tracking import database

    where = settings.read(tmp_path_factory.mktemp("empty") / "mlruns")
    database.ensure(where)
    return where.home / database.NAME


@pytest.fixture
def home(tmp_path: Path, empty_database: Path) -> "Settings":
    """The settings of an output folder with an empty database of MLflow's."""
    from flows import settings

    where = settings.read(tmp_path / "mlruns")
    shutil.copy(empty_database, where.home)
    return where
