"""Gaps in a series: refused, kept or filled, by themselves and through a table."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from rnnkit.data.sources.table import fill, read
from rnnkit.errors import InputError
from rnnkit.params.data import Data, Time
from rnnkit.params.source import Table
from rnnkit.params.task import Forecasting
from rnnkit.tasks import prepare

ROWS = "time,x\n2024-01-01,1\n2024-01-02,2\n2024-01-03,\n2024-01-04,4\n2024-01-07,10\n"


def table(folder: Path, text: str, **options: str) -> Table:
    (folder / "a.csv").write_text(text)
    return Table.model_validate({"path": str(folder / "a.csv"), **options})


@pytest.mark.parametrize(
    ("gaps", "values", "note"),
    [
        ("forward", [1, 2, 2, 4, 4, 4, 10], "3 missing values were filled with the value before"),
        ("interpolate", [1, 2, 3, 4, 6, 8, 10], "3 missing values were filled with linear interp"),
    ],
)
def test_gaps_are_filled_and_counted(
    tmp_path: Path, gaps: str, values: list[int], note: str
) -> None:
    frame = read(table(tmp_path, ROWS, gaps=gaps), None)
    assert frame["x"].tolist() == values
    assert frame["time"].dt.day.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert frame.attrs["notes"][0].startswith(note)
    assert frame.attrs["notes"][0].endswith(", at 2 times that were missing")


def test_what_was_filled_stands_in_the_facts(tmp_path: Path) -> None:
    source = table(tmp_path, ROWS, gaps="forward")
    data = Data(source=source, split=Time(valid=0.3, test=0.3), window=1)
    facts = prepare(data, Forecasting(), tmp_path).facts
    assert facts["notes"] == [
        "3 missing values were filled with the value before, at 2 times that were missing",
        "filled values are neither learned as targets nor scored: 1 of train, 1 of valid, 1 of "
        "test; windows that forecast nothing else, left out: 3",
    ]
    assert facts["missing_truth"] == {"train": 1, "valid": 1, "test": 1}


def test_forward_never_looks_ahead(tmp_path: Path) -> None:
    """Rows up to a time are filled alike, whatever follows."""
    frame = read(table(tmp_path, ROWS, gaps="forward"), None)
    later = read(table(tmp_path, ROWS.replace("07,10", "07,99"), gaps="forward"), None)
    assert frame["x"].tolist()[:6] == later["x"].tolist()[:6]


def test_each_series_has_its_own_grid_and_its_own_values(tmp_path: Path) -> None:
    rows = [f"2024-01-{day:02d},a,{day}" for day in (1, 2, 3, 6)]
    rows += [f"2024-01-01T{hour:02d}:00,b,{100 * hour}" for hour in (0, 1, 2, 4)]
    source = table(tmp_path, "\n".join(["time,id,x", *rows]), id="id", gaps="forward")
    frame = read(source, None)
    assert frame["series"].tolist() == ["a"] * 6 + ["b"] * 5
    assert frame["x"].tolist() == [1, 2, 3, 3, 3, 6, 0, 100, 200, 200, 400]
    refused = source.model_copy(update={"gaps": "refuse"})
    with pytest.raises(InputError, match=r"2 are missing of series 'a', the first is 2024-01-04"):
        read(refused, None)


def test_gaps_are_refused_by_default_and_may_be_kept(tmp_path: Path) -> None:
    whole = ROWS.replace("03,\n", "03,3\n")
    with pytest.raises(InputError, match=r"2 are missing, the first is 2024-01-05 .*to keep"):
        read(table(tmp_path, whole), None)
    assert len(read(table(tmp_path, whole, gaps="keep"), None)) == 5
    for gaps in ("refuse", "keep"):
        with pytest.raises(InputError, match=r"1 are missing or inf.* `data.source.gaps"):
            read(table(tmp_path, ROWS, gaps=gaps), None)
    with pytest.raises(InputError, match=r"1 are missing or infinite, the first in column 'x', li"):
        read(table(tmp_path, ROWS.replace("07,10", "07,inf"), gaps="forward"), None)


@pytest.mark.parametrize(
    ("gaps", "where", "message"),
    [
        ("forward", "01,1", r"the first value must be there to fill a gap with, .* at 2024-01-01"),
        ("interpolate", "07,10", r"the first or last value must be there .* none at 2024-01-05"),
    ],
)
def test_nothing_is_invented_at_the_ends(
    tmp_path: Path, gaps: str, where: str, message: str
) -> None:
    holed = ROWS.replace(where, where.split(",")[0] + ",")
    with pytest.raises(InputError, match=message):
        read(table(tmp_path, holed, gaps=gaps), None)


def test_a_whole_frame_is_left_as_it_is() -> None:
    frame = pd.DataFrame({"time": pd.date_range("2024", periods=4), "x": [1.0, 2, 3, 4]})
    pd.testing.assert_frame_equal(fill(frame, Table(path="a.csv")), frame)


def test_the_leap_days_that_a_public_series_lacks(public_data: Callable[[str], Path]) -> None:
    path = public_data("ts_classic") / "daily-min-temperatures.csv"
    source = Table(path=str(path), time="Date")
    with pytest.raises(InputError, match=r"2 are missing, the first is 1984-12-31"):
        read(source, None)
    frame = read(source.model_copy(update={"gaps": "interpolate"}), None)
    assert (len(frame), frame["time"].diff().nunique()) == (3_652, 1)
    months = read(Table(path=str(path.with_name("monthly-sunspots.csv")), time="Month"), None)
    assert len(months) == 2_820
