"""Readers of pairs: files whose lines belong together, tables, pronouncing dictionaries, dates."""

import gzip
import zipfile
from datetime import date
from pathlib import Path

import pytest

from rnnkit.data.sources import builtin, dates, fingerprint, opening, read
from rnnkit.errors import InputError
from rnnkit.params.data import Files, Fractions
from rnnkit.params.source import Audio, Builtin, LabelledText, Pairs, Pronunciations, Vectors


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_lines_of_two_files_belong_together(tmp_path: Path) -> None:
    write(tmp_path / "a.de", "eins\nzwei drei\n")
    write(tmp_path / "a.en", "one\ntwo three\n")
    source = Pairs(path=str(tmp_path / "a.{de,en}"))
    frame = read(source, Fractions())
    assert frame["source"].tolist() == ["eins", "zwei drei"]
    assert frame["target"].tolist() == ["one", "two three"]
    turned = Pairs(path=str(tmp_path / "a.{en,de}"))
    assert read(turned, Fractions())["source"].tolist() == ["one", "two three"]
    assert fingerprint(source, Fractions()) != fingerprint(turned, Fractions())


def test_packed_files_and_parts(tmp_path: Path) -> None:
    for split in ("train", "valid", "test"):
        for side in ("de", "en"):
            packed = gzip.compress(f"{split} {side}\n".encode())
            (tmp_path / f"{split}.{side}.gz").write_bytes(packed)
    valid, test = (str(tmp_path / f"{split}.{{de,en}}.gz") for split in ("valid", "test"))
    source = Pairs(path=str(tmp_path / "train.{de,en}.gz"))
    frame = read(source, Files(valid=valid, test=test))
    assert frame["part"].tolist() == ["train", "valid", "test"]
    assert frame["target"].tolist() == ["train en", "valid en", "test en"]


@pytest.mark.parametrize("header", [True, False])
def test_a_table_of_pairs(tmp_path: Path, header: bool) -> None:
    rows = "hallo\thello\tme\ntschau\tbye\tyou\n"
    path = write(tmp_path / "a.tsv", ("source\ttarget\tby\n" if header else "") + rows)
    names = {} if header else {"source": "1", "target": "2", "group": "3"}
    frame = read(Pairs(path=path, header=header, **names), Fractions())
    assert frame["source"].tolist() == ["hallo", "tschau"]
    assert frame["target"].tolist() == ["hello", "bye"]
    assert ("group" in frame) is not header


@pytest.mark.parametrize(
    ("files", "path", "message"),
    [
        (
            {"a.x": "1\n2\n", "a.y": "1\n"},
            "a.{x,y}",
            r"a\.x has 2 lines and .*a\.y 1; line by",
        ),
        ({"a.x": "1\n \n", "a.y": "1\n2\n"}, "a.{x,y}", r"a\.x, line 2: both lines of a pair must"),
        ({"a.x": "1\n", "a.y": "\n"}, "a.{x,y}", r"a\.y, line 1: both lines of a pair must hold"),
        ({"a.x": "1\n"}, "a.{x,y}", r"a\.y: there is no such file"),
        ({"a.x": "1\n"}, "a.{x,y,z}", r"a pair has two sides, so the braces must hold two names"),
        ({"a.tsv": "source\ttarget\na\t\n"}, "a.tsv", r"line 2: column 'target' must hold text"),
        (
            {"a.jsonl": '{"source": "a", "target": 7}\n'},
            "a.jsonl",
            r"line 1: column 'target' must hold text in every row, but it is 7; fill it in",
        ),
        (
            {"a.en": "1\n", "a.de": "1\n"},
            "a.en",
            r"a\.en: pairs are a table, with tabs .*text\.\{en",
        ),
        ({"a.tsv": "source\tt\na\tb\n"}, "a.tsv", r"there is no column 'target'"),
    ],
)
def test_bad_pairs_are_refused(
    tmp_path: Path, files: dict[str, str], path: str, message: str
) -> None:
    for name, text in files.items():
        write(tmp_path / name, text)
    with pytest.raises(InputError, match=message):
        read(Pairs(path=str(tmp_path / path)), Fractions())


def test_a_table_of_pairs_needs_no_ending(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs", "\nsource\ttarget\na\tb\nc\td\n")
    assert read(Pairs(path=path), Fractions())["target"].tolist() == ["b", "d"]


def test_lines_have_no_column_to_group_by(tmp_path: Path) -> None:
    write(tmp_path / "a.x", "1\n")
    write(tmp_path / "a.y", "1\n")
    with pytest.raises(InputError, match="lines have no column 'by', which `group` asks for"):
        read(Pairs(path=str(tmp_path / "a.{x,y}"), group="by"), Fractions())


@pytest.mark.parametrize("key", ["header", "comment"])
def test_what_has_no_lines_has_no_header_and_no_comments(tmp_path: Path, key: str) -> None:
    path = write(tmp_path / "a.jsonl", '{"source": "a", "target": "b"}\n')
    if key == "header":
        with pytest.raises(InputError, match=r"data\.source\.header is for csv and tsv"):
            read(Pairs(path=path, header=False), Fractions())
        return
    import pandas as pd

    pd.DataFrame({"x": [1.0], "label": ["a"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"data\.source\.comment is for csv and tsv"):
        read(Vectors(path=str(tmp_path / "a.parquet"), comment="#"), Fractions())


def test_vectors_without_header_with_comments_and_other_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tra", "# pixels\n1,2,7\n3,4,0\n")
    source = Vectors(path=path, header=False, comment="#", targets=("3",), rename={"7": "seven"})
    frame = read(source, Fractions())
    assert [row.tolist() for row in frame["vector"]] == [[1, 2], [3, 4]]
    assert frame["target"].tolist() == [["seven"], ["0"]]


DICTIONARY = """;;; a comment
HELLO 1 HH AH0 L OW1
HELLO 2 HH EH0 L OW1
A  AH0
A(1)  EY1
"""


def test_a_pronouncing_dictionary(tmp_path: Path) -> None:
    path = write(tmp_path / "d", DICTIONARY)
    frame = read(Pronunciations(path=path), Fractions())
    assert frame["source"].tolist() == ["hello", "hello", "a", "a"]
    assert frame["target"].tolist() == ["HH AH0 L OW1", "HH EH0 L OW1", "AH0", "EY1"]
    assert frame["group"].tolist() == frame["source"].tolist()
    plain = read(Pronunciations(path=path, stress=False), Fractions())
    assert plain["target"].tolist() == ["HH AH L OW", "HH EH L OW", "AH", "EY"]


def test_what_is_said_behind_the_phonemes_is_none(tmp_path: Path) -> None:
    lines = ["aalborg AO1 L B AO0 R G # place, danish", "#SHARP-SIGN SH AA1 R P", "d'or D AO1 R #x"]
    frame = read(Pronunciations(path=write(tmp_path / "d", "\n".join(lines))), Fractions())
    assert frame["source"].tolist() == ["aalborg", "#sharp-sign", "d'or"]
    assert frame["target"].tolist() == ["AO1 L B AO0 R G", "SH AA1 R P", "D AO1 R"]


@pytest.mark.parametrize("line", ["WORLD 1", "WORLD", "WORLD # place", "WORLD 1 # place"])
def test_a_word_without_phonemes_is_refused(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "d", f"HELLO 1 HH\n{line}\n")
    with pytest.raises(InputError, match="line 2: a word and its phonemes are needed"):
        read(Pronunciations(path=path), Fractions())


# --- inside a .zip


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "n.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("n/female.txt", "Ada \n\nBea\n")
        opened.writestr("n/male.txt", "Carl\n")
        opened.writestr("n/empty.txt", "")
    return path


def test_a_file_for_each_label_inside_an_archive(archive: Path) -> None:
    source = LabelledText(path=f"{archive}/n/{{female,male}}.txt", format="label_files")
    frame = read(source, Fractions())
    assert frame["text"].tolist() == ["Ada", "Bea", "Carl"]
    assert frame["label"].tolist() == ["female", "female", "male"]
    assert fingerprint(source, Fractions())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("n/feline.txt", r"there is no file 'n/feline.txt' in it \(did you mean n/female.txt\?\)"),
        ("n/empty.txt", r"n/empty\.txt is empty"),
    ],
)
def test_what_an_archive_lacks_is_said(archive: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        opening.read_bytes(f"{archive}/{name}")


def test_a_broken_archive_is_said(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"a \.zip file must unpack whole"):
        opening.read_bytes(f"{archive}/n/male.txt")


def test_labels_must_stand_in_braces(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "Ada\n")
    with pytest.raises(InputError, match="the path must hold the labels in braces"):
        read(LabelledText(path=path, format="label_files"), Fractions())


# --- built in


def test_every_day_is_written_once_and_has_one_meaning() -> None:
    pairs = dates.pairs()
    assert len(pairs) == 21_915
    assert pairs[0][1] == "1970-01-01"
    assert len({target for _, target in pairs}) == len(pairs)
    meanings: dict[str, str] = {}
    for source, target in pairs:
        assert meanings.setdefault(source, target) == target, source
    styles = [0] * len(dates.STYLES)
    for _, target in pairs[:5_000]:
        day = date.fromisoformat(target)
        mine = [dates.spelled_out(day) == day_in(style, day) for style in dates.STYLES]
        styles[mine.index(True)] += 1
    assert min(styles) > 100


def day_in(style: str, day: date) -> str:
    month, weekday = dates.MONTHS[day.month - 1], dates.DAYS[day.weekday()]
    names = {"month": month, "mon": month[:3], "month_lower": month.lower()}
    names |= {"weekday": weekday, "weekday_lower": weekday.lower()}
    names |= {"d": str(day.day), "dd": day.strftime("%d"), "m": str(day.month)}
    names |= {"mm": day.strftime("%m"), "y": str(day.year), "yy": day.strftime("%y")}
    teens = 11 <= day.day <= 13
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return style.format(**names, th=ending)


def test_digits_are_spelled() -> None:
    source = Builtin(name="spelled_digits")
    frame = read(source, Fractions())
    assert len(frame) == 1_797
    assert {row[0] for row in frame["target"]} == set(builtin.WORDS)
    assert frame["vector"].iloc[0].shape == (64,)
    assert fingerprint(source, Fractions()) != fingerprint(Builtin(name="digits"), Fractions())


@pytest.mark.parametrize(("header", "line"), [(True, 3), (False, 2)])
def test_a_line_is_called_by_its_own_number(tmp_path: Path, header: bool, line: int) -> None:
    path = write(tmp_path / "a.tsv", ("1\t2\n" if header else "") + "ab\tba\ncd\t\n")
    source = Pairs(path=path, header=header, source="1", target="2")
    with pytest.raises(InputError, match=rf"a\.tsv, line {line}: column '2' must hold text"):
        read(source, Fractions())


def test_a_number_of_a_json_line_stays_what_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "a", "label": 1}\n{"text": "b", "label": null}\n')
    with pytest.raises(InputError, match=r"a\.jsonl, line 2: column 'label' .*, but it is empty"):
        read(LabelledText(path=path), Fractions())


def test_a_table_without_a_header_is_told_how_to_say_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "ab\tba\ncd\tdc\n")
    with pytest.raises(InputError, match=r"the columns are ab, ba; .*, or write `header: false`"):
        read(Pairs(path=path), Fractions())
    numbered = Pairs.model_validate({"path": path, "header": False, "source": 1, "target": 2})
    assert read(numbered, Fractions())["target"].tolist() == ["ba", "dc"]


def test_what_is_utf_16_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes("source\ttarget\nä\tö\n".encode("utf-16"))
    with pytest.raises(InputError, match=r"set `encoding: utf-16`"):
        read(Pairs(path=str(tmp_path / "a.tsv")), Fractions())
    right = Pairs(path=str(tmp_path / "a.tsv"), encoding="utf-16")
    assert read(right, Fractions())["source"].tolist() == ["ä"]


def test_braces_stand_for_a_file_of_each_label(tmp_path: Path) -> None:
    for name in ("left", "right"):
        write(tmp_path / f"{name}.txt", "a\nb\n")
    path = f"{tmp_path}/{{left,right}}.txt"
    frame = read(LabelledText(path=path), Fractions())
    assert frame["label"].tolist() == ["left", "left", "right", "right"]
    assert fingerprint(LabelledText(path=path), Fractions()) == fingerprint(
        LabelledText(path=path, format="label_files"), Fractions()
    )


def test_a_folder_of_recordings_needs_their_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder, .*; say how in data\.source\.names, as in"):
        read(Audio(path=str(tmp_path)), Fractions())
