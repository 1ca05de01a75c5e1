"""A folder with data, params and a finished run: of words, and of recordings."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from verb_runs import PARAMS, SPOKEN, finish


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, params and a finished run."""
    folder = tmp_path_factory.mktemp("verbs")
    rows = [
        {"tokens": ["a", f"b{i}", "c"][: 1 + i % 3], "tags": ["D", "N", "V"][: 1 + i % 3]}
        for i in range(40)
    ]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "t.csv").write_text("tokens,tags\na,D\n")
    finish(folder, PARAMS)
    return folder


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recordings, one of them in stereo and one at another rate, and a run."""
    folder = tmp_path_factory.mktemp("spoken")
    (folder / "wav").mkdir()
    for take in range(12):
        for name, hertz in (("low", 300), ("high", 1_500)):
            rate = 16_000 if (name, take) == ("low", 7) else 8_000
            tone = 0.3 * np.sin(2 * np.pi * hertz * np.arange((200 + take) * rate // 1_000) / rate)
            stereo = (name, take) == ("high", 8)
            soundfile.write(
                folder / "wav" / f"{name}_{take}.wav", np.stack([tone] * (1 + stereo), 1), rate
            )
    finish(folder, SPOKEN)
    return folder
