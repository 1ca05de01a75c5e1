"""Which item is in which split, and what a bad split is told."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.data.prepare.split_series import split_rows
from rnnkit.errors import InputError
from rnnkit.params.data import Column, Data, Files, Fractions, Split, Time
from rnnkit.params.source import Builtin, Text
from rnnkit.params.task import LanguageModeling
from rnnkit.tasks import prepare

WORDS = [f"word {number}" for number in range(400)]


def data(split: Split, limit: int | None = None) -> Data:
    return Data(source=Builtin(name="python_docs"), split=split, limit=limit)


def texts(items: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"text": list(items), "label": ["x"] * len(items)})


def side_of(items: Sequence[str], split: Split) -> dict[str, str]:
    rows = split_items(texts(items), "labelled_text", data(split))
    return {items[row]: part for part, found in rows.items() for row in found}


# Items


@given(st.sets(st.text(min_size=1, max_size=5), max_size=30), st.randoms())
def test_an_item_never_changes_side_when_data_grow(more: set[str], random) -> None:  # type: ignore[no-untyped-def]
    before = side_of(WORDS, Fractions())
    grown = [*WORDS, *sorted(more)]
    random.shuffle(grown)
    after = side_of(grown, Fractions())
    assert {item: after[item] for item in WORDS} == before


def test_shares_are_about_what_was_asked_for() -> None:
    rows = split_items(texts(WORDS), "labelled_text", data(Fractions(valid=0.2, test=0.3)))
    assert len(rows["train"]) + len(rows["valid"]) + len(rows["test"]) == len(WORDS)
    # 400 draws: a standard deviation of 8 and 9.2 items.
    assert abs(len(rows["valid"]) - 80) < 32
    assert abs(len(rows["test"]) - 120) < 37


def test_equal_items_are_on_one_side_and_a_group_is_too() -> None:
    frame = pd.DataFrame(
        {"tokens": [[word] for word in WORDS], "group": [n // 10 for n in range(400)]}
    )
    rows = split_items(frame, "tagged", data(Fractions(valid=0.3, test=0.3)))
    groups = [set(frame["group"].iloc[found]) for found in rows.values()]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 40
    twice = split_items(texts(WORDS * 2), "labelled_text", data(Fractions()))
    assert duplicates(texts(WORDS * 2), "labelled_text", twice) == {"valid": 0, "test": 0}


def test_a_limit_takes_the_first_by_hash_whatever_comes_after_them() -> None:
    few = split_items(texts(WORDS), "labelled_text", data(Fractions(), limit=20))
    assert [len(found) for found in few.values()] == [20, 20, 20]
    turned = split_items(texts(WORDS[::-1]), "labelled_text", data(Fractions(), limit=20))
    for split, found in few.items():
        assert {WORDS[row] for row in found} == {WORDS[::-1][row] for row in turned[split]}


def test_a_limit_takes_the_first_texts_in_order_of_appearance() -> None:
    whole = split_items(texts(WORDS), "text", data(Fractions()))
    few = split_items(texts(WORDS), "text", data(Fractions(), limit=5))
    for split, found in few.items():
        assert found.tolist() == whole[split][:5].tolist()


def test_files_and_columns_say_the_part_and_a_share_is_held_out() -> None:
    frame = texts(WORDS).assign(part=["train"] * 200 + ["valid"] * 100 + ["test"] * 100)
    for split in (Column(), Files(valid="b", test="c")):
        rows = split_items(frame, "labelled_text", data(split))
        assert [len(found) for found in rows.values()] == [200, 100, 100]
    frame["part"] = ["train"] * 300 + ["test"] * 100
    rows = split_items(frame, "labelled_text", data(Files(valid=0.5, test="c")))
    assert rows["test"].tolist() == list(range(300, 400))
    assert len(rows["train"]) + len(rows["valid"]) == 300
    assert abs(len(rows["valid"]) - 150) < 36  # four standard deviations


def test_duplicates_across_sides_are_counted() -> None:
    frame = texts(["a", "b", "b", "a", "c", "c", "b"])
    rows = {"train": np.array([0, 1, 2]), "valid": np.array([3, 4]), "test": np.array([5, 6])}
    assert duplicates(frame, "labelled_text", rows) == {"valid": 1, "test": 2}


@pytest.mark.parametrize(
    ("split", "part", "message"),
    [
        (Time(), None, r"a split by time needs a series, and this source has no time"),
        (Fractions(valid=0.5, test=0.5), None, r"leave something for training, but 0\.5 and 0\.5"),
        (Column(), ["train", "dev", "test"], r"'split' must say .* 1 rows .* row 2 \('dev'\)"),
        (Column(), ["train", "train", "test"], r"but valid has none of the 3; give it a larger fr"),
    ],
)
def test_a_bad_split_of_items_gets_one_line(
    split: Split, part: list[str] | None, message: str
) -> None:
    frame = texts(["a", "b", "c"])
    if part is not None:
        frame["part"] = part
    with pytest.raises(InputError, match=message):
        split_items(frame, "labelled_text", data(split))


# Series


def series(rows: int, zone: str | None = None) -> pd.DataFrame:
    times = pd.date_range("2024-01-01", periods=rows, freq="D", tz=zone)
    return pd.DataFrame({"time": times, "x": np.arange(rows, dtype=float)})


@pytest.mark.parametrize(
    ("moment", "row", "message"),
    [
        ("2024-10-27T02:30", None, r"data.split.valid: 2024-10-27T02:30 happens twice in Europe/"),
        ("2024-10-27 02:30", None, r"data.split.valid: 2024-10-27 02:30 happens twice in Europe/"),
        ("2024-03-31T02:30", None, r"data.split.valid: 2024-03-31T02:30 happens never in Europe/"),
        ("2024-10-27T02:30+02:00", 27, None),
        ("2024-10-27T02:30+01:00", 28, None),
        ("2024-10-27T03:00", 28, None),
        ("2024-10-27", 24, None),
        ("2024-W43-7", 24, None),
    ],
)
def test_a_split_in_the_night_of_the_change_of_summer_time(
    moment: str, row: int | None, message: str | None
) -> None:
    times = pd.Series(pd.date_range("2024-10-26", periods=60, freq="h", tz="Europe/Berlin"))
    frame, split = pd.DataFrame({"time": times}), Time(valid=moment, test=0.1)
    if message is None:
        assert split_rows(frame, split)["valid"][0] == row
        return
    with pytest.raises(InputError, match=message):
        split_rows(frame, split)


def test_a_day_begins_where_midnight_is_skipped() -> None:
    times = pd.date_range("2017-10-14", periods=60, freq="h", tz="America/Sao_Paulo")
    split = Time(valid="2017-10-15", test=0.1)
    assert split_rows(pd.DataFrame({"time": times}), split)["valid"][0] == 24


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        (Time(), {"train": (0, 80), "valid": (80, 90), "test": (90, 100)}),
        (
            Time(valid="2024-01-11", test="2024-01-21T00:00", until="2024-01-31"),
            {"train": (0, 10), "valid": (10, 20), "test": (20, 30)},
        ),
        (
            Time(valid=0.25, test="2024-01-31", until="2024-02-10"),
            {"train": (0, 20), "valid": (20, 30), "test": (30, 40)},
        ),
    ],
)
@pytest.mark.parametrize("zone", [None, "Europe/Zurich"])
def test_time_cuts_three_stretches(
    split: Time, expected: dict[str, tuple[int, int]], zone: str | None
) -> None:
    assert split_rows(series(100, zone), split) == expected


def test_a_series_by_column_or_files() -> None:
    frame = series(10).assign(part=["train"] * 6 + ["valid"] * 2 + ["test"] * 2)
    expected = {"train": (0, 6), "valid": (6, 8), "test": (8, 10)}
    assert split_rows(frame, Column()) == expected
    assert split_rows(frame, Files(valid="b", test="c")) == expected
    frame["part"] = ["train"] * 8 + ["test"] * 2
    assert split_rows(frame, Files(valid=0.25, test="c")) == expected


BAD_SERIES = [
    (Fractions(), None, r"a series would see its future; use `split: \{kind: time\}`"),
    (Time(valid="2024-01-05", test="2024-01-03"), None, r"valid would begin at row 4 and end bef"),
    (Time(test="2025-01-01"), None, r"test would begin at row 10 and end before row 10"),
    (Time(test="2024-01-05T00:00+01:00"), None, r"data\.split\.test: .* has an offset, but"),
    (
        Column(name="fold"),
        ["train"] * 4 + ["test"] * 3 + ["valid"] * 3,
        r"but column 'fold' goes from test back to valid at 2024-01-08",
    ),
    (
        Column(),
        ["train"] * 5 + ["test"] * 5,
        r"but valid would begin at row 5 and end before row 5",
    ),
]


@pytest.mark.parametrize(("split", "part", "message"), BAD_SERIES)
def test_a_bad_split_of_a_series_gets_one_line(
    split: Split, part: list[str] | None, message: str
) -> None:
    frame = series(10) if part is None else series(10).assign(part=part)
    with pytest.raises(InputError, match=message):
        split_rows(frame, split)


def test_files_of_a_series_that_overlap_are_refused() -> None:
    split = ["train"] * 10 + ["valid"] * 10 + ["test"] * 10
    frame = pd.concat([series(10)] * 3, ignore_index=True).assign(part=split)
    with pytest.raises(InputError, match=r"must follow one another in time, .* but they overlap"):
        split_rows(frame, Files(valid="b", test="c"))


def test_too_few_groups_for_all_parts_are_told() -> None:
    frame = texts(WORDS[:20]).assign(group="one")
    message = "of the 20 in 1 groups, each of which lies in one split; give it a larger fraction"
    with pytest.raises(InputError, match=message):
        split_items(frame, "labelled_text", data(Fractions()))


def test_equal_items_lie_in_one_split() -> None:
    frame = texts(["dull film", "fine film"] * 50)
    message = (
        r"but valid has none of the 100, which are 2 different ones, and equal items lie in one "
        r"split; give it a larger fraction, or give more data"
    )
    for split in (Fractions(valid=0.01, test=0.01), Files(valid=0.01, test="b")):
        part = frame if isinstance(split, Fractions) else with_test(frame)
        with pytest.raises(InputError, match=message.replace("100", str(len(part)))):
            split_items(part, "labelled_text", data(split))


def with_test(frame: pd.DataFrame) -> pd.DataFrame:
    own = [frame.assign(part="train"), texts(["other"]).assign(part="test")]
    return pd.concat(own, ignore_index=True)


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("line", "is one line; write one item per line, or give files"),
        ("paragraph", "is one paragraph, because no blank line ends one; write `unit: line`"),
        ("file", "is one item with `unit: file`; write `unit: line` or `paragraph`"),
    ],
)
def test_a_text_of_one_item_says_why(tmp_path: Path, unit: str, message: str) -> None:
    (tmp_path / "a.txt").write_text("one\n" if unit == "line" else "one\ntwo\n")
    source = Text.model_validate({"path": str(tmp_path / "a.txt"), "unit": unit})
    with pytest.raises(InputError, match=rf"at least one item, but .*a\.txt {message}"):
        prepare(Data(source=source), LanguageModeling(), tmp_path)
