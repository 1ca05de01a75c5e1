"""Fixtures of the tests of flows."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flows.settings import Settings


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
