"""Times of a table: offsets, zones, whole numbers, and Parquet's index."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnnkit.data.sources import read as read_source
from rnnkit.data.sources.table import read
from rnnkit.errors import InputError
from rnnkit.params.data import Fractions, Time
from rnnkit.params.source import Frames, LabelledText, Table, Vectors

AUTUMN = pd.date_range("2024-10-26T20:00", periods=30, freq="h", tz="Europe/Berlin")
"""Hours over the night that has 02:00 twice."""


def csv(folder: Path, times: Any, **options: Any) -> Table:
    path = folder / "a.csv"
    pd.DataFrame({"time": times, "x": np.arange(len(times))}).to_csv(path, index=False)
    return Table.model_validate({"path": str(path), **options})


# Offsets and zones


def test_offsets_that_change_are_instants(tmp_path: Path) -> None:
    frame = read(csv(tmp_path, AUTUMN), None)
    assert (frame["time"].to_numpy() == AUTUMN.to_numpy()).all()
    assert frame["x"].tolist() == list(range(30))
    (note,) = frame.attrs["notes"]
    assert note.startswith("column 'time': the offsets of its times differ (+01:00, +02:00): they")
    frame = read(csv(tmp_path, AUTUMN, timezone="Europe/Berlin"), None)
    assert list(frame["time"]) == list(AUTUMN)
    assert frame.attrs["notes"] == []


def test_one_offset_stays_as_it_is(tmp_path: Path) -> None:
    rows = ["2024-01-01T00:00Z", "2024-01-01T01:00+00:00", "2024-01-01T02:00-00:00"]
    frame = read(csv(tmp_path, rows), None)
    assert frame["time"].dt.hour.tolist() == [0, 1, 2]
    assert frame.attrs["notes"] == []


def test_days_of_a_zone_need_its_name(tmp_path: Path) -> None:
    days = pd.date_range("2024-10-20", periods=12, tz="Europe/Berlin")
    message = r"a.csv, line 10: .* clock of a zone with summer time, 2024-10-20 00:00:00\+02:00 and"
    with pytest.raises(InputError, match=message):
        read(csv(tmp_path, days), None)
    frame = read(csv(tmp_path, days, timezone="Europe/Berlin"), None)
    assert list(frame["time"]) == list(days)
    with pytest.raises(InputError, match=r"1 are missing, the first is 2024-10-28 00:00:00\+01:00"):
        read(csv(tmp_path, days.delete(8), timezone="Europe/Berlin"), None)


@pytest.mark.parametrize("reverse", [False, True])
def test_local_times_that_happen_twice_follow_the_order_of_rows(
    tmp_path: Path, reverse: bool
) -> None:
    wall = AUTUMN.tz_localize(None)
    source = csv(tmp_path, wall[::-1] if reverse else wall, timezone="Europe/Berlin")
    frame = read(source, None)
    assert list(frame["time"]) == list(AUTUMN)
    assert frame["x"].tolist() == (list(range(30))[::-1] if reverse else list(range(30)))
    with pytest.raises(InputError, match=r"a.csv, line 9: every time may occur once, but 1 occur"):
        read(csv(tmp_path, wall), None)


def test_local_times_of_several_series(tmp_path: Path) -> None:
    table = pd.DataFrame({"time": AUTUMN.tz_localize(None).repeat(2), "x": 1.0})
    table["shop"] = ["a", "b"] * 30
    table.to_csv(tmp_path / "a.csv", index=False)
    source = Table(path=str(tmp_path / "a.csv"), id="shop", timezone="Europe/Berlin")
    assert list(read(source, None)["time"]) == [*AUTUMN, *AUTUMN]


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (
            ["2024-01-01T00:00", "2024-01-01T01:00+01:00"],
            {},
            r"a.csv, line 3: either all times .* '2024-01-01T01:00\+01:00' has an offset and the f",
        ),
        (
            ["2024-01-01T00:00Z", "2024-01-01T01:00"],
            {},
            r"a.csv, line 3: either all times .* '2024-01-01T01:00' has no offset and the first ha",
        ),
        (
            ["2024-03-31T01:30", "2024-03-31T02:30"],
            {"timezone": "Europe/Berlin"},
            r"a.csv, line 3: 2024-03-31T02:30:00 happens never, in Europe/Berlin; give the times",
        ),
        (
            ["2024-10-27T01:30", "2024-10-27T02:30"],
            {"timezone": "Europe/Berlin"},
            r"a.csv, line 3: 2024-10-27T02:30:00 happens twice, and 1 rows have it, in Europe/Ber",
        ),
    ],
)
def test_times_without_one_meaning_are_refused(
    tmp_path: Path, rows: list[str], options: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(csv(tmp_path, rows, **options), None)


# Whole numbers

YEARS = "column 'time': its whole numbers are read as years; data.source.time_unit names another un"
DATES = "column 'time': its whole numbers are read as dates"
SECONDS = "column 'time': its whole numbers are read as seconds since 1970; data.source.time_unit n"


@pytest.mark.parametrize("parquet", [False, True])
@pytest.mark.parametrize(
    ("numbers", "options", "first", "last", "note"),
    [
        (range(5), {}, "1970-01-01T00:00:00", "1970-01-01T00:00:04", SECONDS),
        (range(998, 1003), {}, "1970-01-01T00:16:38", "1970-01-01T00:16:42", SECONDS),
        (range(1000, 1005), {}, "1970-01-01T00:16:40", "1970-01-01T00:16:44", SECONDS),
        (range(1700, 1705), {}, "1700-01-01", "1704-01-01", YEARS),
        (range(2198, 2203), {}, "1970-01-01T00:36:38", "1970-01-01T00:36:42", SECONDS),
        (range(20240101, 20240106), {}, "2024-01-01", "2024-01-05", f"{DATES}, %Y%m%d"),
        (range(202401, 202406), {}, "2024-01-01", "2024-05-01", f"{DATES}, %Y%m"),
        (range(202409, 202414), {}, "1970-01-03T08:13:29", "1970-01-03T08:13:33", SECONDS),
        (
            range(2024010100, 2024010105),
            {},
            "2024-01-01",
            "2024-01-01T04:00",
            f"{DATES}, %Y%m%d%H",
        ),
        (range(1704067200, 1704067205), {}, "2024-01-01", "2024-01-01T00:00:04", SECONDS),
        (range(1, 6), {"time_unit": "years"}, "0001-01-01", "0005-01-01", None),
        (range(5), {"time_unit": "days"}, "1970-01-01", "1970-01-05", None),
        (range(2000, 2005), {"time_unit": "hours"}, "1970-03-25T08:00", "1970-03-25T12:00", None),
        (
            range(1704067200000, 1704067200005),
            {"time_unit": "milliseconds"},
            "2024-01-01",
            "2024-01-01T00:00:00.004",
            None,
        ),
        ([0.0, 0.5, 1.0], {"time_unit": "seconds"}, "1970-01-01", "1970-01-01T00:00:01", None),
        ([0.0, 0.5, 1.0], {"time_unit": "days"}, "1970-01-01", "1970-01-02", None),
        (
            range(5),
            {"timezone": "Europe/Berlin"},
            "1970-01-01T00:00:00+01:00",
            "1970-01-01T00:00:04+01:00",
            SECONDS,
        ),
    ],
)
def test_numbers_are_times(
    tmp_path: Path,
    numbers: Any,
    options: dict[str, str],
    first: str,
    last: str,
    note: str | None,
    parquet: bool,
) -> None:
    source = csv(tmp_path, list(numbers), **options)
    if parquet:
        path = str(tmp_path / "a.parquet")
        pd.read_csv(source.path).to_parquet(path)
        source = source.model_copy(update={"path": path})
    frame = read(source, None)
    assert list(frame["time"].iloc[[0, -1]]) == [pd.Timestamp(first), pd.Timestamp(last)]
    assert [n[: len(note or "")] for n in frame.attrs["notes"]] == ([note] if note else [])


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (["5", "7", ""], {}, r"line 4: column 'time' must hold ISO 8601 times, but it is ''"),
        (
            [2024, 2024.5],
            {"time_unit": "years"},
            r"line 2: column 'time' must hold whole years, between the years 1 and 9999, but it is",
        ),
        (
            [0, 10_000],
            {"time_unit": "years"},
            r"line 2: column 'time' must hold whole years, .* but it is 0; set data.source.time_un",
        ),
        (
            [1704067200000, 1704067201000],
            {},
            r"line 2: column 'time' must hold seconds since 1970, .* but it is 1704067200000; set",
        ),
        (
            ["2024-01-01", "2024-01-02"],
            {"time_unit": "days"},
            r"line 2: with data.source.time_unit column 'time' must hold numbers, but it is '2024",
        ),
    ],
)
def test_numbers_that_are_no_times_are_refused(
    tmp_path: Path, rows: list[Any], options: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(csv(tmp_path, rows, **options), None)


def test_a_missing_time_of_a_parquet_file_is_refused(tmp_path: Path) -> None:
    numbers, texts = pd.array([2000, 2001, None], dtype="Int64"), ["2024-01-01", "2024-01-02", None]
    for times in (numbers, texts, pd.to_datetime(texts)):
        path = parquet(tmp_path, pd.DataFrame({"time": times, "x": [1.0, 2, 3]}))
        message = r"a.parquet, row 3: column 'time' must hold ISO 8601 times, but it is"
        with pytest.raises(InputError, match=message):
            read(Table(path=path), None)


# Parquet's index


def parquet(folder: Path, table: pd.DataFrame) -> str:
    path = folder / "a.parquet"
    table.to_parquet(path)
    return str(path)


def test_an_index_is_a_column(tmp_path: Path) -> None:
    times = pd.date_range("2024-01-01", periods=4, tz="Europe/Berlin", name="time")
    table = pd.DataFrame({"x": [1.0, 2, 3, 4]}, index=times)
    frame = read(Table(path=parquet(tmp_path, table)), None)
    assert list(frame) == ["time", "x"]
    assert list(frame["time"]) == list(times)
    unnamed = parquet(tmp_path, table.rename_axis(None))
    assert list(read(Table(path=unnamed, time="index"), None)["time"]) == list(times)
    with pytest.raises(InputError, match=r"no column 'time'; the columns are index, x; set"):
        read(Table(path=unnamed), None)
    periods = parquet(tmp_path, table.tz_localize(None).to_period("D"))
    assert list(read(Table(path=periods), None)["time"]) == list(times.tz_localize(None))


def test_levels_of_an_index_are_columns(tmp_path: Path) -> None:
    times = pd.date_range("2024-01-01", periods=3)
    index = pd.MultiIndex.from_product([["a", "b"], times], names=["shop", "time"])
    path = parquet(tmp_path, pd.DataFrame({"x": np.arange(6.0)}, index=index))
    frame = read(Table(path=path, id="shop"), None)
    assert frame["series"].tolist() == ["a"] * 3 + ["b"] * 3
    assert list(frame.columns) == ["series", "time", "x"]
    assert frame["x"].tolist() == list(range(6))


def test_an_index_is_no_feature(tmp_path: Path) -> None:
    """It may be named, but is not among the columns that are read by default."""
    table = pd.DataFrame({"x": [1.0, 2], "label": ["a", "b"]})
    for index in (pd.Index([7, 9]), pd.Index([7, 9], name="row"), pd.Index([7, 9], name="x")):
        path = parquet(tmp_path, table.set_index(index))
        frame = read_source(Vectors(path=path), Fractions())
        assert [vector.tolist() for vector in frame["vector"]] == [[1.0], [2.0]]
    path = parquet(tmp_path, table.set_index(pd.Index([7, 9], name="row")))
    frame = read_source(Vectors(path=path, columns=("x", "row")), Fractions())
    assert [vector.tolist() for vector in frame["vector"]] == [[1.0, 7.0], [2.0, 9.0]]
    texts = parquet(tmp_path, pd.DataFrame({"label": ["a"]}, index=pd.Index(["b"], name="text")))
    assert read_source(LabelledText(path=texts), Fractions())["text"].tolist() == ["b"]


def test_times_of_frames_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame({"t": [3, 1, 2], "x": [30, 10, 20], "label": list("cab")}).to_csv(path)
    source = Frames(path=str(path), labels="per_frame", time="t", columns=("x",))
    frame = read_source(source, Time())
    assert frame["tags"].tolist() == [["a", "b", "c"]]
    assert frame.attrs["notes"] == [
        "column 't': its whole numbers are read as seconds since 1970; data.source.time_unit names "
        "another unit"
    ]
