"""Claims in worker processes: a dead worker, and a command that is stopped and goes on."""

from pathlib import Path

import pytest

from flows import claims
from flows import settings as places
from flows.claims import ClaimsFailed, measure_claims, train_claim
from flows.processes.workers import Parent
from rnnkit.claims import files
from rnnkit.claims.claim import load, trainings
from rnnkit.claims.measure import is_measured
from rnnkit.claims.measure import places as run_places

SHORT = {"train.epochs": 2, "seeds": [0], "data.limit": 60}


def test_a_worker_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "run_tasks", lambda *_: False)
    claim = load(files.claims()["bidirectional"])
    with pytest.raises(ClaimsFailed, match=r"^a worker died, .* the same command goes on"):
        measure_claims({"bidirectional": claim}, SHORT, places.read(tmp_path), 1)


def test_a_worker_that_is_stopped_leaves_off_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "settle", lambda _: None)  # it settles the whole process
    settings = places.read(tmp_path)
    claim = load(files.claims()["bidirectional"])
    experiments = claim.experiments("bidirectional", SHORT)
    runs = run_places(trainings(experiments), settings.home / "claims" / "bidirectional")
    stop = tmp_path / "stop"
    stop.touch()
    parent = Parent.here()
    train_claim("bidirectional", experiments, settings.home, stop, parent)
    assert not any(map(is_measured, runs))
    assert runs[0].records("checkpoint")
    stop.unlink()
    train_claim("bidirectional", experiments, settings.home, stop, parent)
    assert all(map(is_measured, runs))
