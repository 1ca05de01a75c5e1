"""New inputs from files: of lines, of JSON lines, and of the form of the run's own data."""

import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import soundfile
from untrained_models import sentences, untrained

from rnnkit.errors import InputError, Note
from rnnkit.inference.input_files import Form, inputs
from rnnkit.inference.predict import Predictor

LINES, JSON, STEPS = Form(False, True, False), Form(True, False, False), Form(False, False, True)
ANY = Form(False, False, False)


def given(predictor: Predictor, file: Path | str, form: Form = ANY, typed: bytes = b"") -> Any:
    """The inputs of a file, or of bytes that are typed."""
    return [value for _, value in inputs(predictor, str(file), form, io.BytesIO(typed))]


def quiet(predictor: Predictor, file: Path, form: Form = ANY) -> Any:
    """The inputs of a file, without a note."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Note)
        return given(predictor, file, form)


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def reviews(folder: Path, name: str, between: str = " ") -> dict[str, Any]:
    rows = [f"{'pos' if i % 2 else 'neg'}{between}w{i} film" for i in range(40)]
    return {"kind": "labelled_text", "path": str(written(folder, name, "\n".join(rows)))}


@pytest.fixture
def classifier(tmp_path: Path) -> Predictor:
    return untrained(tmp_path, reviews(tmp_path, "own.txt"), "classification")


@pytest.fixture
def tagger(tmp_path: Path) -> Predictor:
    return untrained(tmp_path, sentences(tmp_path), "tagging")


# ---------------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    ("encoding", "typed"),
    [
        ("utf-8", b"\xef\xbb\xbfgr\xc3\xbcn\r\nblau"),
        ("latin-1", b"gr\xfcn\nblau\n"),
        ("utf-16", "grün\nblau\n".encode("utf-16")),
        ("utf-16-le", "grün\r\nblau".encode("utf-16-le")),
    ],
)
def test_standard_input_and_a_file_are_decoded_as_the_source(
    tmp_path: Path, encoding: str, typed: bytes
) -> None:
    text = "text,label\n" + "".join(f"w{i} grün,{'ab'[i % 2]}\n" for i in range(40))
    (tmp_path / "own.csv").write_bytes(text.encode(encoding))
    source = {"kind": "labelled_text", "path": str(tmp_path / "own.csv"), "encoding": encoding}
    predictor = untrained(tmp_path, source, "classification")
    (tmp_path / "new.txt").write_bytes(typed)
    assert given(predictor, tmp_path / "new.txt") == ["grün", "blau"]
    assert given(predictor, "-", typed=typed) == ["grün", "blau"]
    assert given(predictor, "-", STEPS, typed) == ["grün", "blau"]
    quoted = '"grün"\n"blau"\n'.encode(encoding)
    assert given(predictor, "-", JSON, quoted) == ["grün", "blau"]


def test_bytes_of_another_encoding_are_refused_with_their_line(classifier: Predictor) -> None:
    message = "standard input, line 3: the text must be utf-8, but byte 3 of the line is 0xfc"
    for form in (ANY, STEPS):
        with pytest.raises(InputError, match=message):
            given(classifier, "-", form, b"\xef\xbb\xbfa\nb\ngr\xfcn\n")


def test_a_step_is_answered_before_the_next_one_is_typed(classifier: Predictor) -> None:
    class Typed(io.BytesIO):
        lines = 0

        def readline(self, size: int | None = -1) -> bytes:
            self.lines += 1
            return super().readline(size)

    typed = Typed(b"a\nb\n")
    steps = inputs(classifier, "-", STEPS, typed)
    assert next(steps) == ("standard input, line 1", "a")
    assert typed.lines == 1


# ---------------------------------------------------------------------- the run's own form

TEXTS = ["a good film", "no, not good"]


@pytest.mark.parametrize("between", [" ", "\t"])
def test_lines_of_label_and_text_are_read_as_such(tmp_path: Path, between: str) -> None:
    predictor = untrained(tmp_path, reviews(tmp_path, "own.txt"), "classification")
    rows = "".join(
        f"{label}{between}{text}\n" for label, text in zip(("pos", "new"), TEXTS, strict=True)
    )
    new = written(tmp_path, "new.txt", f"neg{between}first\n{rows}")
    if between == " ":
        assert quiet(predictor, new) == ["first", *TEXTS]
        with pytest.warns(Note, match="standard input: is read as the run's data were; --lines"):
            assert given(predictor, "-", typed=new.read_bytes()) == ["first", *TEXTS]
    assert quiet(predictor, new, LINES)[0] == f"neg{between}first"
    bare = written(tmp_path, "bare.txt", "\n".join(TEXTS))
    assert quiet(predictor, bare) == TEXTS


def test_columns_of_conll_are_read_as_such_and_sentences_as_lines(
    tagger: Predictor, tmp_path: Path
) -> None:
    sentence = ["Eve", "was", "in", "Ulm"]
    own = written(tmp_path, "new.conll", "Eve B-PER\nwas O\nin O\nUlm B-LOC\n\nRome B-LOC\n")
    assert quiet(tagger, own) == [sentence, ["Rome"]]
    with pytest.warns(Note, match="is read as the run's data were"):
        assert given(tagger, "-", typed=own.read_bytes()) == [sentence, ["Rome"]]
    # four words in each line are no columns
    bare = written(tmp_path, "bare.conll", "Eve was in Ulm\nEve  was in\tUlm \n")
    assert quiet(tagger, bare) == [sentence, sentence]
    assert given(tagger, "-", typed=b" Eve was  in Ulm") == [sentence]
    with pytest.raises(InputError, match="--stream reads a step from each line, and this file is"):
        given(tagger, own, STEPS)
    broken = written(tmp_path, "broken.conll", "Eve B-PER\nwas\nUlm B-LOC\n")
    with pytest.raises(InputError, match=r"broken\.conll, line 2: every line must have"):
        given(tagger, broken)
    message = "^standard input, line 2: every line must"
    with pytest.warns(Note), pytest.raises(InputError, match=message):
        given(tagger, "-", typed=broken.read_bytes())


def of_texts(folder: Path) -> dict[str, Any]:
    text = "text,label\n" + "".join(f"w{i} film,{'ab'[i % 2]}\n" for i in range(40))
    return {"kind": "labelled_text", "path": str(written(folder, "own.csv", text))}


def of_categories(folder: Path) -> dict[str, Any]:
    return of_texts(folder)


def of_pairs(folder: Path) -> dict[str, Any]:
    text = "source\ttarget\n" + "".join(f"w{i} a\ta w{i}\n" for i in range(40))
    return {"kind": "pairs", "path": str(written(folder, "own.tsv", text))}


def of_vectors(folder: Path) -> dict[str, Any]:
    text = "a,kind,b\n" + "".join(f"{i},{'xy'[i % 2]},{i / 2}\n" for i in range(40))
    path = str(written(folder, "own.csv", text))
    return {"kind": "vectors", "path": path, "targets": ["kind"]}


def of_frames(folder: Path) -> dict[str, Any]:
    text = "s,a,b,label\n" + "".join(
        f"{i // 3},{i},{i % 5},{'xy'[i // 3 % 2]}\n" for i in range(120)
    )
    return {"kind": "frames", "path": str(written(folder, "own.csv", text)), "sequence": "s"}


def of_words(folder: Path) -> dict[str, Any]:
    text = "".join(f"ABLE{chr(65 + i % 26)}{i // 26 * 'A'}  1 EY1 B\n" for i in range(60))
    return {"kind": "pronunciations", "path": str(written(folder, "own.dict", text))}


def of_music(folder: Path) -> dict[str, Any]:
    pieces = [[[60 + (i + k) % 8] for k in range(3 + i % 4)] for i in range(40)]
    return {"kind": "piano_rolls", "path": str(written(folder, "own.json", json.dumps(pieces)))}


def of_cases(folder: Path) -> dict[str, Any]:
    rows = "".join(f"{i},{i % 3}:1,2:{'xy'[i % 2]}\n" for i in range(40))
    header = "@problemName a\n@classLabel true x y\n@data\n"
    return {"kind": "ts", "path": str(written(folder, "own.ts", header + rows))}


FRAMES = [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]]
VECTORS = [[1.0, 2.0], [3.0, 4.0]]
FORMS: dict[str, tuple[Callable[[Path], dict[str, Any]], str, str, str, list[Any]]] = {
    "labelled text": (
        of_texts,
        "classification",
        "n.csv",
        'label,text\na,"film x, y"\nc,film\n',
        ["film x, y", "film"],
    ),
    "texts alone": (
        of_texts,
        "classification",
        "n.csv",
        'id,text\n1,"film x, y"\n2,film\n',
        ["film x, y", "film"],
    ),
    "tabs": (of_texts, "classification", "n.tsv", "text\tid\nfilm x, y\t1\n", ["film x, y"]),
    "categories": (of_categories, "captioning", "n.csv", "label\nb\na\n", ["b", "a"]),
    "pairs": (of_pairs, "translation", "n.tsv", "source\ttarget\na b\tb a\n", ["a b"]),
    "sources alone": (of_pairs, "translation", "n.csv", "id,source\n1,a b\n", ["a b"]),
    "vectors": (of_vectors, "vector", "n.csv", "b,a,kind\n2,1,x\n4,3,z\n", VECTORS),
    "vectors alone": (of_vectors, "vector", "n.csv", "a,b\n1,2\n3,4\n", VECTORS),
    "frames": (
        of_frames,
        "classification",
        "n.csv",
        "s,a,b,label\n1,1,2,x\n1,3,4,x\n2,5,6,y\n",
        FRAMES,
    ),
    "frames alone": (of_frames, "classification", "n.csv", "s,b,a\n1,2,1\n1,4,3\n2,6,5\n", FRAMES),
    "words": (of_words, "translation", "n.dict", "ABLE  1 EY1 B\n", ["able"]),
    "music": (
        of_music,
        "music",
        "n.json",
        "[[[60, 62], [61]], [[60], []]]",
        [[[60, 62], [61]], [[60], []]],
    ),
    "cases": (
        of_cases,
        "classification",
        "n.ts",
        "@classLabel true x y\n@data\n1,3:2,4:x\n",
        FRAMES[:1],
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_file_of_the_own_form_needs_no_targets(name: str, tmp_path: Path) -> None:
    source, task, file, content, expected = FORMS[name]
    predictor = untrained(tmp_path, source(tmp_path), task, "characters")
    new = written(tmp_path, file, content)
    values = quiet(predictor, new)
    plain = [value.tolist() if isinstance(value, np.ndarray) else value for value in values]
    assert plain == expected
    assert predictor(values) == predictor(expected)
    if Path(predictor.experiment.data.source.path).suffix == new.suffix:  # type: ignore[union-attr]
        with pytest.warns(Note, match="standard input: is read as the run's data were"):
            typed = given(predictor, "-", typed=new.read_bytes())
        assert predictor(typed) == predictor(expected)


def test_labels_of_no_training_item_and_other_tables_do_not_matter(tmp_path: Path) -> None:
    predictor = untrained(tmp_path, of_texts(tmp_path), "classification")
    pandas.DataFrame({"text": ["x", "y"], "label": [7, None]}).to_parquet(tmp_path / "n.parquet")
    assert quiet(predictor, tmp_path / "n.parquet") == ["x", "y"]
    no_text = written(tmp_path, "o.csv", "words,label\nx,a\n")
    with pytest.raises(
        InputError, match=r"o\.csv: there is no column 'text'.*as the run's own dat"
    ):
        given(predictor, no_text)
    flat = untrained(tmp_path, {"kind": "tokens", "path": str(tokens(tmp_path))}, "tagging")
    with pytest.raises(InputError, match=r"o\.csv: every line must be an input, and this is a tab"):
        given(flat, no_text)


def tokens(folder: Path) -> Path:
    rows = [{"tokens": ["a", f"b{i}"], "tags": ["D", "N"]} for i in range(40)]
    return written(folder, "own.jsonl", "\n".join(map(json.dumps, rows)))


def test_json_lines_are_seen_whatever_their_name(tmp_path: Path) -> None:
    predictor = untrained(tmp_path, {"kind": "tokens", "path": str(tokens(tmp_path))}, "tagging")
    row = '{"tokens": ["a", "b c"], "tags": ["D", "N"]}\n{"tokens": "a  b"}\n'
    expected = [["a", "b c"], ["a", "b"]]
    assert quiet(predictor, written(tmp_path, "n.jsonl", row)) == expected
    assert quiet(predictor, written(tmp_path, "n.ndjson", row)) == expected
    with pytest.warns(Note, match=r"n\.txt: is read as JSON lines; --lines reads an input in each"):
        assert given(predictor, written(tmp_path, "n.txt", row)) == expected
    with pytest.warns(Note, match="standard input: is read as JSON lines"):
        assert given(predictor, "-", typed=row.encode()) == expected
    speller = untrained(tmp_path, of_words(tmp_path), "translation", "characters")
    assert quiet(speller, written(tmp_path, "n.jsonl", '{"source": "able a"}\n')) == ["able a"]
    with pytest.raises(InputError, match="--lines and --json-lines say different things"):
        given(predictor, "-", Form(True, True, False))


def test_a_table_of_recordings_is_read_from_where_it_lies(tmp_path: Path) -> None:
    place = tmp_path / "set"
    place.mkdir()
    for k in range(30):
        tone = 0.3 * np.sin(2 * np.pi * (300 + k + 900 * (k % 2)) * np.arange(1_600) / 8_000)
        soundfile.write(place / f"{k}.wav", tone, 8_000, subtype="FLOAT")
    rows = [f"{k}.wav,{'high' if k % 2 else 'low'}" for k in range(30)]
    own = written(place, "own.csv", "\n".join(["audio,text", *rows]))
    source = {"kind": "audio", "path": str(own), "rate": 8_000}
    predictor = untrained(tmp_path, source, "transcription", "characters")
    new = written(place, "new.csv", "audio\n3.wav\n4.wav\n")
    values = quiet(predictor, new)
    assert predictor(values) == predictor([str(place / "3.wav"), str(place / "4.wav")])
    message = "standard input: paths in a table begin where the table lies; give the table by"
    with pytest.warns(Note), pytest.raises(InputError, match=message):
        given(predictor, "-", typed=b"audio,text\n3.wav,low\n")
    with pytest.raises(InputError, match="a recording is one input and no lines; leave --stream"):
        given(predictor, place / "3.wav", LINES)


@pytest.mark.parametrize("several", [False, True])
def test_a_series_is_forecast_from_its_last_rows(tmp_path: Path, several: bool) -> None:
    times = pandas.date_range("2024-01-01", periods=60)
    series = ["north", "south"] if several else ["north"]
    frames = [
        pandas.DataFrame({"time": times, "place": name, "load": np.arange(60.0) % 7 + k})
        for k, name in enumerate(series)
    ]
    table = pandas.concat(frames)
    table = table if several else table.drop(columns="place")
    table.to_csv(tmp_path / "own.csv", index=False)
    source = {"kind": "table", "path": str(tmp_path / "own.csv")}
    source |= {"id": "place"} if several else {}
    task = {"kind": "forecasting", "horizon": 2, "season": 7}
    calendar = {"calendar": ["weekday"]}
    data = {"split": {"kind": "time"}, "window": 6, "covariates": calendar}
    predictor = untrained(tmp_path, source, task, **data)
    values = quiet(predictor, tmp_path / "own.csv")
    assert len(values) == len(series)
    window = values[0].values
    assert window.shape == (8, 3)  # window and horizon; the load, and the weekday's two waves
    assert window[:6, 0].tolist() == (np.arange(54, 60) % 7).tolist()
    assert np.isnan(window[6:, 0]).all()
    assert [len(answer["forecast"]) for answer in predictor(values)] == [2] * len(series)
    short = written(
        tmp_path, "short.csv", "\n".join((tmp_path / "own.csv").read_text().split()[:5])
    )
    with pytest.raises(InputError, match="a forecast needs 6 rows, the window, but there are 4"):
        given(predictor, short)
