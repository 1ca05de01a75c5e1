"""A figure is saved and read back."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from drawn_figures import Saver
from matplotlib.figure import Figure
from PIL import Image

from rnnkit import figures
from rnnkit.figures import code, fonts


@pytest.fixture(autouse=True)
def no_further_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Figures are the same on every machine: with matplotlib's own font alone."""
    monkeypatch.setattr(fonts, "installed", lambda: ())
    forget()
    yield
    forget()


def forget() -> None:
    for cached in (fonts.fallback, code._shown, code._columns):
        cached.cache_clear()


@pytest.fixture
def saved(tmp_path: Path) -> Saver:
    """Saves a figure, checks that the file is a picture of its size, and gives the figure back."""

    def save(figure: Figure) -> Figure:
        path = tmp_path / "figure.png"
        figures.save(figure, path)
        with Image.open(path) as image:
            wanted = [round(float(side) * figure.dpi) for side in figure.get_size_inches()]
            assert image.format == "PNG"
            np.testing.assert_allclose(image.size, wanted, atol=1)  # pixels are whole
            assert len(image.convert("RGB").getcolors(1 << 24)) > 5, "the picture is empty"
        assert [p.name for p in tmp_path.iterdir()] == ["figure.png"]
        return figure

    return save
