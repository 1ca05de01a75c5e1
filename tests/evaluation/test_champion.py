"""An older model on a newer run's test items: ids and scales are matched by names and units."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from pydantic import TypeAdapter
from recordings import JOIN, folder_of
from recordings import experiment_of as spoken
from sequence_runs import experiment_of as written
from sequence_runs import names, pairs
from trained_runs import finish_in

from rnnkit.data.inputs.tokens import Texts, TokenLists
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.split import split_items
from rnnkit.data.prepare.tokenize import FittedTokenizer, fit
from rnnkit.errors import InputError
from rnnkit.evaluation.champion import champion_predictions, compare_with_champion
from rnnkit.evaluation.comparison.comparable import (
    is_held_out,
    refuse_other_task,
    refuse_seen,
)
from rnnkit.evaluation.finalize import PREDICTIONS
from rnnkit.inference.predict import load
from rnnkit.params import Experiment
from rnnkit.params.data import Fractions, Split
from rnnkit.tasks import prepare
from rnnkit.tasks.classification.examples import ClassificationFitted
from rnnkit.tasks.forecasting.examples import ForecastingFitted
from rnnkit.tasks.forecasting.inputs import Windows
from rnnkit.tasks.labels import Labels

TRAIN = {
    "epochs": 2,
    "batch_size": 16,
    "optimizer": {"kind": "adam", "learning_rate": 0.02},
}
MODEL = {"representation": {"kind": "embedding", "size": 6}, "hidden": 6}


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
    old = finish_in(
        tmp_path, classification(reviews(tmp_path / "a.csv", 80, 0, "a film of some kind")), "old"
    ).folder
    path = reviews(tmp_path / "b.csv", 120, 1, "another film that was of this kind")
    newer = classification(path)
    prepared = finish_in(tmp_path, newer, "new").prepared
    predictor = load(old.path)
    assert predictor.prepared.fitted.inputs.vocabulary != prepared.fitted.inputs.vocabulary
    predicted = champion_predictions(predictor, newer, prepared).table.set_index("item")
    assert sorted(predicted.index) == sorted(prepared.splits["test"].item.tolist())
    rows = [line.rsplit(",", 1) for line in path.read_text().splitlines()[1:]]
    for item, row in predicted.iterrows():
        text, label = rows[int(item)]  # type: ignore[call-overload]
        (answer,) = predictor([text])
        assert row["truth"] == label
        assert row["predicted"] == answer["label"]
        assert row["probability"] == pytest.approx(max(answer["probabilities"].values()), abs=1e-6)
    path.write_text(path.read_text() + "one more,pos\n")
    with pytest.raises(InputError, match="the data have changed since the run was prepared"):
        champion_predictions(predictor, newer, prepared)


def test_the_better_of_two_runs_wins_and_the_same_one_does_not(tmp_path: Path) -> None:
    noisy = reviews(tmp_path / "a.csv", 300, 0, "a film of some kind", noise=1.0)
    old = finish_in(tmp_path, classification(noisy), "old").folder
    clear = reviews(tmp_path / "b.csv", 400, 1, "a film of some kind")
    train = {"train.epochs": 8}
    new = finish_in(tmp_path, classification(clear).replace(train), "new").folder
    verdict = compare_with_champion(new, old.path, tmp_path)
    assert verdict.is_better
    assert verdict.reason.startswith("better on the same 1")
    same = compare_with_champion(new, new.path, tmp_path)
    assert not same.is_better
    assert same.change is not None
    assert (same.change.value, same.change.low, same.change.high) == (0, 0, 0)
    import shutil

    shutil.rmtree(tmp_path / "prepared")
    assert compare_with_champion(new, old.path, tmp_path) == verdict  # they are prepared again
    shutil.rmtree(tmp_path / "prepared")
    clear.write_text(clear.read_text() + "one more,pos\n")
    gone = compare_with_champion(new, old.path, tmp_path)
    assert (gone.change, gone.is_better) == (None, False)
    assert gone.reason == (
        "they cannot be compared: new: its prepared data are gone or damaged, and its source has "
        "changed since; give it back as it was, or run the experiment again; to make the new one "
        "champion all the same: rnnkit register new --champion"
    )


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


def test_a_window_longer_than_what_lies_before_the_test_part_is_refused(tmp_path: Path) -> None:
    prepared = prepare(series().data, series().task, tmp_path)
    part, fitted = prepared.splits["test"], prepared.fitted
    first = int(part.target_start.min())

    def reading(window: int) -> Fitted:
        return replace(fitted, data=fitted.data.model_copy(update={"window": window}))

    with pytest.raises(
        InputError,
        match=f"reads {first + 1} rows, and before the test split are no more than {first}$",
    ):
        reading(first + 1).align(part, fitted)
    longest = reading(first).align(part, fitted)
    assert int(longest.input_start.min()) == 0


def test_forecasts_of_an_older_model_are_the_same_through_other_scales_and_windows(
    tmp_path: Path,
) -> None:
    older = series(valid=0.4).replace({"data.window": 30})
    old, own, _ = finish_in(tmp_path, older, "old")
    prepared = finish_in(tmp_path, series(), "new").prepared
    predictor = load(old.path)
    assert prepared.fitted.inputs.scaler != predictor.prepared.fitted.inputs.scaler
    there = champion_predictions(predictor, series(), prepared).table.set_index(["row", "step"])
    here = champion_predictions(load(old.path), older, own).table.set_index(["row", "step"])
    shared = there.index.intersection(here.index)
    assert len(shared) == len(there)
    for column in ("truth sunspots", "forecast sunspots"):
        assert there.loc[shared, column].to_numpy() == pytest.approx(
            here.loc[shared, column].to_numpy(), rel=1e-4, abs=1e-3
        )


Change = Callable[[Any], Fitted]
"""What an older model was fitted to -> the same with one difference."""
CHANGES: Mapping[str, tuple[Callable[[Path], Experiment], Change, str]] = {
    "features": (
        lambda _: digits(),
        lambda fitted: replace(fitted, inputs=replace(fitted.inputs, width=3)),
        "reads other columns or another form of data",
    ),
    "scaling": (
        lambda _: digits(),
        lambda fitted: replace(fitted, inputs=replace(fitted.inputs, scaler=None)),
        "reads other columns or another form of data",
    ),
    "letters": (
        lambda folder: texts(folder),
        lambda fitted: replace(fitted, inputs=TokenLists(fitted.inputs.tokenizer, ("a",), 1)),
        "reads other columns or another form of data",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_cannot_be_compared_says_why(tmp_path: Path, what: str) -> None:
    experiment, change, message = CHANGES[what]
    old, prepared, _ = finish_in(tmp_path, experiment(tmp_path), "old")
    fitted = load(old.path).prepared.fitted
    split = prepared.splits["test"]
    assert fitted.align(split, prepared.fitted).targets.equal(split.targets)
    with pytest.raises(InputError, match=message):
        change(fitted).align(split, prepared.fitted)


def digits() -> Experiment:
    return Experiment.model_validate(
        {
            "name": "d",
            "task": {"kind": "classification"},
            "data": {"source": {"kind": "builtin", "name": "digits"}, "limit": 40},
            "model": {"representation": {"kind": "raw"}, "hidden": 6},
            "train": TRAIN,
        }
    )


def two_columns(folder: Path, target: str) -> Experiment:
    path = folder / "two.csv"
    days = pandas.date_range("2020-01-01", periods=200, freq="D")
    waves = np.sin(np.arange(400) / 3).reshape(200, 2)
    pandas.DataFrame(waves, columns=["a", "b"]).assign(time=days).to_csv(path, index=False)
    source = {"kind": "table", "path": str(path)}
    return series().replace({"data.source": source, "task.targets": (target,)})


def texts(folder: Path, **more: Any) -> Experiment:
    return classification(reviews(folder / "a.csv", 80, 0, "a film of some kind"), **more)


UNLIKE: Mapping[str, tuple[Callable[[Path], Experiment], Callable[[Path], Experiment], str]] = {
    "task": (lambda _: series(), texts, "task.kind was forecasting and is classification"),
    "horizon": (
        lambda _: series().replace({"task.horizon": 1}),
        lambda _: series(),
        "task.horizon was 1 and is 3",
    ),
    "source": (
        lambda _: digits(),
        texts,
        "the form of data.source was frames and is labelled_text",
    ),
    "targets": (
        lambda folder: two_columns(folder, "a"),
        lambda folder: two_columns(folder, "b"),
        "the older model predicts a and the run b",
    ),
    "split": (
        lambda folder: texts(folder, split={"kind": "fractions", "valid": 0.1, "test": 0.1}),
        texts,
        "data.split was {kind: fractions, valid: 0.1, test: 0.1} and is {kind: fractions, "
        "valid: 0.2, test: 0.4}, and the older model may have been trained on test items",
    ),
    "true text": (
        lambda folder: written("translation", pairs(folder)),
        lambda folder: written(
            "translation", pairs(folder), data={"tokenizer": {"kind": "words", "lowercase": True}}
        ),
        "the true text was as it stands and is in lower case",
    ),
    "times": (
        lambda _: series(valid=0.1, test=0.1),
        lambda _: series(),
        "the older model was trained and chosen on times up to 1977-01-01T00:00:00, and the test "
        "split begins at 1947-01-01T00:00:00",
    ),
}


@pytest.mark.parametrize("what", UNLIKE)
def test_a_champion_that_cannot_be_compared_stays_and_the_reason_says_what_to_do(
    tmp_path: Path, what: str
) -> None:
    old, new, message = UNLIKE[what]
    champion = finish_in(tmp_path, old(tmp_path), "old").folder
    run = finish_in(tmp_path, new(tmp_path), "new").folder
    verdict = compare_with_champion(run, champion.path, tmp_path)
    assert (verdict.change, verdict.is_better) == (None, False)
    assert verdict.reason == (
        f"they cannot be compared: {message}; to make the new one champion all the same: "
        "rnnkit register new --champion"
    )


def test_predictions_of_another_version_are_no_measure_of_the_same(tmp_path: Path) -> None:
    run = finish_in(tmp_path, language(tmp_path), "run").folder
    table = pandas.read_parquet(run.path / PREDICTIONS).drop(columns="log_probability")
    table.assign(right=1).to_parquet(run.path / PREDICTIONS)
    run.finish(run.result)  # as another version would have written it
    assert compare_with_champion(run, run.path, tmp_path).reason.startswith(
        "they cannot be compared: the predictions of language_modeling must have a column "
        "'log_probability', and have item, "
    )


SPLITS: Mapping[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "the same": ({"valid": 0.1, "test": 0.2}, {"valid": 0.1, "test": 0.2}, True),
    "a smaller share": ({"valid": 0.1, "test": 0.2}, {"valid": 0.3, "test": 0.1}, True),
    "a larger share": ({"valid": 0.2, "test": 0.1}, {"valid": 0.1, "test": 0.2}, False),
    "a file": (
        {"kind": "files", "valid": "a", "test": "c"}, {"kind": "files", "test": "c"}, True
    ),
    "another file": ({"kind": "files", "test": "b"}, {"kind": "files", "test": "c"}, False),
    "names": ({"kind": "names", "test": "a*"}, {"kind": "names", "test": "a*"}, True),
    "other names": ({"kind": "names", "test": "a*"}, {"kind": "names", "test": "*"}, False),
    "a column": ({"kind": "column"}, {"kind": "column"}, True),
    "another column": ({"kind": "column"}, {"kind": "column", "name": "fold"}, False),
    "as given": ({"kind": "given"}, {"kind": "given"}, True),
    "another kind": ({"kind": "given"}, {"kind": "column"}, False),
    "moments": ({"kind": "time"}, {"kind": "time", "test": 0.2}, False),
}  # fmt: skip


@pytest.mark.parametrize("what", SPLITS)
def test_a_split_that_keeps_every_test_item_from_training_is_known(what: str) -> None:
    old, new, held_out = SPLITS[what]
    read = TypeAdapter(Split).validate_python
    kinds = ({"kind": "fractions", **block} for block in (old, new))
    assert is_held_out(*map(read, kinds)) is held_out


def test_a_share_by_hash_that_is_smaller_holds_no_item_that_was_learned() -> None:
    frame = pandas.DataFrame({"text": [f"text {i}" for i in range(500)], "label": "a"})
    data = classification(Path("a.csv")).data
    old = split_items(frame, "labelled_text", data)
    smaller = data.model_copy(update={"split": Fractions(valid=0.3, test=0.1)})
    new = split_items(frame, "labelled_text", smaller)
    assert set(new["test"]) < set(old["test"])


SOURCES: Mapping[str, tuple[dict[str, Any], str]] = {
    "group": ({"group": "writer"}, "data.source.group was null and is writer, and the older"),
    "content": ({"text": "title"}, "data.source.text was text and is title, and the older model"),
}


@pytest.mark.parametrize("what", SOURCES)
def test_a_source_whose_items_may_have_changed_sides_is_refused(what: str) -> None:
    fields, message = SOURCES[what]
    old = classification(Path("a.csv"))
    path = {"data.source.path": "b.parquet", "data.source.format": "parquet"}
    moved = old.replace(path)
    refuse_seen(classifier_of(old), classifier_of(moved))  # data that have moved are the same
    new = old.replace({f"data.source.{key}": value for key, value in fields.items()})
    with pytest.raises(InputError, match=message):
        refuse_seen(classifier_of(old), classifier_of(new))


def classifier_of(experiment: Experiment) -> ClassificationFitted:
    """What an experiment is fitted to that reads no data."""
    task, data = experiment.task, experiment.data
    inputs = Texts(fit(data.tokenizer, [], end=False))
    return ClassificationFitted(task, data, inputs, Labels((), {}))  # type: ignore[arg-type]


def forecaster_of(
    experiment: Experiment, valid: str, test: str, several: bool = False
) -> ForecastingFitted:
    """The same of a forecast.

    Args:
        experiment: of `series`.
        valid: the last time of the validation split.
        test: the first time of the test split.
        several: whether there are several series.
    """
    task, data = experiment.task, experiment.data
    inputs = Windows(Scaler(("y",), ("y",), (0.0,), (1.0,)), data.window, 3)
    spans = {"valid": ["2000-01-01T00:00:00", valid], "test": [test, test]}
    return ForecastingFitted(task, data, inputs, spans, several, (9,))  # type: ignore[arg-type]


def test_a_series_is_tested_after_all_that_was_learned() -> None:
    old, new = series(), series(test=0.1)
    early, late = "2020-01-01T00:00:00", "2020-01-02T00:00:00"
    refuse_seen(forecaster_of(old, early, late), forecaster_of(new, late, late))
    refuse_seen(
        forecaster_of(old, f"{early}+00:00", late), forecaster_of(new, late, f"{late}.5+00:00")
    )
    for same in (old, new):  # rows were put before the first: a border has moved back
        with pytest.raises(InputError, match=f"chosen on times up to {late}, and the test split"):
            refuse_seen(forecaster_of(old, late, late), forecaster_of(same, early, late))
    older = forecaster_of(old, late, late, several=True)
    refuse_seen(older, forecaster_of(old, early, early, several=True))
    with pytest.raises(InputError, match="the older model was trained and chosen on times up to"):
        refuse_seen(older, forecaster_of(new, early, early, several=True))


def test_other_features_of_recordings_are_another_question() -> None:
    old = Experiment.model_validate(
        {
            "name": "t",
            "task": {"kind": "transcription"},
            "data": {"source": {"kind": "builtin", "name": "touch_tones"}},
            "model": {"representation": {"kind": "raw"}},
        }
    )
    refuse_other_task(old, old)
    with pytest.raises(InputError, match=r"data\.features\.hop was 10\.0 and is 12\.0"):
        refuse_other_task(old, old.replace({"data.features.hop": 12.0}))


def language(folder: Path) -> Experiment:
    text = folder / "text.txt"
    text.write_text("".join(f"a line of text {i}\nand another {i}\n" for i in range(60)))
    return Experiment.model_validate(
        {
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
    )


def test_other_tokens_of_a_language_model_are_refused(tmp_path: Path) -> None:
    experiment = language(tmp_path)
    old, prepared, _ = finish_in(tmp_path, experiment, "language")
    predicted = champion_predictions(load(old.path), experiment, prepared).table
    assert predicted["log_probability"].lt(0).all()
    inputs = prepared.fitted.inputs
    more = replace(inputs.tokenizer, vocabulary=(*inputs.vocabulary, "more"))
    fitted = replace(prepared.fitted, inputs=replace(inputs, tokenizer=more))
    other = replace(prepared, fitted=fitted)
    with pytest.raises(InputError, match="their vocabularies differ, and so would the tokens"):
        champion_predictions(load(old.path), experiment, other)


def test_a_translator_of_fewer_words_is_compared_by_its_edits(tmp_path: Path) -> None:
    old = finish_in(tmp_path, written("translation", pairs(tmp_path)), "old").folder
    more = "".join(f"more {k % 3} ab cd\tcd ab {k % 3} more\n{k} gh\tgh {k}\n" for k in range(30))
    grown = written("translation", pairs(tmp_path, more=more))
    grown = grown.replace({"train.epochs": 40})
    new, prepared, _ = finish_in(tmp_path, grown, "new")
    predictor = load(old.path)
    assert prepared.fitted.target is not None
    assert predictor.prepared.fitted.target is not None
    assert prepared.fitted.target.vocabulary != predictor.prepared.fitted.target.vocabulary
    predicted = champion_predictions(predictor, grown, prepared).table
    assert dict(zip(predicted["item"], predicted["truth"], strict=True)) == {
        item: prepared.references[item] for item in prepared.splits["test"].item.tolist()
    }
    verdict = compare_with_champion(new, old.path, tmp_path)
    assert verdict.change is not None
    assert verdict.change.measure == "wer"
    assert verdict.is_better
    assert "test items: wer -" in verdict.reason


def with_target(prepared: Prepared, tokenizer: FittedTokenizer) -> Prepared:
    """The same data with another tokenizer of their targets."""
    return replace(prepared, fitted=replace(prepared.fitted, target_tokenizer=tokenizer))


def test_captions_of_categories_are_compared_by_likelihood_where_the_tokens_are_the_same(
    tmp_path: Path,
) -> None:
    tokens = {"tokenizer": {"kind": "characters"}}
    experiment = written("captioning", names(tmp_path), data=tokens)
    old, prepared, _ = finish_in(tmp_path, experiment, "old")
    verdict = compare_with_champion(old, old.path, tmp_path)
    assert verdict.change is not None
    assert (verdict.change.measure, verdict.change.value) == ("loss", 0)
    assert prepared.fitted.target is not None
    more = replace(prepared.fitted.target, vocabulary=(*prepared.fitted.target.vocabulary, "d"))
    with pytest.raises(InputError, match="their vocabularies differ, and so would the tokens"):
        champion_predictions(load(old.path), experiment, with_target(prepared, more))


def test_joined_recordings_with_other_words_are_refused(tmp_path: Path) -> None:
    experiment = spoken(folder_of(tmp_path), source={"join": JOIN, "group": "speaker"})
    old, prepared, _ = finish_in(tmp_path, experiment, "old")
    verdict = compare_with_champion(old, old.path, tmp_path)
    assert verdict.change is not None
    assert (verdict.change.measure, verdict.change.value) == ("wer", 0)
    assert prepared.fitted.target is not None
    more = replace(prepared.fitted.target, vocabulary=(*prepared.fitted.target.vocabulary, "9"))
    with pytest.raises(InputError, match="vocabularies differ, and joined recordings cannot be"):
        champion_predictions(load(old.path), experiment, with_target(prepared, more))


def test_other_columns_and_other_series_are_refused(tmp_path: Path) -> None:
    old, prepared, _ = finish_in(tmp_path, series(), "old")
    split, fitted = prepared.splits["test"], load(old.path).prepared.fitted

    def scaled(fields: dict[str, Any]) -> Fitted:
        scaler = replace(fitted.inputs.scaler, **fields)
        return replace(fitted, inputs=replace(fitted.inputs, scaler=scaler))

    changes: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        ({}, {"columns": ("other",), "targets": ("other",)}, "reads other columns or other known"),
        ({"known": 2}, {"known": 1}, "reads other columns or other known-future covariates"),
        ({}, {"known": 1}, "reads other columns or another form of data"),
        ({}, {"series": ("other",)}, "was trained on other series"),
    ]
    for older, newer, message in changes:
        with pytest.raises(InputError, match=message):
            scaled(older).align(split, scaled(newer))
