"""A finished run's model gives for new input what it gave for the test split."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_params import FILES, ROOT, SHORT, experiment_of
from trained_runs import train_in

from rnnkit.errors import InputError
from rnnkit.inference.predict import load

BUILTIN = ("digits", "demo", "python_docs", "sunspots")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Any]]:
    home = tmp_path_factory.mktemp("predict")
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        for file in FILES:
            if file.stem not in BUILTIN:
                continue
            experiment = experiment_of(file, SHORT)
            trained = train_in(home / file.stem, experiment, home)
            made[file.stem] = (trained.folder.path, trained.prepared)
    return made


def predictions(folder: Path) -> Any:
    import pandas

    return pandas.read_parquet(folder / "predictions.parquet")


def test_classification_of_frames_equals_the_test_parts(runs: Any) -> None:
    folder, prepared = runs["digits"]
    split = prepared.splits["test"]
    items = [split.inputs[s : s + 8].numpy() for s in split.input_start.tolist()]
    table = predictions(folder).set_index("item").loc[split.item.tolist()]
    answers = load(folder)(items)
    assert [a["label"] for a in answers] == table["predicted"].tolist()
    for answer, probability in zip(answers, table["probability"], strict=True):
        assert max(answer["probabilities"].values()) == pytest.approx(probability, abs=1e-5)


def test_tagging_equals_the_test_parts_whatever_the_lengths_beside_it(runs: Any) -> None:
    folder, prepared = runs["demo"]
    split, vocabulary = prepared.splits["test"], prepared.fitted.inputs.vocabulary
    texts = [
        [vocabulary[i] for i in split.inputs[s : s + n].tolist()]
        for s, n in zip(split.input_start.tolist(), split.input_length.tolist(), strict=True)
    ]
    table = predictions(folder).set_index("item").loc[split.item.tolist()]
    answers = load(folder)([*texts[:9], ["x"]])
    for answer, tags in zip(answers[:9], table["predicted"].head(9), strict=True):
        assert answer["tags"] == list(tags)
    assert len(load(folder)(["def f(): pass"])[0]["tags"]) == 13


def test_a_forecast_is_in_the_series_units(runs: Any) -> None:
    folder, prepared = runs["sunspots"]
    split = prepared.splits["test"]
    start = int(split.input_start[0])
    window = prepared.fitted.inputs.scaler.inverse(split.inputs[start : start + 40]).numpy()
    answer = load(folder / "model")([window])[0]
    row = predictions(folder).iloc[0]
    (target,) = prepared.fitted.inputs.scaler.targets
    assert answer["forecast"][0][0] == pytest.approx(row[f"forecast {target}"], rel=1e-4)


def test_the_log_probability_of_a_text_is_that_of_its_tokens_and_its_end(runs: Any) -> None:
    answers = load(runs["python_docs"][0])(["The if statement", "x"])
    assert [a["tokens"] for a in answers] == [17, 2]
    for answer in answers:
        mean = answer["log_probability"] / answer["tokens"]
        assert answer["perplexity"] == pytest.approx(np.exp(-mean), rel=1e-5)


def test_bad_input_is_refused_in_a_line(runs: Any, tmp_path: Path) -> None:
    assert load(runs["digits"][0])([]) == []
    with pytest.raises(InputError, match=r"input 1: must have 8 numbers per step, got"):
        load(runs["digits"][0])([np.zeros((8, 7))])
    with pytest.raises(InputError, match=r"input 2: must have at least one token"):
        load(runs["demo"][0])(["a", ""])
    with pytest.raises(InputError, match=r"has no weights.safetensors"):
        load(tmp_path)
