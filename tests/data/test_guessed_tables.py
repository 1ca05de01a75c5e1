"""What `new` makes of tables: separators, headers, decimal marks, times, gaps, columns left out."""

from pathlib import Path

import pytest

from rnnkit.data.guess import Option, Taken, take
from rnnkit.data.guess.params_file import name_of, params_file
from rnnkit.data.guess.taken import NotTaken
from rnnkit.data.sources import read
from rnnkit.errors import InputError
from rnnkit.params.beginning import beginning
from rnnkit.params.data import Fractions


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def guess(name: str, content: str | bytes, task: str | None = None) -> Option:
    """What a file is taken for; its source reads it."""
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    taken = take(name)
    option = taken.option(task)
    experiment, _ = params_file(taken, option, "x", [])
    read(experiment.data.source, Fractions())
    return option


def table(header: str, *columns: object, separator: str = ",", rows: int = 60) -> str:
    """A table; a column is a text with {i} for the row, or a list of cells that is repeated."""
    lines = [header] if header else []
    for i in range(rows):
        cells = [c.format(i=i) if isinstance(c, str) else str(c[i % len(c)]) for c in columns]
        lines.append(separator.join(cells))
    return "\n".join(lines) + "\n"


DAYS = [f"2024-{month:02}-{day:02}" for month in (1, 2, 3) for day in range(1, 21)]


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        (table("text;label", "word {i} here now", ["a", "b"], separator=";"), {"separator": ";"}),
        (table("text|label", "word {i} here now", ["a", "b"], separator="|"), {"separator": "|"}),
        (table("text\tlabel", "word {i} now", ["a", "b"], separator="\t"), {"separator": "\t"}),
        ("# mine\n" + table("text,label", "word {i} here", ["a", "b"]), {"comment": "#"}),
        ("a report\nof 2024\n" + table("text;label", "word {i} so", ["a", "b"], separator=";"),
         {"separator": ";", "skip_rows": 2}),
        (table("", "word {i} here now", ["a", "b"]), {"header": False, "text": "1"}),
        (table("", "\"word {i} said so", ["a", "b"], separator=";"), {"quotes": False}),
        (table("text,label", "caf\u00e9 {i} here", ["a", "b"]).encode("latin-1"),
         {"encoding": "latin-1"}),
        (table("text,label", "\u201ccaf\u00e9\u201d {i} here", ["a", "b"]).encode("cp1252"),
         {"encoding": "cp1252"}),
        (table("text,label", "caf\u00e9 {i} here", ["a", "b"]).encode("utf-16"),
         {"encoding": "utf-16"}),
    ],
)  # fmt: skip
def test_how_a_table_is_written(content: str | bytes, keys: dict[str, object]) -> None:
    source = guess("a.csv", content).data["source"]
    assert {key: source.get(key) for key in keys} == keys


def test_a_first_line_of_a_label_that_is_also_a_name_is_no_header() -> None:
    """`pos` may name a column of parts of speech."""
    content = table("", ["pos", "neg"], "a film of the year {i}", separator="\t")
    source = guess("a.txt", content).data["source"]
    assert (source["format"], source["header"], source["label"]) == ("tsv", False, "1")


@pytest.mark.parametrize(
    ("cells", "keys"),
    [
        ("{i},5", {"decimal": ","}),
        ("1.{i:03},5", {"decimal": ",", "thousands": "."}),
    ],
)
def test_numbers_of_a_table_with_semicolons(cells: str, keys: dict[str, object]) -> None:
    content = table("time;load", DAYS, [cells.format(i=i) for i in range(60)], separator=";")
    source = guess("a.csv", content).data["source"]
    assert {key: source.get(key) for key in ("decimal", "thousands")} == {
        "decimal": None,
        "thousands": None,
        **keys,
    }


def test_commas_between_thousands_are_a_guess() -> None:
    option = guess("a.csv", table("time,load", DAYS, '"1,{i:03}"'.replace("{i:03}", "234")))
    assert option.data["source"]["thousands"] == ","
    assert "could have a decimal comma" in option.remarks["data.source.thousands"]


@pytest.mark.parametrize(
    ("cells", "keys"),
    [
        (DAYS, {"time_format": None}),
        ([f"{day}T05:30:00+01:00" for day in DAYS], {"time_format": None}),
        ([f"{day[8:]}/{day[5:7]}/{day[:4]}" for day in DAYS], {"time_format": "%d/%m/%Y"}),
        ([f"{day[5:7]}/{day[8:]}/{day[:4]} 13:05" for day in DAYS],
         {"time_format": "%m/%d/%Y %H:%M"}),
        ([f"{day[8:]}.{day[5:7]}.{day[:4]}" for day in DAYS], {"time_format": "%d.%m.%Y"}),
        ([f"{1900 + i}" for i in range(60)], {"time_format": None, "time_unit": None}),
        ([day.replace("-", "") for day in DAYS], {"time_format": None, "time_unit": None}),
        ([f"{1_700_000_000 + 3_600 * i}" for i in range(60)], {"time_unit": "seconds"}),
        ([f"{1_700_000_000_000 + 60_000 * i}" for i in range(60)], {"time_unit": "milliseconds"}),
    ],
)  # fmt: skip
def test_how_times_are_written(cells: list[str], keys: dict[str, object]) -> None:
    source = guess("a.csv", table("date,load", cells, ["1.5", "2.5", "4"])).data["source"]
    assert source["time"] == "date"
    assert {key: source.get(key) for key in keys} == keys


def test_a_date_that_is_read_in_two_ways_is_a_guess() -> None:
    option = guess(
        "a.csv",
        table(
            "date,load",
            [f"0{i % 9 + 1}/0{i // 9 + 1}/2024" for i in range(60)],
            ["1.5", "2.5"],
            rows=54,
        ),
    )
    assert option.remarks["data.source.time"] == "guess: %m/%d/%Y fits too"


def test_missing_values_and_times() -> None:
    lines = table(
        "time,a,b,c,place",
        DAYS,
        ["1", "2", "?", "4"],
        ["3", "-999", "-999", "5"],
        ["", "8"],
        ["Ulm"],
    ).splitlines()
    option = guess("a.csv", "\n".join([*lines[:30], *lines[31:]]) + "\n")
    source = option.data["source"]
    assert source["missing"] == ["?", -999]
    assert source["gaps"] == "forward"
    assert source["columns"] == ["a", "b"]
    assert option.remarks["data.source.columns"] == (
        "left out: c (has no value at its begin, to fill gaps with); place (no numbers)"
    )


def test_business_days_have_no_gaps_on_weekends() -> None:
    import pandas as pd

    days = [str(day.date()) for day in pd.date_range("2024-01-01", periods=60, freq="B")]
    option = guess("a.csv", table("date,close", days, ["1.5", "2.5"]))
    assert "gaps" not in option.data["source"]
    assert option.task["season"] == 5


@pytest.mark.parametrize(
    ("frequency", "season", "horizon", "window", "segment"),
    [("h", 24, 24, 144, 24), ("D", 7, 7, 49, 7), ("W", 52, 30, 104, 52), ("MS", 12, 12, 84, 12),
     ("QS", 4, 4, 24, 1), ("YS", 1, 1, 24, 1), ("15min", 96, 30, 150, 1), ("min", 60, 30, 120, 60),
     ("3D", 1, 1, 24, 1)],
)  # fmt: skip
def test_the_step_of_a_series_decides_on_season_horizon_and_segments(
    frequency: str, season: int, horizon: int, window: int, segment: int
) -> None:
    import pandas as pd

    count = 150 if frequency == "YS" else 600
    times = [str(t) for t in pd.date_range("1800-01-01", periods=count, freq=frequency)]
    option = guess("a.csv", table("time,load", times, ["1.5", "2.5"], rows=count))
    assert (option.task.get("season", 1), option.task["horizon"]) == (season, horizon)
    assert (option.data["window"], option.data.get("segment", 1)) == (window, segment)


@pytest.mark.parametrize(("columns", "channels"), [(1, None), (3, "independent"), (11, None)])
def test_a_network_reads_each_of_a_few_columns_by_itself(
    columns: int, channels: str | None
) -> None:
    """Of more than ten columns the last is forecast from all."""
    import pandas as pd

    hours = [str(time) for time in pd.date_range("2024-01-01", periods=480, freq="h")]
    names = ",".join(["time", *(f"load_{number}" for number in range(columns))])
    option = guess("a.csv", table(names, hours, *[["1.5", "2.5"]] * columns, rows=480))
    model, _ = beginning(option.kind, option.size)
    assert model.get("channels") == channels


def test_a_season_that_does_not_help_is_not_subtracted() -> None:
    import pandas as pd

    hours = [str(time) for time in pd.date_range("2024-01-01", periods=480, freq="h")]
    daily = [f"{(i % 24 - 12) ** 2}.5" for i in range(480)]
    rising = [f"{i}.5" for i in range(480)]
    option = guess("a.csv", table("time,load", hours, daily, rows=480))
    assert option.task["relative_to"] == "season"
    option = guess("a.csv", table("time,load", hours[::-1], rising, rows=480))
    assert (option.task["relative_to"], option.task["season"]) == ("last", 24)
    assert "worse than the last value" in option.remarks["task.relative_to"]
    shops = pd.DataFrame({"time": hours, "load": daily, "store": "a"})
    other = shops.assign(store="b", load=rising)
    option = guess("b.csv", pd.concat([shops, other]).to_csv(index=False))
    assert (option.data["source"]["id"], option.task["relative_to"]) == ("store", "season")


def test_a_table_of_many_columns_forecasts_the_last() -> None:
    names = ",".join(f"x{i}" for i in range(12))
    option = guess("a.csv", table(f"time,{names}", DAYS, *[["1.5", "2"]] * 12))
    assert option.task["targets"] == ["x11"]


def test_labels_of_times_fit_tagging_and_forecasting() -> None:
    content = table("time,heat,on", DAYS, ["1.5", "2.5", "4"], ["0", "1", "1"])
    assert guess("a.csv", content).kind == "forecasting"
    assert guess("a.csv", content.replace(",on", ",label")).kind == "tagging"
    assert guess("a.csv", content, "tagging").data["source"]["label"] == "on"


def test_a_column_of_splits_is_one() -> None:
    parts = ["train"] * 6 + ["valid", "test"]
    option = guess("a.csv", table("text,label,fold", "word {i} here now", ["a", "b"], parts))
    assert option.data["split"] == {"kind": "column", "name": "fold"}


def test_vectors_with_a_gap_leave_its_column_out() -> None:
    content = table("a,b,species", ["1.5", "", "3"], ["2", "3", "5"], ["x", "y"])
    option = guess("a.csv", content)
    assert option.data["source"]["columns"] == ["b"]
    assert "has missing values" in option.remarks["data.source.columns"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.wav", b"RIFF", "a.wav: is one recording; give the folder of all of them"),
        ("a.zip", None, "a.zip: is an archive; name one of its files, as a.zip/b.txt"),
        ("a.bin", b"\0\1\2", "a.bin: is no text, and of no form that is read; CSV, TSV"),
        ("a.xz", b"\xfd7zXZ\0", "a.xz: is packed by xz; unpack it"),
        ("a.txt", b" \n \n", "a.txt: holds nothing but white space"),
        ("a.csv", b"a,b\n", "a.csv: no task fits the columns"),
        ("a.csv", b"x\n1\n2\n", "a.csv: no task fits the columns"),
        ("a.json", b'[{"text": "a"}]', "a.json: JSON is read as one object in a line"),
        ("a.json", b'[[["c"]]]', "a.json: JSON is read as one object in a line"),
        ("a.jsonl", b'{"a": {"b": 1}}\n', "a.jsonl: is taken for JSON lines with the keys a,"),
        ("a.parquet", b"PAR1", "a.parquet: a Parquet file is needed, but"),
    ],
)
def test_what_is_not_taken_is_refused_in_a_line(
    name: str, content: bytes | None, message: str
) -> None:
    import zipfile

    if content is None:
        with zipfile.ZipFile(name, "w") as packed:
            packed.writestr("b.txt", "text")
    else:
        Path(name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        take(name)
    assert str(caught.value).startswith(message)


def test_folders_that_are_not_taken_are_refused_in_a_line() -> None:
    for folder in ("empty", "mixed/a", "mixed/b/c", "deep/a"):
        Path(folder).mkdir(parents=True)
    Path("mixed/a/1.txt").write_text("a")
    Path("mixed/b/c/1.txt").write_text("a")
    Path("deep/x.csv").write_text("a,b\n1,2\n")
    Path("deep/y.txt").write_text("text")
    Path("deep/a/1.wav").write_text("")
    Path("deep/2.wav").write_text("")
    for path, message in (
        ("empty", "empty: there is no file in this folder; CSV"),
        ("mixed", "mixed: its files lie in a, b/c; name one of these folders"),
        ("deep", "deep: its recordings lie in several depths of folders"),
    ):
        with pytest.raises(NotTaken) as caught:
            take(path)
        assert str(caught.value).startswith(message)
    Path("deep/2.wav").unlink()
    Path("deep/a/1.wav").unlink()
    with pytest.raises(NotTaken, match=r"^deep: holds files of several kinds \(x.csv, y.txt\)"):
        take("deep")
    Path("deep/y.txt").rename("deep/y.csv")
    with pytest.raises(NotTaken, match=r"y.csv: its columns are not those of deep/x.csv, a, b"):
        take("deep")


def test_a_task_that_does_not_fit_is_refused_with_those_that_do() -> None:
    Path("a.csv").write_text(table("text,label", "word {i} here now", ["a", "b"]))
    taken: Taken = take("a.csv")
    with pytest.raises(InputError, match=r"fits classification, captioning, and not music"):
        taken.option("music")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("../data/My texts.CSV.gz", "My-texts"),
        ("a/b/", "b"),
        ("...", "data"),
        ("\u00fc.csv", "data"),
    ],
)
def test_the_name_of_an_experiment_is_that_of_its_data(path: str, name: str) -> None:
    assert name_of(path) == name


def test_names_with_signs_of_yaml_are_read_back() -> None:
    option = guess(
        "a b: #1.csv", table('"text: a","yes","no # no"', "word {i} here", ["a", "b"], ["x", "y"])
    )
    assert option.data["source"]["text"] == "text: a"
