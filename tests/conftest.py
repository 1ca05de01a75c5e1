"""Fixtures that several test files share."""

from collections.abc import Callable
from pathlib import Path

import pytest

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
