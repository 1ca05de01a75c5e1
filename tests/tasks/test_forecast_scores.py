"""Scores of forecasts by series and column, with their times; the report that shows them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from shop_series import FUTURE, QUANTILE, experiment_of
from trained_runs import finish_in

from rnnkit.params.task import Forecasting
from rnnkit.report.run import REPORT, write_run_report
from rnnkit.report.run_figures import draw
from rnnkit.tasks import predictions_of
from rnnkit.tasks.numbers import MAX_SCORES, Forecasts
from rnnkit.tasks.predictions import Items


def test_a_runs_report_has_every_series_its_dates_and_its_scores(tmp_path: Path) -> None:
    experiment = experiment_of(tmp_path, task=QUANTILE, **FUTURE)
    run = finish_in(tmp_path, experiment, "x-1")
    table = pandas.read_parquet(run.folder.path / "predictions.parquet")
    begins = {"a": 0, "b": 60}
    first = pandas.Timestamp("2024-01-01")
    hours = table["row"] - table["series"].map(begins)
    assert (table["time"] == first + pandas.to_timedelta(hours, unit="h")).all()
    predictions = predictions_of(experiment, table)
    paths = draw(run.folder, experiment, run.prepared, predictions, [], {})
    assert {"forecasts_1", "forecasts_2"} <= {path.stem for path in paths}
    write_run_report(run.folder, experiment, run.prepared, predictions, dict(run.result), [])
    page = (run.folder.path / REPORT).read_text()
    assert "<h2>Scores by series and column</h2>" in page
    ((heading, rows),) = predictions.tables(Items(run.prepared))
    assert heading == "Scores by series and column"
    assert [(row["series"], row["column"]) for row in rows] == [("a", "x"), ("b", "x")]
    for row in rows:
        own = table[table["series"] == row["series"]]
        errors = own["forecast x"] - own["truth x"]
        low, high = own["quantile 0.1 x"], own["quantile 0.9 x"]
        assert row["values"] == len(own)
        assert row["mae"] == pytest.approx(errors.abs().mean())
        assert row["rmse"] == pytest.approx(np.sqrt((errors**2).mean()))
        assert row["mean error"] == pytest.approx(errors.mean())
        assert row["coverage"] == ((low <= own["truth x"]) & (own["truth x"] <= high)).mean()
        assert row["interval_width"] == pytest.approx((high - low).mean())
    test = run.result["test"]
    weights = [row["values"] for row in rows]
    for name in ("mae", "coverage", "interval_width", "pinball"):
        assert np.average([row[name] for row in rows], weights=weights) == pytest.approx(
            test[name], rel=1e-5
        )
    _, mistakes = predictions.mistakes(None)  # type: ignore[arg-type]
    assert list(mistakes[0]) == ["series", "time", "step", "truth x", "forecast x", "error"]
    assert mistakes[0]["time"].startswith("2024-01-0")


def table_of(columns: int, rows: int = 4) -> pandas.DataFrame:
    truth = {f"truth c{k}": float(k) for k in range(columns)}
    forecasts = {f"forecast c{k}": 1.0 for k in range(columns)}
    return pandas.DataFrame({"row": range(rows), "step": 1, **truth, **forecasts})


def tables(table: pandas.DataFrame) -> list[Any]:
    return list(Forecasts(table, Forecasting()).tables(None))  # type: ignore[arg-type]


def test_one_column_has_no_table_and_many_are_cut() -> None:
    assert tables(table_of(1)) == []
    ((heading, rows),) = tables(table_of(3))
    assert heading == "Scores by column"
    assert [row["mae"] for row in rows] == [1, 0, 1]
    ((heading, rows),) = tables(table_of(MAX_SCORES + 5))
    assert heading == f"Scores by column (the first {MAX_SCORES} of {MAX_SCORES + 5})"
    assert len(rows) == MAX_SCORES


def test_a_column_without_truth_has_no_score() -> None:
    table = table_of(2)
    table["truth c0"] = np.nan
    table["quantile 0.1 c0"] = table["quantile 0.9 c0"] = 1.0
    ((_, (missing, there)),) = tables(table)
    assert missing["values"] == 0
    assert np.isnan([missing["mae"], missing["coverage"], missing["pinball"]]).all()
    assert there["mae"] == 0
    _, mistakes = Forecasts(table, Forecasting()).mistakes(None)  # type: ignore[arg-type]
    assert list(mistakes[0])[:2] == ["row", "step"]  # data without times


def test_times_are_in_the_zone_of_the_table(tmp_path: Path) -> None:
    experiment = experiment_of(tmp_path)
    source = experiment.data.source.model_copy(update={"timezone": "America/New_York"})
    experiment = experiment.replace({"data.source": source.model_dump()})
    run = finish_in(tmp_path, experiment, "x-1")
    table = pandas.read_parquet(run.folder.path / "predictions.parquet")
    assert str(table["time"].dt.tz) == "America/New_York"
    assert str(table["time"].iloc[0]) == "2024-01-03 00:00:00-05:00"
