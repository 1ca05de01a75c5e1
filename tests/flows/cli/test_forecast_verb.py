"""`rnnkit forecast`: CSV on standard output, JSON, files by their ending, and refusals."""

from pathlib import Path

import pandas
import pytest
from verb_runs import answers, finish, rnnkit

PARAMS = """
name: load
task: {kind: forecasting, horizon: 2}
data:
  source: {kind: table, path: load.csv}
  split: {kind: time, valid: 0.3, test: 0.2}
  window: 6
  covariates: {calendar: [weekday]}
model: {representation: {kind: raw}, hidden: 6}
train: {epochs: 1}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a daily series of 100 rows and a finished run."""
    folder = tmp_path_factory.mktemp("forecast")
    rows = [f"{day.date()},{k % 7},{k % 5}" for k, day in enumerate(days(100))]
    (folder / "load.csv").write_text("\n".join(["time,load,price", *rows]))
    finish(folder, PARAMS)
    return folder


def days(count: int) -> pandas.DatetimeIndex:
    return pandas.date_range("2024-01-01", periods=count)


def test_the_verb_prints_csv_and_json_and_writes_files(place: Path) -> None:
    printed = rnnkit(place, "forecast", "last")
    assert (printed.returncode, printed.stderr) == (0, "")
    lines = [line.split(",") for line in printed.stdout.splitlines()]
    head = ["time", "step", "column", "forecast"]
    assert lines[0] == [*head, "quantile 0.05", "quantile 0.5", "quantile 0.95"]
    assert [line[:3] for line in lines[1:]] == [
        ["2024-04-10", "1", "load"],
        ["2024-04-11", "2", "load"],
        ["2024-04-10", "1", "price"],
        ["2024-04-11", "2", "price"],
    ]
    (answer,) = answers(rnnkit(place, "forecast", "load", "load.csv", "--json"))
    assert [float(line[3]) for line in lines[1:3]] == [row[0] for row in answer["forecast"]]
    assert answers(rnnkit(place, "predict", "last", "load.csv")) == [answer]
    written = rnnkit(place, "forecast", "last", "--to", "a.csv", "--to", "a.png", "--to", "a.pq")
    assert written.returncode == 2
    message = "rnnkit: a.pq: a forecast is written as .csv, .parquet, .png; name it so\n"
    assert (written.stdout, written.stderr) == ("", message)
    options = ("--to", "a.csv", "--to", "a.png", "--to", "a.parquet")
    written = rnnkit(place, "forecast", "last", *options)
    assert written.stdout == "4 rows: a.csv\n4 rows: a.png\n4 rows: a.parquet\n"
    assert (place / "a.csv").read_text() == printed.stdout
    assert len(pandas.read_parquet(place / "a.parquet")) == 4
    assert (place / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_table_that_is_no_series_is_one_line_and_exit_status_2(place: Path) -> None:
    (place / "short.csv").write_text(
        "time,load,price\n2024-01-01,1,2\n2024-01-02,1,2\n2024-01-03,1,2\n"
    )
    refused = rnnkit(place, "forecast", "last", "short.csv")
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr == (
        "rnnkit: data.source: a forecast needs 6 rows, the window, but there are 3; "
        "give more rows\n"
    )
