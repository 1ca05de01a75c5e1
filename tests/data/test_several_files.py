"""Folders, and paths with `*`: several files of one form are read one after the other."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from recordings import record, tone
from source_files import read, write

from rnnkit.data.sources import fingerprint
from rnnkit.errors import InputError
from rnnkit.params import source as params
from rnnkit.params.data import Fractions

ONE, TWO = "text,label\ngood,1\n", "text,label\nbad,0\npoor,0\n"
FILES = {
    "labelled_text": (params.LabelledText, ".csv", ONE, TWO),
    "tokens": (
        params.Tokens,
        ".jsonl",
        '{"tokens": ["a"], "tags": ["D"]}\n',
        '{"tokens": ["b"], "tags": ["N"]}\n',
    ),
    "token_table": (
        params.TokenTable,
        ".csv",
        "sentence,token,tag\n1,a,D\n1,b,N\n",
        "sentence,token,tag\n1,c,D\n",
    ),
    "conll": (params.Conll, ".conll", "a D\nb N", "c D\n\nd N\n"),
    "conllu": (
        params.Conllu,
        ".conllu",
        "1\ta\t_\tDET\t_\t_\t0\troot\t_\t_\n",
        "1\tb\t_\tNOUN\t_\t_\t0\troot\t_\t_\n",
    ),
    "text": (params.Text, ".txt", "one\n", "two\nthree\n"),
    "ts": (params.TS, ".ts", "@classLabel true a b\n@data\n1,2:a\n", "@data\n3,4:b\n"),
    "piano_rolls": (params.PianoRolls, ".json", "[[[60], [61]]]", "[[[62], []], [[63], []]]"),
    "vectors": (params.Vectors, ".csv", "x,label\n1,a\n", "x,label\n2,b\n"),
    "pairs": (params.Pairs, ".tsv", "source\ttarget\na\tb\n", "source\ttarget\nc\td\n"),
    "pronunciations": (params.Pronunciations, ".txt", "A  AH0\n", "BEE  B IY1\n"),
}
"""Kind -> its block, an ending, and two files."""


def folder_of(tmp_path: Path, kind: str) -> tuple[type, str, Path]:
    block, ending, first, second = FILES[kind]
    folder = tmp_path / "several"
    folder.mkdir()
    write(folder, f"a{ending}", first)
    write(folder, f"b{ending}", second)
    write(folder, ".hidden", "nothing to read")
    return block, ending, folder


@pytest.mark.parametrize("kind", FILES)
def test_files_of_a_folder_are_read_as_if_each_were_alone(tmp_path: Path, kind: str) -> None:
    block, ending, folder = folder_of(tmp_path, kind)
    alone = [read(block(path=str(folder / f"{name}{ending}"))) for name in "ab"]
    expected = [row for frame in alone for row in frame.to_dict("records")]
    for path in (folder, folder / f"*{ending}", tmp_path / "s*" / f"*{ending}"):
        found = read(block(path=str(path))).to_dict("records")
        assert str(found) == str(expected)


@pytest.mark.parametrize("kind", [*FILES, "table", "frames"])
def test_several_files_have_a_fingerprint_of_their_own(tmp_path: Path, kind: str) -> None:
    block, ending, folder = folder_of(tmp_path, kind if kind in FILES else "vectors")
    one = fingerprint(block(path=str(folder)), Fractions())
    assert one == fingerprint(block(path=str(folder / f"*{ending}")), Fractions())
    (folder / f"b{ending}").write_text((folder / f"b{ending}").read_text() + "\n")
    two = fingerprint(block(path=str(folder)), Fractions())
    (folder / f"b{ending}").rename(folder / f"c{ending}")
    three = fingerprint(block(path=str(folder)), Fractions())
    assert len({one, two, three}) == 3


def test_a_file_keeps_its_fingerprint(tmp_path: Path) -> None:
    """The ids of runs are made from it."""
    path = write(tmp_path, "a.csv", ONE)
    sha256 = hashlib.sha256(ONE.encode()).hexdigest()
    assert fingerprint(params.LabelledText(path=path), Fractions()) == sha256


def table(folder: Path, name: str, days: range, price: float = 1.0) -> None:
    rows = [f"2024-01-{day:02},{price + day}" for day in days]
    write(folder, f"{name}.csv", "\n".join(["time,price", *rows]))


def test_tables_of_a_series_are_joined_before_they_are_sorted(tmp_path: Path) -> None:
    table(tmp_path, "later", range(4, 7))
    table(tmp_path, "zero", range(1, 4))
    frame = read(params.Table(path=str(tmp_path / "*.csv")))
    assert frame["price"].tolist() == [2, 3, 4, 5, 6, 7]
    assert list(frame) == ["time", "price"]


def test_a_file_may_be_a_series_or_a_sequence(tmp_path: Path) -> None:
    table(tmp_path, "ulm", range(1, 5))
    table(tmp_path, "bonn", range(1, 5), price=100)
    series = read(params.Table(path=str(tmp_path), id="file"))
    assert series["series"].tolist() == ["bonn"] * 4 + ["ulm"] * 4
    block = params.Frames(
        path=str(tmp_path), sequence="file", label="file", time="time", columns=("price",)
    )
    frames = read(block)
    assert frames["label"].tolist() == ["bonn", "ulm"]
    assert [len(values) for values in frames["frames"]] == [4, 4]


def test_a_bad_row_of_several_files_is_named_by_its_file(tmp_path: Path) -> None:
    table(tmp_path, "a", range(1, 4))
    table(tmp_path, "b", range(3, 6))
    with pytest.raises(InputError, match=rf"^{tmp_path}/b.csv, line 2: every time may occur once"):
        read(params.Table(path=str(tmp_path)))
    write(tmp_path, "b.csv", "time,price\n2024-01-04,dear\n")
    with pytest.raises(InputError, match=rf"^{tmp_path}/b.csv, line 2: column 'price' must hold n"):
        read(params.Table(path=str(tmp_path)))
    write(tmp_path, "b.csv", "time,price\n2024-01-04,nan\n")
    with pytest.raises(InputError, match=rf"'price', line 2 of {tmp_path}/b.csv"):
        read(params.Table(path=str(tmp_path)))


def test_files_of_several_forms_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", ONE)
    write(tmp_path, "b.csv", "text,label\n")
    with pytest.raises(InputError, match=r"b.csv: at least one row of data is needed"):
        read(params.LabelledText(path=str(tmp_path)))
    table(tmp_path, "b", range(1, 4))
    with pytest.raises(InputError, match=r"b.csv: there is no column 'text'"):
        read(params.LabelledText(path=str(tmp_path)))
    with pytest.raises(InputError, match=r"b.csv: the files of .* must have the same columns"):
        read(params.Table(path=str(tmp_path)))
    shutil.rmtree(tmp_path / "none", ignore_errors=True)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"none: there is no file in this folder"):
        read(params.Text(path=str(tmp_path / "none")))
    with pytest.raises(InputError, match=r"\*.txt: no file has such a name"):
        read(params.Text(path=str(tmp_path / "*.txt")))


def test_a_star_in_the_name_of_a_file_is_no_pattern(tmp_path: Path) -> None:
    path = write(tmp_path, "*.txt", "one\ntwo\n")
    write(tmp_path, "b.txt", "three\n")
    assert read(params.Text(path=path))["text"].tolist() == ["one", "two"]


def test_a_file_of_each_label_may_be_several(tmp_path: Path) -> None:
    for label, texts in (("neg", ["bad", "dull"]), ("pos", ["good"])):
        (tmp_path / label).mkdir()
        for number, text in enumerate(texts):
            write(tmp_path / label, f"{number}.txt", text)
    frame = read(params.LabelledText(path=f"{tmp_path}/{{neg,pos}}/*.txt"))
    assert frame.to_numpy().tolist() == [["bad", "neg"], ["dull", "neg"], ["good", "pos"]]


def test_notes_of_many_files_are_few(tmp_path: Path) -> None:
    for number in range(20):
        write(tmp_path, f"{number}.txt", "one\n\ntwo\n")
    notes = read(params.Text(path=str(tmp_path))).attrs["notes"]
    assert len(notes) == 6
    assert notes[0] == f"{tmp_path}/0.txt: 1 blank lines were left out"
    assert notes[-1] == "and 15 notes more on 20 files"


def test_folders_of_recordings_name_their_texts(tmp_path: Path) -> None:
    for word in ("yes", "no"):
        (tmp_path / "wav" / word).mkdir(parents=True)
        record(tmp_path / "wav" / word / "1.wav", tone())
    source = params.Audio(path=str(tmp_path / "wav"), names="{text}/{take}.wav", rate=8_000)
    frame = read(source)
    assert frame[["text", "name"]].to_numpy().tolist() == [["no", "no/1.wav"], ["yes", "yes/1.wav"]]
    with pytest.raises(InputError, match=r"wav: there is no \.wav file in this folder"):
        read(source.model_copy(update={"names": "{text}.wav"}))


def test_a_split_by_files_takes_several_for_each(tmp_path: Path) -> None:
    from rnnkit.data import sources
    from rnnkit.params.data import Files

    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for number in range(2):
            content = json.dumps({"text": f"{split} {number}", "label": str(number)})
            write(tmp_path / split, f"{number}.jsonl", content + "\n")
    source = params.LabelledText(path=str(tmp_path / "train"), format="jsonl")
    frame = sources.read(source, Files(valid=0.5, test=str(tmp_path / "test")))
    assert frame["part"].tolist() == ["train", "train", "test", "test"]
