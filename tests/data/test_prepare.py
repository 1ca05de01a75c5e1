"""Prepared data of every task, and the messages for too few data."""

import inspect
import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from prepared_items import TEST, TRAIN, VALID, items

from rnnkit.data.prepare import tokenize
from rnnkit.data.prepare.fitted import refuse_no_tokens
from rnnkit.data.prepare.ids import END, UNKNOWN
from rnnkit.errors import InputError
from rnnkit.params.data import Characters, Column, Data, Words
from rnnkit.params.source import Builtin, LabelledText, Tokens
from rnnkit.params.task import Classification, Forecasting, LanguageModeling, Tagging, Task
from rnnkit.tasks import TASKS, prepare


def test_every_task_of_the_params_is_in_the_table_and_fits_its_data() -> None:
    tasks = get_args(get_args(Task)[0])
    assert set(TASKS) == {task.model_fields["kind"].default for task in tasks}
    assert not any(map(inspect.isabstract, TASKS.values()))  # each has its `fit`


def test_classification(labelled: Data, tmp_path: Path) -> None:
    prepared = prepare(labelled, Classification(), tmp_path)
    words = prepared.fitted.inputs.vocabulary
    assert words == ("<pad>", "<unk>", "a", "b", "c")  # of train, by frequency
    assert prepared.fitted.labels == ("x", "y")
    assert items(prepared.splits[TRAIN]) == [([2, 3, 2], [0]), ([3, 4], [1])]
    # A word that is named as padding is unknown, and no padding.
    assert items(prepared.splits[VALID]) == [([2, UNKNOWN, UNKNOWN], [0])]
    assert prepared.splits[VALID].item.tolist() == [2]
    assert prepared.facts["unknown"][VALID] == pytest.approx(2 / 3)
    assert prepared.facts["labels"][TRAIN] == {"x": 1, "y": 1}
    assert prepared.facts["vocabulary"] == 4
    assert prepared.fitted.inputs.features is None


def test_classification_of_frames(tmp_path: Path) -> None:
    prepared = prepare(Data(source=Builtin(name="digits")), Classification(), tmp_path)
    assert prepared.fitted.inputs.features == 8
    assert prepared.fitted.inputs.vocabulary is None
    assert prepared.fitted.labels == tuple("0123456789")
    split = prepared.splits[TRAIN]
    assert split.inputs.dtype == torch.float32
    assert split.inputs.shape == (8 * len(split), 8)
    assert split.equal_length


def test_many_unknown_tokens_are_told(labelled: Data, tmp_path: Path) -> None:
    prepared = prepare(labelled, Classification(), tmp_path)
    assert prepared.unknown["tokens"][VALID] == pytest.approx(2 / 3)
    lacks = "are not in the vocabulary and are all read as the unknown token"
    note = f"tokens that {lacks}: up to 67% of a split"
    assert note in prepared.notes


def test_longer_items_are_cut_and_counted(labelled: Data, tmp_path: Path) -> None:
    short = labelled.model_copy(update={"max_length": 2})
    prepared = prepare(short, Classification(), tmp_path)
    assert items(prepared.splits[TRAIN]) == [([2, 3], [0]), ([3, 4], [1])]
    assert prepared.facts["truncated"] == {TRAIN: 1, VALID: 1, TEST: 0}
    assert prepared.facts["cut_steps"] == {TRAIN: 1, VALID: 1, TEST: 0}
    for split in (TRAIN, VALID):
        note = f"items of {split} cut at data.max_length: 1; 1 of their steps are not read"
        assert note in prepared.notes
    assert not any("items of test cut" in note for note in prepared.notes)
    assert prepared.facts["tokens"][TRAIN] == 4


def test_tags_behind_the_longest_length_are_told(tagged: Data, tmp_path: Path) -> None:
    assert isinstance(tagged.source, Tokens)
    rows = Path(tagged.source.path).read_text().splitlines()
    record = {**json.loads(rows[-1]), "tokens": [*"abca"], "tags": [*"xyxy"]}
    Path(tagged.source.path).write_text("\n".join([*rows[:-1], json.dumps(record)]))
    prepared = prepare(tagged.model_copy(update={"max_length": 2}), Tagging(), tmp_path)
    note = "items of test cut at data.max_length: 1; 2 of their steps are neither read nor scored"
    assert note in prepared.notes


def test_tagging(tagged: Data, tmp_path: Path) -> None:
    prepared = prepare(tagged, Tagging(), tmp_path)
    assert prepared.fitted.inputs.vocabulary == ("<pad>", "<unk>", "A", "b")
    assert items(prepared.splits[TRAIN]) == [([2, 3], [0, 1])]
    assert items(prepared.splits[TEST]) == [([UNKNOWN, 3], [1, 1])]
    assert prepared.splits[TRAIN].synced
    lower = tagged.model_copy(update={"tokenizer": Words(lowercase=True)})
    lowered = prepare(lower, Tagging(), tmp_path).fitted.inputs
    assert lowered.vocabulary == ("<pad>", "<unk>", "a", "b")


def test_one_token_items_stay_synced_on_disk(tagged: Data, tmp_path: Path) -> None:
    split = prepare(tagged, Tagging(), tmp_path).splits[VALID]
    assert split.target_length is split.input_length
    assert split.synced


def test_language_modeling_with_a_window_for_each_item(text: Data, tmp_path: Path) -> None:
    prepared = prepare(text, LanguageModeling(), tmp_path)
    assert prepared.fitted.inputs.vocabulary == ("<pad>", "<unk>", "<eos>", "b", "a")
    a, b = 4, 3
    assert items(prepared.splits[TRAIN]) == [([END, a, b], [a, b, END]), ([END, b], [b, END])]
    assert items(prepared.splits[VALID]) == [([END, b, 1, 1], [b, 1, 1, END])]
    assert prepared.facts["tokens"] == {TRAIN: 5, VALID: 4, TEST: 4}
    assert prepared.splits[TRAIN].item.tolist() == [0, 1]
    assert prepared.splits[TRAIN].synced


def test_language_modeling_in_windows_that_follow_one_another(text: Data, tmp_path: Path) -> None:
    windowed = text.model_copy(update={"max_length": 2})
    split = prepare(windowed, LanguageModeling(), tmp_path).splits[TRAIN]
    a, b = 4, 3
    assert items(split) == [([END, a], [a, b]), ([b, END], [END, b]), ([b], [END])]
    assert split.item.tolist() == [0, 0, 1]  # the item of each window's first target
    predicted = [token for _, targets in items(split) for token in targets]
    assert predicted == [a, b, END, b, END]


def test_forecasting(table: Data, tmp_path: Path) -> None:
    raw = table.model_copy(update={"scaling": "none"})
    prepared = prepare(raw, Forecasting(horizon=2, targets=("down",)), tmp_path)
    assert prepared.fitted.inputs.features == 3
    assert prepared.facts["rows"] == {TRAIN: 10, VALID: 10, TEST: 8}
    assert prepared.facts["unused"] == 2
    assert prepared.facts["time"][VALID] == ["2024-01-11T00:00:00", "2024-01-20T00:00:00"]
    train, valid = (items(prepared.splits[split]) for split in (TRAIN, VALID))
    assert len(train) == 10 - 3 - 2 + 1
    assert train[0] == ([[1, 9, 7], [2, 8, 7], [3, 7, 7]], [[6], [5]])
    assert len(valid) == 10 - 2 + 1
    assert valid[0] == ([[8, 2, 7], [9, 1, 7], [10, 0, 7]], [[-1], [-2]])  # reaches back
    assert valid[-1][1] == [[-9], [-10]]
    assert prepared.splits[VALID].inputs is prepared.splits[TRAIN].inputs
    assert prepared.splits[TEST].item[0] == 20


def test_scaling_is_fitted_on_the_training_rows_alone(table: Data, tmp_path: Path) -> None:
    prepared = prepare(table, Forecasting(targets=("down", "up")), tmp_path)
    train = prepared.splits[TRAIN].inputs[:10].double()
    # float32 on disk: seven digits.
    assert train[:, :2].mean(dim=0).abs().max() < 1e-6
    assert train[:, :2].std(dim=0, correction=0).sub(1).abs().max() < 1e-6
    assert (prepared.splits[TRAIN].inputs[:, 2] == 0).all()  # a constant column
    assert prepared.fitted.inputs.scaler is not None
    back = prepared.fitted.inputs.scaler.inverse(prepared.splits[TRAIN].targets)
    days = torch.arange(1, 29, dtype=torch.float64)
    assert (back - torch.stack([10 - days, days], dim=1)).abs().max() < 1e-5


def test_a_limit_takes_the_latest_windows_of_a_series(table: Data, tmp_path: Path) -> None:
    prepared = prepare(table.model_copy(update={"limit": 2}), Forecasting(), tmp_path)
    assert [split.item.tolist() for split in prepared.splits.values()] == [
        [8, 9],
        [18, 19],
        [26, 27],
    ]


def with_rows(folder: Path, *rows: str) -> Data:
    (folder / "few.csv").write_text("\n".join(["text,label,split", *rows]))
    return Data(source=LabelledText(path=str(folder / "few.csv")), split=Column())


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a,x,train", "b,y,test"], r"but valid has none of the 2"),
        (["a,x,train", "b,x,valid", "c,x,test"], r"two different labels .* but all are 'x'"),
        (
            ["a,x,train", "b,y,train", "c,z,valid", "d,x,test"],
            r"valid needs a label of the training split, .* others, the first is 'z'; give more",
        ),
    ],
)
def test_too_few_labelled_items(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        prepare(with_rows(tmp_path, *rows), Classification(), tmp_path)


def test_an_item_of_no_token_is_refused() -> None:
    flat, lengths = tokenize.fit(Words(), ["a"], end=False).encode(["a a", "   "])
    assert (flat.tolist(), lengths.tolist()) == ([2, 2], [2, 0])
    with pytest.raises(InputError, match=r"1 of the train split has none, the first is row 8;"):
        refuse_no_tokens(TRAIN, lengths, np.array([3, 7]))


def test_unseen_tags_and_long_characters(tagged: Data, tmp_path: Path) -> None:
    assert isinstance(tagged.source, Tokens)
    path = Path(tagged.source.path)
    path.write_text(path.read_text().replace('["b"], "tags": ["x"]', '["bb"], "tags": ["z"]'))
    with pytest.raises(InputError, match=r"valid needs a tag of the training split, .* is 'z'"):
        prepare(tagged, Tagging(), tmp_path)
    characters = tagged.model_copy(update={"tokenizer": Characters()})
    with pytest.raises(InputError, match=r"tokens of one character, but row 2 has 'bb'; use"):
        prepare(characters, Tagging(), tmp_path)


@pytest.mark.parametrize(
    ("window", "task", "message"),
    [
        (9, Forecasting(horizon=2), r"but train has 10 rows and needs window 9 \+ horizon 2"),
        (1, Forecasting(horizon=9), r"but test has 8 rows and needs horizon 9, after 1 rows"),
        (3, Forecasting(targets=("upp",)), r"no column 'upp' \(did you mean up\?\); the columns"),
    ],
)
def test_a_series_that_is_too_short(
    table: Data, tmp_path: Path, window: int, task: Forecasting, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        prepare(table.model_copy(update={"window": window}), task, tmp_path)
