"""A finished run scored on another file or folder."""

import shutil
from pathlib import Path

import pytest
from sequence_runs import experiment_of, names, pairs, recorded, run
from trained_runs import train_in

from rnnkit.errors import InputError
from rnnkit.evaluation.evaluate_file import evaluate_file
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import prepare


@pytest.mark.parametrize("kind", ["translation", "captioning"])
def test_a_run_is_scored_on_another_file(tmp_path: Path, kind: str) -> None:
    source = pairs(tmp_path) if kind == "translation" else names(tmp_path)
    it = experiment_of(kind, source, data={"tokenizer": {"kind": "characters"}})
    run(tmp_path, it)
    found = evaluate_file(RunFolder(tmp_path / "run"), source["path"], tmp_path)
    assert found["items"] == 60
    assert found["test"]["loss"] > 0
    assert ("constant text" if kind == "translation" else "bigram") in found["baselines"]


def test_a_score_does_not_change_with_the_training_file(tmp_path: Path) -> None:
    """Data grow; a model's vocabularies, and the baselines it was held against, do not."""
    source, other = pairs(tmp_path), tmp_path / "other.tsv"
    shutil.copy(source["path"], other)
    run(tmp_path, experiment_of("translation", source))
    place = RunFolder(tmp_path / "run")
    before = evaluate_file(place, str(other), tmp_path)
    pairs(tmp_path, count=80, more="new words\twords new\n")
    assert evaluate_file(place, str(other), tmp_path) == before
    shutil.rmtree(tmp_path / "prepared")
    with pytest.raises(InputError, match="run: its prepared data are gone or damaged, and its sou"):
        evaluate_file(place, str(other), tmp_path)
    pairs(tmp_path)
    assert evaluate_file(place, str(other), tmp_path) == before


def test_a_category_that_training_has_not_seen_is_refused(tmp_path: Path) -> None:
    source = names(tmp_path)
    (tmp_path / "up.csv").write_text("text,label\nabc,up\n")
    split = {"kind": "files", "valid": source["path"], "test": str(tmp_path / "up.csv")}
    tokens = {"tokenizer": {"kind": "characters"}}
    it = experiment_of("captioning", source, data={**tokens, "split": split})
    with pytest.raises(InputError, match="every label must occur in the training split, but test"):
        prepare(it.data, it.task, tmp_path)
    run(tmp_path, experiment_of("captioning", source, data=tokens))
    with pytest.raises(
        InputError,
        match=r"was trained on the categories .* alone, but 'up' is there, too; leave them",
    ):
        evaluate_file(RunFolder(tmp_path / "run"), str(tmp_path / "up.csv"), tmp_path)


@pytest.mark.parametrize("kind", ["classification", "transcription"])
def test_a_run_of_recordings_is_scored_on_others(tmp_path: Path, kind: str) -> None:
    path = recorded(tmp_path)
    it = experiment_of(
        "transcription",
        {"kind": "audio", "path": path, "names": "{text}_{take}.wav", "rate": 8_000},
        data={"split": {"kind": "names", "test": "*_[0-4].wav", "valid": "*_[5-9].wav"}},
        model={"representation": {"kind": "raw"}},
    ).replace({"task": {"kind": kind}})
    own = train_in(tmp_path / "run", it, tmp_path).result
    (tmp_path / "test").mkdir()
    for file in Path(path).glob("*_[0-4].wav"):
        shutil.copy(file, tmp_path / "test")
    found = evaluate_file(RunFolder(tmp_path / "run"), str(tmp_path / "test"), tmp_path)
    assert found["items"] == 10
    assert found["test"] == pytest.approx(own["test"])
    assert found["baselines"] == own["baselines"]
    if kind == "classification":
        (tmp_path / "test" / "low_1.wav").rename(tmp_path / "test" / "middle_1.wav")
        found = evaluate_file(RunFolder(tmp_path / "run"), str(tmp_path / "test"), tmp_path)
        assert any("counted as wrong and left out of the loss: 1" in it for it in found["notes"])


def test_what_cannot_be_read_says_how_it_is_read(tmp_path: Path) -> None:
    it = experiment_of("translation", pairs(tmp_path))
    run(tmp_path, it)
    (tmp_path / "n.tsv").write_text("de\ten\na\tb\n")
    message = r"there is no column 'source'.* as the run's own data were, \{.*path: .*n\.tsv\}$"
    with pytest.raises(InputError, match=message):
        evaluate_file(RunFolder(tmp_path / "run"), str(tmp_path / "n.tsv"), tmp_path)
    with pytest.raises(InputError, match=r"there is no such file.*is started$"):
        evaluate_file(RunFolder(tmp_path / "run"), str(tmp_path / "o.tsv"), tmp_path)
