"""`rnnkit diagnose`: a run of any status, a params file, and what is refused."""

import json
import shutil
from pathlib import Path

import pytest
from verb_runs import rnnkit

from rnnkit.diagnose import frames
from rnnkit.runtime.files import verify_manifest

RUN = "words-0123456789"


def test_a_finished_run_is_diagnosed_and_not_changed(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was made without measurements, as by an older version."""
    done = rnnkit(here, "diagnose", RUN)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{RUN}: gradient through time after epoch 1" in done.stdout
    assert "layer0" in done.stdout
    page = here / "mlruns" / "diagnosis" / RUN / "diagnosis.html"
    assert done.stdout.endswith("Page: mlruns/diagnosis/words-0123456789/diagnosis.html\n")
    assert page.read_text().count("data:image/png") == 2
    run = here / "mlruns" / "runs" / RUN
    assert verify_manifest(run) == []
    printed = json.loads(rnnkit(here, "diagnose", "last", "--json").stdout)
    assert [line["epoch"] for line in printed["lines"]] == [0, 1]
    monkeypatch.chdir(here)
    measured = frames(run)
    assert measured["decay"]["epoch"].tolist() == [0, 1]
    assert measured["verdicts"]["name"].tolist() == [v["name"] for v in printed["verdicts"]]


def test_params_are_diagnosed_before_a_training(here: Path) -> None:
    vanilla = ("--set", "model.cell.kind=rnn", "--set", "model.initialization.scale=0.00001")
    done = rnnkit(here, "diagnose", "a.yaml", *vanilla, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = json.loads(done.stdout)["lines"]
    assert line["epoch"] == 0
    assert line["cells"]["layer0"]["gates"]["h"]["radius"] == pytest.approx(1e-5, rel=1e-4)
    (verdict,) = json.loads(done.stdout)["verdicts"]
    assert verdict["name"] == "vanishing_gradient"
    printed = rnnkit(here, "diagnose", "a.yaml", *vanilla).stdout
    assert f"Diagnosis: {verdict['sentence']}: try --set model.cell.kind=gru" in printed
    assert not (here / "mlruns" / "runs" / "words").exists()


def test_a_run_that_is_not_finished_is_diagnosed_as_it_stands(here: Path, tmp_path: Path) -> None:
    home = tmp_path / "mlruns"
    shutil.copytree(here / "mlruns" / "runs" / RUN, home / "runs" / "words-ffff")
    shutil.copy(here / "t.jsonl", tmp_path)
    for name in ("manifest.json", "result.json"):
        (home / "runs" / "words-ffff" / name).unlink()
    done = rnnkit(tmp_path, "diagnose", "words-ffff")
    assert (done.returncode, done.stderr) == (0, "")
    assert "words-ffff: gradient through time after epoch 1" in done.stdout


def test_what_cannot_be_diagnosed_is_refused(here: Path, tmp_path: Path) -> None:
    done = rnnkit(here, "diagnose", RUN, "--set", "seed=1")
    assert done.returncode == 2
    assert done.stderr == "rnnkit: --set changes params, and this is a run; leave it out\n"
    done = rnnkit(tmp_path, "diagnose", "last")
    assert done.returncode == 2
    assert "mlruns/runs; rnnkit run makes one" in done.stderr
    sweep = tmp_path / "mlruns" / "runs" / "words-eeee"
    shutil.copytree(here / "mlruns" / "runs" / RUN, sweep)
    for name in ("manifest.json", "result.json"):
        (sweep / name).unlink()
    (sweep / "params.yaml").write_text((here / "a.yaml").read_text() + "tune: {trials: 2}\n")
    done = rnnkit(tmp_path, "diagnose", "words-eeee")
    assert done.returncode == 2
    assert done.stderr == (
        "rnnkit: words-eeee is a sweep that is not finished, and its trials are not diagnosed; "
        "go on with: rnnkit resume words-eeee\n"
    )
