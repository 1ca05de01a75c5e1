"""CoNLL columns, CoNLL-U and frames: what is read, and what a bad file is told."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from rnnkit.data import sources
from rnnkit.errors import InputError
from rnnkit.params.data import Column, Files, Fractions
from rnnkit.params.source import Conll, Conllu, Frames, Source


def read(source: Source) -> pd.DataFrame:
    return sources.read(source, Fractions())


def write(folder: Path, name: str, content: str) -> str:
    path = folder / name
    path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    return str(path)


# CoNLL


def test_conll_takes_two_columns_and_breaks_at_lines_of_white_space(tmp_path: Path) -> None:
    content = "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\n# # O  O\n \t\nrejects VBZ B-VP O\n"
    for name in ("a.txt", "a.txt.gz"):
        frame = read(Conll(path=write(tmp_path, name, content), tag=4))
        assert frame["tokens"].tolist() == [["EU", "#"], ["rejects"]]
        assert frame["tags"].tolist() == [["B-ORG", "O"], ["O"]]


def test_conll_separators_keep_what_they_do_not_separate(tmp_path: Path) -> None:
    path = write(tmp_path, "a", "New York\tO\na\u00a0b\tB\r\n")
    assert read(Conll(path=path, separator="tab"))["tokens"][0] == ["New York", "a\u00a0b"]
    path = write(tmp_path, "b", "a\tb O\n")
    assert read(Conll(path=path, separator="space"))["tokens"][0] == ["a\tb"]
    path = write(tmp_path, "c", "a\u00a0b \t O \n")
    assert read(Conll(path=path))["tokens"][0] == ["a\u00a0b"]


def test_conll_comments_are_data_unless_a_prefix_is_given(tmp_path: Path) -> None:
    path = write(tmp_path, "a", "# O\na O\n")
    assert read(Conll(path=path))["tokens"][0] == ["#", "a"]
    assert read(Conll(path=path, comment="# "))["tokens"][0] == ["a"]


def test_conll_token_prefix_is_taken_off_once(tmp_path: Path) -> None:
    path = write(tmp_path, "a", "en:en:x\tO\n")
    assert read(Conll(path=path, token_prefix="en:"))["tokens"][0] == ["en:x"]


def word(id: str, form: str, **columns: str) -> str:
    names = ("lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
    return "\t".join([id, form, *(columns.get(name, "_") for name in names)])


def test_conllu_takes_the_words_and_one_column_as_tag(tmp_path: Path) -> None:
    lines = [
        "# text = don't #",
        word("1-2", "don't"),
        word("1", "do", upos="AUX", xpos="VB", feats="Mood=Ind", deprel="aux"),
        word("2", "n't", upos="PART", xpos="RB", deprel="advmod"),
        word("2.1", "gone", upos="VERB"),
        word("3", "#", upos="SYM", xpos="$", deprel="obj"),
        "",
        word("1", "a\u00a0b", upos="X", xpos="FW", deprel="root"),
        "",
    ]
    path = write(tmp_path, "a.conllu", "\n".join(lines))
    frame = read(Conllu(path=path))
    assert frame["tokens"].tolist() == [["do", "n't", "#"], ["a\u00a0b"]]
    expected = {
        "upos": ["AUX", "PART", "SYM"],
        "xpos": ["VB", "RB", "$"],
        "feats": ["Mood=Ind", "_", "_"],
        "deprel": ["aux", "advmod", "obj"],
    }
    for tag, tags in expected.items():
        assert read(Conllu(path=path, tag=tag))["tags"][0] == tags  # type: ignore[arg-type]


# Frames


def test_frames_with_a_label_each_are_sorted_by_time_within_their_sequence(tmp_path: Path) -> None:
    content = "t,id,x,y,label,who\n3,b,3,30,u,p\n2,a,2,20,v,q\n1,b,1,10,w,p\n5,a,5,50,u,q\n"
    content = content.replace("\n", "\n202").replace("\n202t", "\nt").removesuffix("202")
    source = Frames(
        path=write(tmp_path, "a.csv", content),
        labels="per_frame",
        sequence="id",
        time="t",
        group="who",
    )
    frame = read(source)
    assert source.form == "tagged_frames"
    assert [item.tolist() for item in frame["frames"]] == [[[1, 10], [3, 30]], [[2, 20], [5, 50]]]
    assert frame["tags"].tolist() == [["w", "u"], ["v", "u"]]
    assert frame["group"].tolist() == ["p", "q"]
    assert frame.attrs["columns"] == ("x", "y")


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "csv.gz"])
def test_frames_with_a_label_per_sequence(tmp_path: Path, ending: str) -> None:
    table = pd.DataFrame(
        {
            "s": [1, 2, 1],
            "x": [0.5, 1.0, 2.0],
            "label": [3, 4, 3],
            "side": ["train", "test", "train"],
        }
    )
    path = tmp_path / f"a.{ending}"
    if ending == "parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="\t" if ending == "tsv" else ",")
    source = Frames(path=str(path), sequence="s", columns=("x",))
    frame = sources.read(source, Column(name="side"))
    assert source.form == "frames"
    assert [item.tolist() for item in frame["frames"]] == [[[0.5], [2.0]], [[1.0]]]
    assert frame["label"].tolist() == ["3", "4"]
    assert frame["part"].tolist() == ["train", "test"]


def test_a_file_without_a_sequence_column_is_one_long_sequence(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", '"x","label"\n"1",3,0\n"2",4,1\n')
    frame = read(Frames(path=path, labels="per_frame", row_names=True))
    assert len(frame) == 1
    assert frame["frames"][0].tolist() == [[3], [4]]
    assert frame["tags"][0] == ["0", "1"]


# Messages about bad files

PER_FRAME = {"labels": "per_frame"}
BAD = {
    "ragged": (Conll, {}, "a O\nb x O\n", r"line 2: .* as the first of its sentence \(2\), but"),
    "too few": (
        Conll,
        {"tag": 3},
        "a O\n",
        r"line 1: every line must have 3 columns, but it has 2",
    ),
    "prefix": (
        Conll,
        {"token_prefix": "en:"},
        "a O\n",
        r"line 1: every token must begin with 'en:'",
    ),
    "empty tag": (
        Conll,
        {"separator": "tab"},
        "a\t\n",
        r"line 1: a token and a tag .* tag is empt",
    ),
    "empty token": (Conll, {"separator": "tab"}, "\tO\n", r"line 1: .* but the token is empty"),
    "no token": (Conll, {}, "\n \n", r"the file holds no token; name another"),
    "nine": (Conllu, {}, "1\ta\tb\n", r"line 1: a word of CoNLL-U has 10 columns .* there are 3"),
    "id": (Conllu, {}, word("x", "a"), r"line 1: the first column must be a number such as 3, 3-4"),
    "no form": (Conllu, {}, word("1", ""), r"line 1: a form and a tag are needed, but the form is"),
    "no tag": (Conllu, {}, word("1", "a", upos=""), r"line 1: .* but the upos is empty"),
    "no feature": (Frames, PER_FRAME, "label\na\n", r"at least one column of features is needed"),
    "no label": (
        Frames,
        PER_FRAME,
        "x,label\n1,a\n2,\n",
        r"line 3: every frame needs a label, but",
    ),
    "no number": (Frames, PER_FRAME, "x,label\nhot,a\n", r"line 2: column 'x' must hold numbers"),
    "gap": (Frames, PER_FRAME, "x,label\n,a\n", r"but 1 are missing or infinite, the first in col"),
    "two labels": (
        Frames,
        {"sequence": "s"},
        "x,s,label\n1,a,u\n2,a,v\n",
        r"every sequence must have one label, but 'a' has 2, .*; set data\.source\.labels: per_fr",
    ),
    "two groups": (
        Frames,
        {"sequence": "s", "group": "g"},
        "x,s,g,label\n1,a,1,u\n2,a,2,u\n",
        r"must have one group, but 'a' has 2, '1' and '2' among them; correct the rows",
    ),
    "equal times": (
        Frames,
        {"time": "t", **PER_FRAME},
        "x,t,label\n1,2024,a\n2,2024,b\n",
        r"line 3: every time may occur once in a sequence, but 1 occur again",
    ),
    "names alone": (
        Frames,
        {"row_names": True, **PER_FRAME},
        "x,label\n",
        r"at least one row of data is needed",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_gets_one_line(case: str, tmp_path: Path) -> None:
    kind, options, content, message = BAD[case]
    path = write(tmp_path, "a.data", content)
    with pytest.raises(InputError, match=message) as raised:
        read(kind(path=path, **options))
    assert "\n" not in str(raised.value)
    assert path in str(raised.value)


def test_frames_in_a_format_that_cannot_be(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", "{}")
    with pytest.raises(InputError, match=r"frames must be CSV, TSV or Parquet, but its name says"):
        read(Frames(path=path, labels="per_frame"))
    with pytest.raises(InputError, match=r"Parquet file names its columns, so none is left out"):
        read(Frames(path=path, labels="per_frame", format="parquet", row_names=True))


@pytest.mark.parametrize("kind", [Conll, Conllu])
def test_a_source_without_further_columns_has_none_of_parts(kind: type, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column 'split'; use `split: {kind: fractions}`"):
        sources.read(kind(path=write(tmp_path, "a", "x")), Column())


def test_the_files_of_a_split_must_have_the_same_features(tmp_path: Path) -> None:
    train, test = (
        write(tmp_path, "a.csv", "x,label\n1,a\n"),
        write(tmp_path, "b.csv", "y,label\n1,a\n"),
    )
    with pytest.raises(
        InputError, match=r"b\.csv: .* same features, but it has y and the training"
    ):
        sources.read(Frames(path=train, labels="per_frame"), Files(test=test))


# Public data, against the figures of their READMEs


def test_english_ewt(public_data: Callable[[str], Path]) -> None:
    folder = public_data("tag_ud_ewt")
    for split, sentences, words in [("dev", 2_001, 25_147), ("test", 2_077, 25_094)]:
        frame = read(Conllu(path=str(folder / f"en_ewt-ud-{split}.conllu")))
        assert (len(frame), sum(map(len, frame["tokens"]))) == (sentences, words)
        assert len({tag for tags in frame["tags"] for tag in tags}) == 17
    assert any("#" in tokens for tokens in frame["tokens"])


def test_wikiann(public_data: Callable[[str], Path]) -> None:
    path = public_data("ner_wikiann_en") / "test"
    frame = read(Conll(path=str(path), separator="tab", token_prefix="en:"))
    assert (len(frame), sum(map(len, frame["tokens"]))) == (10_000, 80_326)
    entities = {f"{side}-{kind}" for side in "BI" for kind in ("PER", "ORG", "LOC")}
    assert {tag for tags in frame["tags"] for tag in tags} == entities | {"O"}


def test_occupancy(public_data: Callable[[str], Path]) -> None:
    path = public_data("sensor_occupancy") / "datatest.txt"
    source = Frames(
        path=str(path), label="Occupancy", labels="per_frame", time="date", row_names=True
    )
    frame = read(source)
    assert frame["frames"][0].shape == (2_665, 5)
    assert frame["tags"][0].count("0") / 2_665 == pytest.approx(0.635, abs=5e-4)
    assert frame.attrs["columns"] == ("Temperature", "Humidity", "Light", "CO2", "HumidityRatio")
