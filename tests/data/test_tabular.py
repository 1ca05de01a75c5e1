"""Files of rows and columns: what is read, and at which line messages say that a row stands."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnkit.data.sources import read
from rnnkit.data.sources.tabular import TableFile
from rnnkit.errors import InputError
from rnnkit.params.data import Fractions
from rnnkit.params.source import LabelledText, Pairs, Vectors

BETWEEN = st.lists(st.sampled_from(["", "  ", "# one, two", '# "']), max_size=3)
CELL = st.text(alphabet='ab ,"\n', max_size=6).map(lambda text: f"x{text}")


@given(
    rows=st.lists(st.tuples(BETWEEN, CELL, CELL), min_size=1, max_size=8),
    header=st.booleans(),
    format=st.sampled_from(["csv", "tsv"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_row_is_said_to_stand_where_it_begins(
    rows: list[tuple[list[str], str, str]], header: bool, format: str, end: str
) -> None:
    lines, begins, cells = ["a,b" if format == "csv" else "a\tb"] if header else [], [], []
    for between, *row in rows:
        lines += between
        begins.append(len(lines) + 1)
        if format == "csv":
            lines += ",".join('"' + cell.replace('"', '""') + '"' for cell in row).split("\n")
        else:
            row = [cell.replace("\n", "") for cell in row]
            lines.append("\t".join(row))
        cells.append(row)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        path.write_bytes(end.join([*lines, ""]).encode())
        options = {"path": str(path), "format": format, "header": header, "comment": "#"}
        options["quotes"] = format == "csv"  # the cells may look like rows
        file = TableFile(Vectors.model_validate(options), "csv")
        frame = file.frame
        told = [file.line(row) for row in range(len(frame))]
    assert [[cell.replace("\r\n", "\n") for cell in row] for row in frame.to_numpy()] == cells
    assert told == [f"line {begin}" for begin in begins]


def test_messages_count_the_lines_that_are_no_rows(tmp_path: Path) -> None:
    vectors = tmp_path / "vectors.csv"
    vectors.write_text("# pixels\nx,label\n1,a\n\n# more\nhigh,b\n")
    with pytest.raises(InputError, match=r"csv, line 6: column 'x' must hold numbers"):
        read(Vectors(path=str(vectors), comment="#"), Fractions())
    vectors.write_text("# pixels\nx,label\n1,a\n1,2,b\n")
    with pytest.raises(InputError, match=r"csv, line 4: .* but it has 3 and not 2; put"):
        read(Vectors(path=str(vectors), comment="#"), Fractions())
    vectors.write_text('x,label\n"1",a\n"two\nlines",b\n1,2,b\n')
    with pytest.raises(InputError, match=r"csv, line 5: .* but it has 3 and not 2; put"):
        read(Vectors(path=str(vectors)), Fractions())
    vectors.write_text('x,label\n1,a\n1,"b\n1,a\n')
    with pytest.raises(InputError, match=r"csv, line 3: a quote is opened and never closed; close"):
        read(Vectors(path=str(vectors)), Fractions())
    pairs = tmp_path / "pairs.csv"
    pairs.write_text('source,target\n"two\nlines",a\nb,\n')
    with pytest.raises(InputError, match=r"csv, line 4: column 'target' must hold text"):
        read(Pairs(path=str(pairs)), Fractions())


def test_what_pandas_takes_for_a_row_is_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('x\n""\nb\n\x0c\n \t\nd\n')
    file = TableFile(LabelledText(path=str(path)), "csv")
    assert file.frame["x"].tolist() == ["", "b", "\x0c", "d"]
    assert [file.line(row) for row in range(4)] == ["line 2", "line 3", "line 4", "line 6"]


def test_a_file_that_is_no_longer_what_was_read_still_has_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x\n1\n")
    assert TableFile(LabelledText(path=str(path)), "csv").line(7) == "row 8"
