"""Tables as other people publish them: layouts, numbers, times and names of CSV and TSV."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from source_files import read, write

from rnnkit.data import sources
from rnnkit.data.sources.delimited import Layout, suggested
from rnnkit.data.sources.table import FILLED
from rnnkit.errors import InputError
from rnnkit.params.data import Column, Fractions
from rnnkit.params.source import (
    Audio,
    Frames,
    LabelledText,
    Pairs,
    Source,
    Table,
    Tokens,
    TokenTable,
    Vectors,
)

# Published forms

NEWS = (
    '"3","Oil rises","Crude, up ""sharply"", closes at 80"\n'
    '"1","Talks end","No deal\\, they said"\n'
    '"3","Shares fall","Markets"\n'
)
AIR = (
    "Date;Time;CO(GT);PT08.S1(CO);NMHC(GT);;\r\n"
    "10/03/2004;18.00.00;2,6;1360;150;;\r\n"
    "10/03/2004;19.00.00;2;1292,25;112;;\r\n"
    "10/03/2004;20.00.00;-200;1402;-200,0;;\r\n"
    "10/03/2004;21.00.00;2,2;1376;80;;\r\n"
    ";;;;;;\r\n"
    ";;;;;;\r\n"
)
SMS = 'ham\tGo until "jurong point, crazy\nspam\tFree entry in 2 a wkly comp\nham\tOk lar\n'
ENTITIES = (
    "Sentence #,Word,POS,Tag\n"
    "Sentence: 1,Caf\u00e9,NNP,B-org\n"
    ",of,IN,O\n"
    ',",",",",O\n'
    "Sentence: 2,NA,NNP,B-geo\n"
    ',"""",``,O\n'
)


def test_ag_news_has_no_header(tmp_path: Path) -> None:
    path = write(tmp_path, "train.csv", NEWS)
    source = LabelledText.model_validate({"path": path, "header": False, "label": 1, "text": 3})
    frame = read(source)
    assert frame["label"].tolist() == ["3", "1", "3"]
    assert frame["text"][0] == 'Crude, up "sharply", closes at 80'
    assert frame.attrs["notes"] == []


def test_lines_of_other_white_space_suggest_no_layout(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "\x1f\n\x1f\n")
    with pytest.raises(InputError, match=r"a\.csv: there is no column 'text', for the first line"):
        read(LabelledText(path=path))


def test_air_quality_has_semicolons_decimal_commas_and_marks(tmp_path: Path) -> None:
    """As in the UCI repository: nameless columns and empty rows at the end."""
    options = {
        "path": write(tmp_path, "air.csv", AIR),
        "separator": ";",
        "decimal": ",",
        "missing": [-200],
        "time": ["Date", "Time"],
        "time_format": "%d/%m/%Y %H.%M.%S",
        "gaps": "interpolate",
    }
    frame = read(Table.model_validate(options))
    values = ["CO(GT)", "PT08.S1(CO)", "NMHC(GT)"]
    assert [name for name in frame.columns if not name.startswith(FILLED)] == ["time", *values]
    assert frame["time"].tolist() == list(pd.date_range("2004-03-10 18:00", periods=4, freq="h"))
    np.testing.assert_allclose(frame["CO(GT)"], [2.6, 2, 2.1, 2.2])
    np.testing.assert_allclose(frame["NMHC(GT)"], [150, 112, 96, 80])
    assert frame.attrs["notes"] == [
        "2 rows without any value at the end were left out",
        "columns without a name were left out: Unnamed: 5, Unnamed: 6 (list them in "
        "data.source.columns to read them)",
        "2 missing values were filled with linear interpolation in time, which reads the next "
        "value",
    ]
    with pytest.raises(InputError, match=r"2 are missing .* column 'CO\(GT\)', line 4 \('-200'\)"):
        read(Table.model_validate(options | {"gaps": "refuse"}))


def test_a_time_in_several_columns_of_which_one_is_empty(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "day,hour,x\n2024-01-01,12:00,1\n2024-01-02,,2\n")
    source = Table.model_validate({"path": path, "time": ["day", "hour"]})
    with pytest.raises(InputError, match=r"a\.csv, line 3: .* but it is '2024-01-02 '; write"):
        read(source)
    short = write(tmp_path, "b.csv", "day,hour,x\n2024-01-01,12:00,1\n\x1f\n")
    with pytest.raises(InputError, match=r"b\.csv, line 3: column 'day hour' must hold ISO 8601 t"):
        read(source.model_copy(update={"path": short, "gaps": "forward"}))


def test_sms_spam_has_tabs_between_label_and_text(tmp_path: Path) -> None:
    path = write(tmp_path, "SMSSpamCollection", SMS)
    with pytest.raises(InputError, match=r"line 1: .* here is a tab: 'ham\\tGo .* `format: tsv`"):
        read(LabelledText(path=path))
    options = {"path": path, "format": "tsv", "header": False, "label": 1, "text": 2}
    frame = read(LabelledText.model_validate(options))
    assert frame["label"].tolist() == ["ham", "spam", "ham"]
    assert frame["text"][0] == 'Go until "jurong point, crazy'
    one_word = write(tmp_path, "one.txt", "ham ok\nspam\tfree\n")
    with pytest.raises(InputError, match=r"line 2: .* here is a tab"):
        read(LabelledText(path=one_word))


def test_a_sentence_is_named_on_its_first_row(tmp_path: Path) -> None:
    """As in the entity corpora on Kaggle."""
    options = {"sentence": "Sentence #", "token": "Word", "tag": "Tag", "encoding": "latin-1"}
    path = write(tmp_path, "ner.csv", ENTITIES.encode("latin-1"))
    frame = read(TokenTable.model_validate({"path": path, **options}))
    assert frame["tokens"].tolist() == [["Caf\u00e9", "of", ","], ["NA", '"']]
    assert frame["tags"].tolist() == [["B-org", "O", "O"], ["B-geo", "O"]]
    assert frame.attrs["notes"] == ["3 rows without 'Sentence #' belong to the sentence above"]
    with pytest.raises(
        InputError,
        match=r"ner\.csv: tokens .* `source: {kind: token_table}`",
    ):
        read(Tokens(path=path))


def test_sentences_named_in_every_row_have_groups_and_parts(tmp_path: Path) -> None:
    rows = "1,a,x,g,train\n1,b,y,g,train\n2,c,x,h,test\n"
    path = write(tmp_path, "a.csv", "sentence,token,tag,from,split\n" + rows)
    frame = sources.read(TokenTable(path=path, group="from"), Column())
    assert frame["tokens"].tolist() == [["a", "b"], ["c"]]
    assert frame["group"].tolist() == ["g", "h"]
    assert frame["part"].tolist() == ["train", "test"]
    assert frame.attrs["notes"] == []


INDEX = pd.date_range("2024-01-01", periods=3, freq="h")


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("name", [None, "at"])
def test_a_frame_whose_index_is_the_time(
    tmp_path: Path, zone: str | None, name: str | None
) -> None:
    index = INDEX.tz_localize(zone).rename(name)
    path = tmp_path / "a.csv"
    pd.DataFrame({"load": [1.0, 2, 3]}, index=index).to_csv(path)
    frame = read(Table(path=str(path), time=name or "Unnamed: 0"))
    assert list(frame.columns) == ["time", "load"]
    assert frame["time"].tolist() == index.tolist()
    if name is None:
        with pytest.raises(InputError, match=r"columns are Unnamed: 0, load \(Unnamed: and its pl"):
            read(Table(path=str(path)))


def test_row_numbers_that_pandas_wrote_are_no_feature(tmp_path: Path) -> None:
    path, again = tmp_path / "a.csv", tmp_path / "b.csv"
    table = pd.DataFrame({"a": [1.5, 2.5], "label": ["x", "y"], "id": ["p", "q"]})
    table.to_csv(path)
    pd.read_csv(path).to_csv(again)
    numbered = pd.read_csv(path)
    numbered.to_parquet(tmp_path / "a.parquet")
    left = {"a.csv": "Unnamed: 0", "b.csv": "Unnamed: 0, Unnamed: 0.1", "a.parquet": "Unnamed: 0"}
    for name, columns in left.items():
        file = str(tmp_path / name)
        note = f"columns without a name were left out: {columns} (list them in data.source.columns"
        vectors = read(Vectors(path=file, group="id"))
        assert vectors.attrs["columns"] == ("a",)
        assert vectors.attrs["notes"][0].startswith(note)
        frames = read(Frames(path=file, sequence="id"))
        assert frames.attrs["columns"] == ("a",)
        assert frames.attrs["notes"][0].startswith(note)
    named = read(Vectors(path=str(path), columns=("Unnamed: 0", "a"), group="id"))
    assert named["vector"][1].tolist() == [1.0, 2.5]
    assert named.attrs["notes"] == []
    (tmp_path / "c.csv").write_text(",time,x\n0,2024,5\n1,2025,6\n")
    series = read(Table(path=str(tmp_path / "c.csv")))
    assert list(series.columns) == ["time", "x"]
    assert series.attrs["notes"][0].startswith("columns without a name were left out: Unnamed: 0")


# Quotes


def reviews(opening: int, closing: int, behind: str = "") -> str:
    """30 rows; a quote is opened in one of them, and another one closes it."""
    rows = [f"film {row} was fine,{('neg', 'pos')[row % 2]}" for row in range(30)]
    rows[opening] = '"' + rows[opening]
    if closing:
        text, label = rows[closing].split(",")
        rows[closing] = f'{text}"{behind},{label}'
    return "\n".join(["text,label", *rows, ""])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (reviews(4, 20), r"line 6: a quote must close in its own row, but one closes at line 22"),
        (reviews(4, 20, " it"), r"line 6: a field in quotes .* closes at line 22 and goes on"),
        (reviews(4, 0), r"line 6: a quote is opened and never closed; close"),
        ('text,label\n"Fine" film,pos\n', r"line 2: a field in quotes must .* closes and goes on"),
    ],
)
def test_stray_quotes_are_refused_or_text(tmp_path: Path, content: str, message: str) -> None:
    path = write(tmp_path, "a.csv", content)
    with pytest.raises(InputError, match=message) as raised:
        read(LabelledText(path=path))
    assert "`data.source.quotes" in str(raised.value)
    frame = read(LabelledText(path=path, quotes=False))
    assert len(frame) == content.count("\n") - 1
    assert frame["text"].str.count('"').sum() == content.count('"')


def test_texts_with_line_breaks_are_told(tmp_path: Path) -> None:
    content = 'text,label\n"one\n\ntwo, three",pos\nfour,neg\n"five\nsix",neg\n'
    path = write(tmp_path, "a.csv", content)
    frame = read(LabelledText(path=path))
    assert frame["text"].tolist() == ["one\n\ntwo, three", "four", "five\nsix"]
    assert frame.attrs["notes"] == [
        "2 rows hold line breaks in quotes, the longest from line 2 to 4; a quote that is not "
        "closed joins rows"
    ]
    verse = write(tmp_path, "b.csv", reviews(4, 7))
    assert len(read(LabelledText(path=verse, quotes=True))) == 27


def test_a_tsv_may_have_quotes(tmp_path: Path) -> None:
    path = write(tmp_path, "a.tsv", 'text\tlabel\n"a\tb"\tx\n')
    assert read(LabelledText(path=path, quotes=True))["text"].tolist() == ["a\tb"]


# Layouts of every reader

ROW: dict[str, tuple[type, dict[str, Any], list[str]]] = {
    "labelled_text": (LabelledText, {"text": 1, "label": 2, "group": 3}, ["a b", "x", "p"]),
    "pairs": (Pairs, {"source": 1, "target": 2, "group": 3}, ["a b", "c d", "p"]),
    "token_table": (TokenTable, {"token": 1, "tag": 2, "sentence": 3}, ["a", "x", "p"]),
    "vectors": (Vectors, {"columns": [1], "targets": [2], "group": 3}, ["1.5", "x", "p"]),
    "frames": (Frames, {"columns": [1], "label": 2, "sequence": 3}, ["1.5", "x", "p"]),
    "table": (Table, {"time": 1, "columns": [2], "id": 3}, ["2024-01-01", "1.5", "p"]),
    "audio": (Audio, {"audio": 1, "text": 2, "group": 3}, ["nowhere.wav", "x", "p"]),
}


def parsed(kind: str, path: str, **more: Any) -> Any:
    block, options, _ = ROW[kind]
    return block.model_validate({"path": path, **options, **more})


@pytest.mark.parametrize("kind", ROW)
def test_every_table_may_lack_a_header_and_have_a_layout(tmp_path: Path, kind: str) -> None:
    row = ROW[kind][2]
    layouts: list[tuple[str, dict[str, Any]]] = [
        (",".join(row), {}),
        ("|".join(row), {"separator": "|"}),
        (f"Station 7\n\n# made by hand\n{','.join(row)}", {"skip_rows": 2, "comment": "#"}),
        ("\t".join(f'"{cell}"' for cell in row), {"format": "tsv", "quotes": True}),
    ]
    if " " not in row[0]:
        layouts.append(("  \t ".join(row) + "  ", {"separator": "whitespace"}))
    for number, (line, layout) in enumerate(layouts):
        source = parsed(kind, write(tmp_path, f"{number}.csv", line), header=False, **layout)
        if kind == "audio":
            with pytest.raises(InputError, match=r"csv, line \d: there is no recording .*nowhere"):
                read(source)
        else:
            assert len(read(source)) == 1


@pytest.mark.parametrize("kind", ROW)
def test_a_row_that_belongs_to_no_group_is_refused(tmp_path: Path, kind: str) -> None:
    row = ROW[kind][2]
    for empty in ("", "  "):
        path = write(tmp_path, "a.csv", "\n".join([",".join([*row[:2], empty]), ",".join(row)]))
        with pytest.raises(InputError, match=r"csv, line 1: .* to which .* column '3' is empty"):
            read(parsed(kind, path, header=False))


def test_json_lines_that_belong_to_no_group_are_refused(tmp_path: Path) -> None:
    rows = '{"text": "a", "label": "x", "who": 0}\n{"text": "b", "label": "y", "who": null}\n'
    with pytest.raises(InputError, match=r"line 2: every row must say to which group it belongs"):
        read(LabelledText(path=write(tmp_path, "a.jsonl", rows), group="who"))
    rows = '{"tokens": ["a"], "tags": ["x"], "who": 0}\n{"tokens": ["b"], "tags": ["x"], "who": ""}'
    with pytest.raises(InputError, match=r"line 2: every line must say to which group it belongs"):
        read(Tokens(path=write(tmp_path, "b.jsonl", rows), group="who"))


LINES_ONLY: dict[str, Any] = {
    "separator": ";",
    "quotes": True,
    "header": False,
    "skip_rows": 1,
    "comment": "#",
    "decimal": ",",
    "thousands": ",",
}


@pytest.mark.parametrize("key", LINES_ONLY)
@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.train", "a.{b,c}"])
def test_a_layout_is_for_csv_and_tsv(tmp_path: Path, name: str, key: str) -> None:
    source = LabelledText.model_validate({"path": f"{tmp_path}/{name}", key: LINES_ONLY[key]})
    with pytest.raises(InputError, match=rf"data\.source\.{key} is for csv and tsv, and this is"):
        read(source)


def test_marks_of_missing_values_are_for_tables(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data\.source\.missing is for tables, and this is label"):
        read(LabelledText(path=write(tmp_path, "a.train", "x a\n"), missing=("?",)))


# What a refusal says to set

SUGGESTIONS = {
    "time;load\n2024-01-01;0,5\n2024-01-02;1,5\n": '`separator: ";"` and `decimal: ","`',
    "time;load\n2024-01-01;5\n2024-01-02;1.5\n": '`separator: ";"`',
    "time\tload\n2024-01-01\t5\n": r'`separator: "\t"`',
    "time|load\n2024-01-01|5\n": '`separator: "|"`',
    "time load\n2024-01-01 5\n2024-01-02  6\n": "`separator: whitespace`",
    "Station\nkW\n\ntime,load\n" + "2024-01-01,5\n" * 20: "`skip_rows: 3`",
    "Station\n\ntime;load\n" + "2024-01-01;5,5\n" * 20: '`separator: ";"` and `decimal: ","` and '
    "`skip_rows: 2`",
}


@pytest.mark.parametrize("content", SUGGESTIONS)
def test_a_refusal_names_the_keys_of_the_layout(tmp_path: Path, content: str) -> None:
    path = write(tmp_path, "a.csv", content)
    with pytest.raises(InputError) as raised:
        read(Table(path=path))
    assert str(raised.value).endswith(f"; set {SUGGESTIONS[content]} in data.source")
    assert "\n" not in str(raised.value)


def test_a_layout_that_fits_is_not_changed() -> None:
    layout = Layout(",", quotes=True, trusted=False, header=True)
    assert suggested('a b,label\n"x, y",z\n', layout) == ""
    assert suggested("text,label\ngood film,x\ngood film,x\n", layout) == ""


def test_a_column_that_holds_its_own_name_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "news.csv", "1,one text\n2,two\n1,three\n")
    frame = read(LabelledText(path=path, label="1", text="one text"))
    assert frame.attrs["notes"] == [
        "column '1' holds its own name in 1 rows; write `header: false` in data.source where the "
        "first line is data"
    ]


# Numbers


@pytest.mark.parametrize(
    ("cell", "layout", "value"),
    [
        ("1,5", {"decimal": ","}, 1.5),
        ("-1.234.567,5", {"decimal": ",", "thousands": "."}, -1234567.5),
        ("1.234", {"decimal": ",", "thousands": "."}, 1234.0),
        ("1,234.5", {"thousands": ","}, 1234.5),
        ("12 345", {"thousands": " "}, 12345.0),
        ("1,5e3", {"decimal": ","}, 1500.0),
        (",5", {"decimal": ","}, 0.5),
        (" 7 ", {"decimal": ","}, 7.0),
    ],
)
def test_numbers_as_they_are_written(
    tmp_path: Path, cell: str, layout: dict[str, Any], value: float
) -> None:
    path = write(tmp_path, "a.csv", f"x;y;label\n{cell};1;{cell}\n")
    options = {"path": path, "separator": ";", "columns": ["x"], **layout}
    frame = read(Vectors.model_validate(options))
    assert frame["vector"][0].tolist() == [value]
    assert float(frame["target"][0][0]) == value
    text = {"text": "y", "path": path, "separator": ";", **layout}
    assert float(read(LabelledText.model_validate(text))["label"][0]) == value


@pytest.mark.parametrize(
    ("cell", "layout", "advice"),
    [
        ("1,5", {}, r'set `decimal: ","` in data\.source'),
        ("1.234,5", {}, r'set `decimal: ","` and `thousands: "\."` in data\.source'),
        ("1,234.5", {}, r'set `thousands: ","` in data\.source, or `decimal: ","`'),
        ("1 234", {}, r'set `thousands: " "` in data\.source'),
        ("?", {}, r"write `missing: \['\?'\]` in data\.source where it stands for no value"),
        ("1,5?", {}, r"correct it, write `missing: \['1,5\?'\]` in data\.source where"),
        ("2.6", {"decimal": ","}, r"correct it \(decimal: ',', thousands: None\), write `missing"),
        ("1.234,5", {"decimal": ","}, r'set `thousands: "\."` in data\.source'),
        ("1.5", {"decimal": ",", "thousands": "."}, r"correct it \(decimal: ',', thousands: '\.'"),
        ("1,23,4", {"thousands": ","}, r"correct it \(decimal: '\.', thousands: ','\), write"),
    ],
)
def test_numbers_written_otherwise_are_refused(
    tmp_path: Path, cell: str, layout: dict[str, Any], advice: str
) -> None:
    path = write(tmp_path, "a.csv", f"x;label\n{cell};u\n")
    source = Vectors.model_validate({"path": path, "separator": ";", **layout})
    with pytest.raises(InputError, match=rf"line 2: column 'x' must hold numbers, .*{advice}"):
        read(source)


def test_marks_of_missing_values(tmp_path: Path) -> None:
    rows = "2024-01-01,1\n2024-01-02, ?\n2024-01-03,-\n2024-01-04,-99.0\n2024-01-05,5\n"
    path = write(tmp_path, "a.csv", f"time,x\n{rows}")
    table = Table(path=path, missing=("?", "-", -99), gaps="interpolate")
    assert read(table)["x"].tolist() == [1, 2, 3, 4, 5]
    frame = pd.DataFrame({"time": pd.date_range("2024", periods=3), "x": [1, -99, 3]})
    frame.to_parquet(tmp_path / "a.parquet")
    table = Table(path=str(tmp_path / "a.parquet"), missing=(-99,), gaps="interpolate")
    assert read(table)["x"].tolist() == [1, 2, 3]
    texts = write(tmp_path, "b.csv", "text,label\na,?\n")
    with pytest.raises(InputError, match=r"line 2: column 'label' must hold text .* it is empty"):
        read(LabelledText(path=texts, missing=("?",)))
    vectors = write(tmp_path, "c.csv", "x,label,who\n1,a,?\n")
    with pytest.raises(InputError, match=r"line 2: .* which group it belongs, but column 'who'"):
        read(Vectors(path=vectors, missing=("?",), group="who"))


# Times


@pytest.mark.parametrize(
    ("header", "row", "time", "format"),
    [
        ("date,clock", "2024-02-01,18:30:00", ["date", "clock"], None),
        ("y,m,d,h", "2024,2,1,18", ["y", "m", "d", "h"], "%Y %m %d %H"),
        ("at", "01.02.2024 18:30", "at", "%d.%m.%Y %H:%M"),
        ("at", "02/01/2024 06:30 PM", "at", "%m/%d/%Y %I:%M %p"),
    ],
)
@pytest.mark.parametrize("kind", ["table", "frames"])
def test_times_in_several_columns_and_formats(
    tmp_path: Path, header: str, row: str, time: Any, format: str | None, kind: str
) -> None:
    path = write(tmp_path, "a.csv", f"{header},x,label\n{row},1,2\n")
    options: dict[str, Any] = {"path": path, "time": time, "time_format": format}
    source: Source = Table.model_validate(options)
    if kind == "frames":
        source = Frames.model_validate(options | {"labels": "per_frame"})
    frame = read(source)
    stamp = frame["time"][0] if kind == "table" else frame["time"][0][0]
    assert stamp.floor("h") == pd.Timestamp("2024-02-01 18:00")
    columns = list(frame.columns[1:]) if kind == "table" else list(frame.attrs["columns"])
    assert columns == (["x", "label"] if kind == "table" else ["x"])


def test_times_that_do_not_fit_their_format_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "time,x\n31/12/2024,1\n12/31/2024,2\n")
    with pytest.raises(InputError, match=r"line 2: .* must hold ISO 8601 .* `data\.source\.time_"):
        read(Table(path=path))
    with pytest.raises(InputError, match=r"line 3: .* must hold times as %d/%m/%Y, .*'12/31/2024'"):
        read(Table(path=path, time_format="%d/%m/%Y"))
    pd.DataFrame({"time": INDEX, "x": [1, 2, 3]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"'time' holds times and no text; leave data\.source\.ti"):
        read(Table(path=str(tmp_path / "a.parquet"), time_format="%Y"))


# Token tables


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (",a,x\n1,b,x\n", r"line 2: the first row must say to which sentence it belongs"),
        ("1,a,x\n2,b,x\n1,c,x\n", r"line 4: the rows of a sentence must follow .* '1' begins ag"),
        ("1,a,x\n1,,x\n", r"line 3: column 'token' must hold text in every row, but it is empty"),
        ("1,a,x\n1,b,\n", r"line 3: column 'tag' must hold text in every row, but it is empty"),
    ],
)
def test_a_token_table_that_does_not_fit_is_refused(
    tmp_path: Path, rows: str, message: str
) -> None:
    path = write(tmp_path, "a.csv", f"sentence,token,tag\n{rows}")
    with pytest.raises(InputError, match=message):
        read(TokenTable(path=path))


def test_a_token_table_is_no_jsonl(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"token_table must be CSV, TSV or Parquet"):
        sources.read(TokenTable(path=write(tmp_path, "a.jsonl", "{}\n")), Fractions())
