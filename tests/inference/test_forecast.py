"""The rows behind a table: windows, times, covariates ahead; one answer by every way to ask."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from PIL import Image
from shop_series import FUTURE, HORIZON, QUANTILE, WINDOW, experiment_of, write
from trained_runs import finish_in
from untrained_models import untrained

from rnnkit.errors import InputError, Note
from rnnkit.inference.forecast import Forecast, ending_of, forecast
from rnnkit.inference.input_files import Form, inputs
from rnnkit.inference.predict import Predictor, load
from rnnkit.inference.pyfunc import _load_pyfunc
from rnnkit.tasks.forecasting.columns import calendar

ANY = Form(False, False, False)
CALENDAR = {"covariates": {"past": ["visitors"], "calendar": ["hour", "weekday"]}}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Finished runs: without covariates ahead, with the calendar alone, with a column."""
    folder = tmp_path_factory.mktemp("runs")
    params: dict[str, Any] = {
        "plain": {},
        "calendar": {"task": QUANTILE, **CALENDAR},
        "future": FUTURE,
    }
    return {
        name: finish_in(folder, experiment_of(folder, **changes), f"{name}-1").folder.path
        for name, changes in params.items()
    }


def shops(folder: Path, *, ahead: int = 0) -> pandas.DataFrame:
    """The table of the runs, without its short series, and with rows ahead that have a price."""
    table = pandas.read_csv(write(folder), parse_dates=["time"])
    table = table[table["shop"] != "short"]
    pieces = [table]
    for shop, rows in table.groupby("shop"):
        times = pandas.date_range(rows["time"].max(), periods=ahead + 1, freq="h")[1:]
        price = np.arange(1.0, ahead + 1)
        pieces.append(pandas.DataFrame({"time": times, "shop": shop, "price": price}))
    return pandas.concat(pieces, ignore_index=True)


def without_notes(predictor: Predictor, file: str | None) -> Forecast:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Note)
        return forecast(predictor, file)


@pytest.mark.parametrize("name", ["plain", "calendar", "future"])
def test_every_way_to_ask_gives_one_answer(
    runs: dict[str, Path], tmp_path: Path, name: str
) -> None:
    table = shops(tmp_path, ahead=HORIZON if name == "future" else 0)
    table.to_csv(tmp_path / "new.csv", index=False)
    predictor = load(runs[name])
    made = without_notes(predictor, str(tmp_path / "new.csv"))
    answers = made.answers
    assert [answer["series"] for answer in answers] == ["a", "b"]
    values = [v for _, v in inputs(predictor, str(tmp_path / "new.csv"), ANY, io.BytesIO())]
    assert predictor(values) == answers
    frames = [
        table,
        table.astype({"time": str}),
        table.set_index("time"),
        table.set_index("time").rename_axis(None),
        table.sample(frac=1, random_state=0),
        table.assign(remarks="a column that the model does not read"),
    ]
    served = _load_pyfunc(str(runs[name] / "model"))
    for frame in frames:
        assert predictor(frame) == answers
        if "time" in frame:
            assert served.predict(frame) == answers
    table.to_parquet(tmp_path / "new.parquet")
    assert without_notes(predictor, str(tmp_path / "new.parquet")).answers == answers


@pytest.mark.parametrize("name", ["plain", "calendar", "future"])
def test_the_window_is_the_last_rows_with_the_rows_ahead(
    runs: dict[str, Path], tmp_path: Path, name: str
) -> None:
    table = shops(tmp_path, ahead=HORIZON if name == "future" else 0)
    table.to_csv(tmp_path / "new.csv", index=False)
    predictor = load(runs[name])
    made = without_notes(predictor, str(tmp_path / "new.csv"))
    columns, windows = predictor.prepared.fitted.inputs.scaler.columns, []
    for item in made.items:
        rows = table[(table["shop"] == item.series) & table["x"].notna()]
        window = rows.sort_values("time").tail(WINDOW)
        times = pandas.date_range(window["time"].iloc[-1], periods=HORIZON + 1, freq="h")[1:]
        assert item.ahead.tolist() == times.tolist()
        assert item.past.tolist() == window["time"].tolist()
        expected = window[[c for c in columns if c in table]].to_numpy()
        if name != "plain":
            future = np.full((HORIZON, expected.shape[1]), np.nan)
            if name == "future":
                future[:, list(columns).index("price")] = [1, 2, 3]
            both = pandas.Series([*item.past, *times])
            waves = calendar(both, predictor.experiment.data.covariates.calendar)
            expected = np.column_stack([np.concatenate([expected, future]), waves])
        np.testing.assert_array_equal(item.values, expected)
        windows.append((item.series, expected))
        own = made.answers[len(windows) - 1]
        assert own["times"] == [time.isoformat() for time in times]
        assert own["columns"] == ["x"]
    answers = predictor(windows)  # lists of numbers
    assert answers == [{key: own[key] for key in ("forecast", "quantiles")} for own in made.answers]


def test_rows_are_those_of_the_answers(runs: dict[str, Path], tmp_path: Path) -> None:
    shops(tmp_path).to_csv(tmp_path / "new.csv", index=False)
    made = without_notes(load(runs["calendar"]), str(tmp_path / "new.csv"))
    levels = ["0.1", "0.4", "0.5", "0.9"]
    assert list(made.rows) == [
        *("series", "time", "step", "column", "forecast"),
        *(f"quantile {level}" for level in levels),
    ]
    assert len(made.rows) == 2 * HORIZON
    for answer, (name, rows) in zip(made.answers, made.rows.groupby("series"), strict=True):
        assert answer["series"] == name
        assert rows["step"].tolist() == [1, 2, 3]
        assert rows["forecast"].tolist() == np.ravel(answer["forecast"]).tolist()
        for level in levels:
            quantile = np.ravel(answer["quantiles"][level]).tolist()
            assert rows[f"quantile {level}"].tolist() == quantile
    point = without_notes(load(runs["plain"]), str(tmp_path / "new.csv")).rows
    assert list(point)[5:] == ["quantile 0.05", "quantile 0.5", "quantile 0.95"]
    assert (point["quantile 0.05"] <= point["forecast"]).all()


def test_csv_parquet_and_picture_hold_the_rows(runs: dict[str, Path], tmp_path: Path) -> None:
    shops(tmp_path).to_csv(tmp_path / "new.csv", index=False)
    made = without_notes(load(runs["plain"]), str(tmp_path / "new.csv"))
    for name in ("a.csv", "a.parquet", "a.png"):
        made.save(tmp_path / name)
    read = pandas.read_csv(tmp_path / "a.csv", parse_dates=["time"])
    pandas.testing.assert_frame_equal(read, made.rows, check_dtype=False)
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "a.parquet"), made.rows)
    assert "2024-01-03T12:00:00" in made.csv
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width == 1650
    with pytest.raises(InputError, match=r"a\.json: a forecast is written as \.csv, \.parquet"):
        ending_of(tmp_path / "a.json")


def test_without_a_file_the_runs_own_table_is_read_as_it_is_now(tmp_path: Path) -> None:
    experiment = experiment_of(tmp_path)
    run = finish_in(tmp_path, experiment, "x-1").folder.path
    message = "1 of 3 series were left out, because the model was not trained on them: short"
    with pytest.warns(Note, match=message):
        made = forecast(load(run), None)
    assert made.rows["time"].min() == pandas.Timestamp("2024-01-02T16:00")  # of b
    table = tmp_path / "shops.csv"
    table.write_text(f"{table.read_text()}\n2024-01-03T12:00,a,1,1,1,1")
    with pytest.warns(Note, match=message):
        later = forecast(load(run), None)
    assert later.rows["time"].max() - made.rows["time"].max() == pandas.Timedelta("1h")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[t["x"].notna()], r"price must be known for the 3 rows behind .* 'a', from 20"),
        (lambda t: t[~((t["shop"] == "b") & (t["price"] == 3))], r"of series 'b', .* there are 2"),
        (lambda t: t.assign(price=t["price"].mask(t["price"] == 2)), r"it is missing at 2024-01-0"),
        (lambda t: t[~((t["shop"] == "a") & (t["price"] == 1))], r"must follow without a gap, but"),
        (lambda t: t.drop(columns="visitors"), r"there is no column 'visitors'"),
        (lambda t: t[t["x"].isna() | (t["visitors"] > 3)], r"times must follow one another"),
        (lambda t: t[t["x"].isna()], r"a forecast needs 6 rows, the window, but there are 0 of se"),
        (lambda t: t.assign(shop="c"), r"every time may occur once"),
        (
            lambda t: t[t["shop"] == "a"].assign(shop="c"),
            r"knows the series a, b, and the table",
        ),
        (
            lambda t: t.assign(visitors=t["visitors"].mask(t["serial"] == 30)),
            r"must be a finite number, but 2 are missing, the first in column 'visitors' at 2024-",
        ),
        (
            lambda t: t.assign(visitors=t["visitors"].astype(object).mask(t["serial"] == 30, "?")),
            r"the table: every column must hold values of one type",
        ),
    ],
)
def test_a_table_that_cannot_be_continued_is_refused(
    runs: dict[str, Path], tmp_path: Path, change: Any, message: str
) -> None:
    table = change(shops(tmp_path, ahead=HORIZON))
    with pytest.raises(InputError, match=message):
        load(runs["future"])(table)


def test_a_run_that_forecasts_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("\n".join(f"pos w{k}\nneg v{k}" for k in range(40)))
    source = {"kind": "labelled_text", "path": str(tmp_path / "own.txt")}
    predictor = untrained(tmp_path, source, "classification")
    with pytest.raises(InputError, match="only a forecasting model has rows behind a table, and"):
        forecast(predictor, None)
    with pytest.raises(InputError, match="inputs must be a list, got a DataFrame"):
        predictor(pandas.DataFrame({"text": ["a"]}))


# ---------------------------------------------------------------------- other tables


def single(folder: Path, times: Any, source: Any, **data: Any) -> Predictor:
    """A model of one series with the columns y and z, of which both are forecast."""
    t = np.arange(len(times))
    table = pandas.DataFrame({"time": times, "y": t % 5 + 0.0, "z": t % 7 + 1.0})
    table.to_csv(folder / "s.csv", index=False)
    source = {"kind": "table", "path": str(folder / "s.csv"), **source}
    task = {"kind": "forecasting", "horizon": 3}
    return untrained(folder, source, task, split={"kind": "time"}, window=4, **data)


def dates(predictor: Predictor, file: str | None = None) -> list[str]:
    made = without_notes(predictor, file)
    rows = made.csv.splitlines()
    assert rows[0] == "time,step,column,forecast"
    assert [row.split(",")[2] for row in rows[1:]] == ["y"] * 3 + ["z"] * 3
    return [row.split(",")[0] for row in rows[1:4]]


def test_days_months_business_days_and_named_frequencies_go_on(tmp_path: Path) -> None:
    for first, frequency, source, expected in (
        ("2024-01-01", "D", {}, ["2024-03-01", "2024-03-02", "2024-03-03"]),
        ("2019-01-31", "ME", {}, ["2024-01-31", "2024-02-29", "2024-03-31"]),
        ("2024-01-01", "B", {}, ["2024-03-25", "2024-03-26", "2024-03-27"]),
        ("2019-01-31", "BME", {"frequency": "BME"}, ["2024-01-31", "2024-02-29", "2024-03-29"]),
    ):
        times = pandas.date_range(first, periods=60, freq=frequency)
        assert dates(single(tmp_path, times, source)) == expected


def test_years_and_zones_go_on(tmp_path: Path) -> None:
    years = single(tmp_path, range(1950, 2010), {"time_unit": "years"})
    assert dates(years) == ["2010-01-01", "2011-01-01", "2012-01-01"]
    hours = pandas.date_range("2024-10-24T12:00", periods=60, freq="h", tz="Europe/Berlin")
    berlin = single(tmp_path, hours, {"timezone": "Europe/Berlin"})
    assert dates(berlin) == [
        "2024-10-27T00:00:00+02:00",
        "2024-10-27T01:00:00+02:00",
        "2024-10-27T02:00:00+02:00",
    ]
    frame = pandas.read_csv(tmp_path / "s.csv", parse_dates=["time"])
    assert berlin(frame) == without_notes(berlin, None).answers


def test_rows_ahead_say_their_own_times_where_rows_are_the_steps(tmp_path: Path) -> None:
    days = pandas.date_range("2024-01-01", periods=60, freq="B").delete([14, 30])  # holidays
    predictor = single(tmp_path, days, {"gaps": "keep"}, covariates={"calendar": ["weekday"]})
    assert dates(predictor) == ["2024-03-25", "2024-03-26", "2024-03-27"]
    table = (tmp_path / "s.csv").read_text()
    (tmp_path / "new.csv").write_text(f"{table}2024-03-26,,\n2024-03-28,,\n")
    ahead = dates(predictor, str(tmp_path / "new.csv"))
    assert ahead == ["2024-03-26", "2024-03-28", "2024-03-29"]
    (tmp_path / "new.csv").write_text(f"{table}2024-03-26,,\n2024-03-28,,\n2024-04-02,,\n")
    ahead = dates(predictor, str(tmp_path / "new.csv"))
    assert ahead == ["2024-03-26", "2024-03-28", "2024-04-02"]
    item = without_notes(predictor, str(tmp_path / "new.csv")).items[0]
    waves = calendar(pandas.Series([*item.past, *item.ahead]), ["weekday"])
    np.testing.assert_array_equal(item.values[:, -2:], waves)


def test_irregular_times_are_noted(tmp_path: Path) -> None:
    seconds = np.cumsum(np.tile([60, 61, 60, 67, 60], 12))
    times = pandas.Timestamp("2024-01-01") + pandas.to_timedelta(seconds, unit="s")
    predictor = single(tmp_path, times, {})
    with pytest.warns(Note) as notes:
        made = forecast(predictor, None)
    texts = [str(note.message) for note in notes]
    assert "those of the forecast follow at the median distance, 0 days 00:01:00" in texts[-1]
    assert made.rows["time"].iloc[1] - made.rows["time"].iloc[0] == pandas.Timedelta("60s")


def test_filled_gaps_and_a_late_column_are_read_as_in_training(tmp_path: Path) -> None:
    times = pandas.date_range("2024-01-01", periods=60)
    predictor = single(tmp_path, times, {"gaps": "forward"})
    table = pandas.read_csv(tmp_path / "s.csv")
    last = table.index[-1]
    table.loc[last, "z"] = np.nan  # one target comes later than the other
    table.drop(index=last - 2).to_csv(tmp_path / "new.csv", index=False)
    with pytest.warns(Note, match=r"new\.csv: 3 missing values were filled with the value before"):
        made = forecast(predictor, str(tmp_path / "new.csv"))
    (item,) = made.items
    expected = table[["y", "z"]].to_numpy()[-4:]
    expected[1] = expected[0]
    expected[3, 1] = expected[2, 1]
    np.testing.assert_array_equal(item.values, expected)
    assert as_dates(item.ahead) == ["2024-03-01", "2024-03-02", "2024-03-03"]


def as_dates(times: pandas.DatetimeIndex) -> list[str]:
    return [str(time.date()) for time in times]


def test_a_built_in_series_is_continued_and_files_like_it_are_read(tmp_path: Path) -> None:
    source = {"kind": "builtin", "name": "sunspots"}
    task = {"kind": "forecasting", "horizon": 2}
    predictor = untrained(tmp_path, source, task, split={"kind": "time"}, window=5)
    made = without_notes(predictor, None)
    assert as_dates(made.items[0].ahead) == ["2009-01-01", "2010-01-01"]
    (column,) = predictor.prepared.fitted.forecast_columns
    values = {column: [1.0, 2, 3, 4, 5, 6]}
    times = pandas.date_range("2001-01-01", periods=6, freq="YS")
    frame = pandas.DataFrame({"time": times, **values})
    frame.to_csv(tmp_path / "new.csv", index=False)
    own = without_notes(predictor, str(tmp_path / "new.csv"))
    assert as_dates(own.items[0].ahead) == ["2007-01-01", "2008-01-01"]
    assert predictor(frame) == own.answers
