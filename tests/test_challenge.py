"""An older model on a newer run's test items: ids and scales are matched by names and units."""

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rnnkit.challenge import answers_of, challenge, translated
from rnnkit.conclude import NOT_SEARCHED, conclude, gathered
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.predict import Predictor, load
from rnnkit.prepare import prepare
from rnnkit.prepare.prepared import Prepared
from rnnkit.runfolder import RunFolder
from rnnkit.train import train_into

TRAIN = {
    "epochs": 2,
    "batch_size": 16,
    "optimizer": {"kind": "adam", "learning_rate": 0.02},
}
MODEL = {"representation": {"kind": "embedding", "size": 6}, "hidden": 6}


def finished(experiment: Experiment, home: Path, name: str) -> tuple[RunFolder, Prepared]:
    """A run without flows."""
    run = RunFolder(home / "runs" / name)
    run.create(experiment, {})
    prepared = prepare(experiment.data, experiment.task, home)
    for _ in train_into(run, experiment, prepared):
        pass
    result = conclude(run, experiment, prepared, home / "prepared")
    run.finish(gathered(result, prepared, {}, NOT_SEARCHED))
    return run, prepared


def reviews(path: Path, count: int, seed: int, words: str, noise: float = 0.0) -> Path:
    draw = random.Random(seed)
    lines = ["text,label"]
    for number in range(count):
        good = draw.random() < 0.5
        telling = draw.choice(["fine", "lovely"] if good else ["dull", "grey"])
        text = [draw.choice(words.split()) for _ in range(draw.randrange(2, 7))] + [telling]
        draw.shuffle(text)
        said = draw.random() < 0.5 if draw.random() < noise else good
        lines.append(f"{' '.join(text)} {number},{'pos' if said else 'neg'}")
    path.write_text("\n".join(lines) + "\n")
    return path


def classification(path: Path, **more: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "reviews",
            "task": {"kind": "classification"},
            "data": {
                "source": {"kind": "labelled_text", "path": str(path)},
                "split": {"kind": "fractions", "valid": 0.2, "test": 0.4},
                "tokenizer": {"kind": "words"},
                **more,
            },
            "model": MODEL,
            "train": TRAIN,
        }
    )


def test_an_older_model_answers_a_newer_runs_items_as_it_answers_their_texts(
    tmp_path: Path,
) -> None:
    old, _ = finished(
        classification(reviews(tmp_path / "a.csv", 80, 0, "a film of some kind")), tmp_path, "old"
    )
    path = reviews(tmp_path / "b.csv", 120, 1, "another film that was of this kind")
    newer = classification(path)
    _, prepared = finished(newer, tmp_path, "new")
    predictor = load(old.path)
    assert predictor.prepared.vocabulary != prepared.vocabulary
    found = answers_of(predictor, newer, prepared).set_index("item")
    assert sorted(found.index) == sorted(prepared.parts["test"].item.tolist())
    rows = [line.rsplit(",", 1) for line in path.read_text().splitlines()[1:]]
    for item, row in found.iterrows():
        text, label = rows[int(item)]  # type: ignore[call-overload]
        (answer,) = predictor([text])
        assert row["truth"] == label
        assert row["predicted"] == answer["label"]
        assert row["probability"] == pytest.approx(max(answer["probabilities"].values()), abs=1e-6)
    path.write_text(path.read_text() + "one more,pos\n")
    with pytest.raises(InputError, match="the data have changed since the run was prepared"):
        answers_of(predictor, newer, prepared)


def test_the_better_of_two_runs_wins_and_the_same_one_does_not(tmp_path: Path) -> None:
    noisy = reviews(tmp_path / "a.csv", 300, 0, "a film of some kind", noise=1.0)
    old, _ = finished(classification(noisy), tmp_path, "old")
    clear = reviews(tmp_path / "b.csv", 400, 1, "a film of some kind")
    train = {"train.epochs": 8}
    new, _ = finished(classification(clear).replace(train), tmp_path, "new")
    verdict = challenge(new, old.path, tmp_path)
    assert verdict.is_better
    assert verdict.reason.startswith("better on the same 1")
    same = challenge(new, new.path, tmp_path)
    assert not same.is_better
    assert same.found is not None
    assert (same.found.value, same.found.low, same.found.high) == (0, 0, 0)
    import shutil

    shutil.rmtree(tmp_path / "prepared")
    gone = challenge(new, old.path, tmp_path)
    assert (gone.found, gone.is_better) == (None, False)
    assert gone.reason == "they cannot be compared: the run's prepared data are gone"


def series(**more: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "f",
            "task": {"kind": "forecasting", "horizon": 3, "season": 11, "targets": ["sunspots"]},
            "data": {
                "source": {"kind": "builtin", "name": "sunspots"},
                "split": {"kind": "time", "valid": 0.2, "test": 0.2, **more},
                "window": 20,
            },
            "model": {"representation": {"kind": "raw"}, "hidden": 6},
            "train": TRAIN,
        }
    )


def test_forecasts_of_an_older_model_are_the_same_through_other_scales(tmp_path: Path) -> None:
    old, own = finished(series(valid=0.4), tmp_path, "old")
    _, prepared = finished(series(), tmp_path, "new")
    predictor = load(old.path)
    assert prepared.scaler != predictor.prepared.scaler
    there = answers_of(predictor, series(), prepared).set_index(["row", "step"])
    here = answers_of(load(old.path), series(), own).set_index(["row", "step"])
    shared = there.index.intersection(here.index)
    assert len(shared) == len(there)
    for column in ("truth sunspots", "forecast sunspots"):
        assert there.loc[shared, column].to_numpy() == pytest.approx(
            here.loc[shared, column].to_numpy(), rel=1e-4, abs=1e-3
        )


def changed(predictor: Predictor, **fields: Any) -> Predictor:
    predictor.prepared = replace(predictor.prepared, **fields)
    return predictor


CHANGES: Mapping[str, tuple[dict[str, Any], str]] = {
    "labels": ({"labels": ("neg", "other")}, "does not know the label 'pos'"),
    "features": ({"features": 3}, "reads other columns or another form of data"),
    "letters": ({"letters": ("a",)}, "reads other columns or another form of data"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_cannot_be_compared_says_why(tmp_path: Path, what: str) -> None:
    path = reviews(tmp_path / "a.csv", 80, 0, "a film of some kind")
    old, prepared = finished(classification(path), tmp_path, "old")
    fields, message = CHANGES[what]
    predictor = changed(load(old.path), **fields)
    with pytest.raises(InputError, match=message):
        translated(prepared.parts["test"], prepared, predictor.prepared)


def test_other_tokens_of_a_language_model_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("".join(f"a line of text {i}\nand another {i}\n" for i in range(60)))
    tree = {
        "name": "l",
        "task": {"kind": "language_modeling"},
        "data": {
            "source": {"kind": "text", "path": str(text)},
            "tokenizer": {"kind": "words"},
            "max_length": 8,
        },
        "model": MODEL,
        "train": TRAIN,
    }
    experiment = Experiment.model_validate(tree)
    old, prepared = finished(experiment, tmp_path, "language")
    found = answers_of(load(old.path), experiment, prepared)
    assert found["log_probability"].lt(0).all()
    other = replace(prepared, vocabulary=(*(prepared.vocabulary or ()), "more"))
    with pytest.raises(InputError, match="their vocabularies differ, and so would the tokens"):
        answers_of(load(old.path), experiment, other)


def test_other_columns_and_other_series_are_refused(tmp_path: Path) -> None:
    old, prepared = finished(series(), tmp_path, "old")
    assert prepared.scaler is not None
    for fields, message in (
        ({"columns": ("other",), "targets": ("other",)}, "reads other columns"),
        ({"series": ("other",)}, "knows other series"),
    ):
        other = replace(prepared, scaler=replace(prepared.scaler, **fields))  # type: ignore[arg-type]
        with pytest.raises(InputError, match=message):
            translated(other.parts["test"], other, load(old.path).prepared)
