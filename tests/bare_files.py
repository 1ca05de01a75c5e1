"""Files as people have them, one for each form of data, for tests of `rnnkit new`: nothing but the
data, small, and each with something to learn."""

import json
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from recordings import record, tone

GOOD, BAD = ("fine", "lovely", "superb"), ("poor", "dull", "awful")
NOUNS = ("film", "book", "song", "play", "game", "meal")


class Form(NamedTuple):
    """A form of data.

    Args:
        write: writes the data into a folder; returns the path to give to `new`, from the folder.
        kind: of the source.
        tasks: that fit, the likeliest first.
        has: keys of the source, with their values.
    """

    write: Callable[[Path], str]
    kind: str
    tasks: tuple[str, ...]
    has: Mapping[str, object] = {}


def texts(count: int = 120) -> list[tuple[str, str]]:
    """(text, label): the adjective decides."""
    rows = []
    for number in range(count):
        words = GOOD if number % 2 else BAD
        noun = NOUNS[number % len(NOUNS)]
        text = f"A {words[number % 3]} {noun}, I saw it {number} times"
        rows.append((text, "pos" if number % 2 else "neg"))
    return rows


def labelled_csv(folder: Path) -> str:
    pd.DataFrame(texts(), columns=["review", "sentiment"]).to_csv(
        folder / "reviews.csv", index=False
    )
    return "reviews.csv"


def labelled_without_header(folder: Path) -> str:
    lines = "".join(f'{2 if label == "pos" else 1};"{text}"\n' for text, label in texts())
    (folder / "a.csv").write_text(lines)
    return "a.csv"


def labelled_jsonl(folder: Path) -> str:
    rows = [json.dumps({"id": i, "text": t, "label": y}) for i, (t, y) in enumerate(texts())]
    (folder / "a.jsonl").write_text("\n".join(rows) + "\n")
    return "a.jsonl"


def labelled_lines(folder: Path) -> str:
    (folder / "a.txt").write_bytes(
        "".join(f"{label} {text} at a café\n" for text, label in texts()).encode("latin-1")
    )
    return "a.txt"


def labelled_folders(folder: Path) -> str:
    for number, (text, label) in enumerate(texts()):
        (folder / "mail" / label).mkdir(parents=True, exist_ok=True)
        (folder / "mail" / label / f"{number}.txt").write_text(text)
    return "mail"


def rated_csv(folder: Path) -> str:
    rows = [(f"{'very ' * (i % 7)}long road {i}", i % 7 + 0.25) for i in range(120)]
    pd.DataFrame(rows, columns=["text", "km"]).to_csv(folder / "km.csv", index=False)
    return "km.csv"


def pairs_tsv(folder: Path) -> str:
    rows = [
        f"the {noun} number {i}\tdas {noun[::-1]} Nummer {i}" for i in range(20) for noun in NOUNS
    ]
    (folder / "deu.tsv").write_text("\n".join(rows) + "\n")
    return "deu.tsv"


def pairs_in_files(folder: Path) -> str:
    (folder / "text").mkdir()
    for split, count in (("train", 15), ("dev", 4), ("test", 4)):
        for side, words in (("de", "das {} Nummer {}"), ("en", "the {} number {}")):
            lines = [words.format(noun, f"{split} {i}") for i in range(count) for noun in NOUNS]
            (folder / "text" / f"{split}.{side}").write_text("\n".join(lines) + "\n")
    return "text"


def sentences(count: int = 80) -> list[list[tuple[str, str]]]:
    draw = random.Random(0)
    return [
        [("the", "DET"), (f"{draw.choice(NOUNS)}{number % 9}", "NOUN"), ("is", "VERB")]
        + [(draw.choice(GOOD + BAD), "ADJ")] * (1 + number % 3)
        for number in range(count)
    ]


def tokens_jsonl(folder: Path) -> str:
    rows = [{"tokens": [w for w, _ in s], "ner_tags": [t for _, t in s]} for s in sentences()]
    (folder / "ner.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return "ner.jsonl"


def token_csv(folder: Path) -> str:
    rows = [
        (f"Sentence: {number + 1}" if not place else "", word, tag)
        for number, sentence in enumerate(sentences())
        for place, (word, tag) in enumerate(sentence)
    ]
    frame = pd.DataFrame(rows, columns=["Sentence #", "Word", "Tag"])
    frame.to_csv(folder / "ner.csv", index=False)
    return "ner.csv"


def conll(folder: Path) -> str:
    blocks = ["".join(f"{w} X {t}\n" for w, t in sentence) for sentence in sentences()]
    (folder / "ner.txt").write_text("-DOCSTART- X O\n\n" + "\n".join(blocks))
    return "ner.txt"


def conllu(folder: Path) -> str:
    blocks = []
    for number, sentence in enumerate(sentences()):
        words = (
            f"{place}\t{word}\t_\t{tag}\t_\t_\t0\troot\t_\t_\n"
            for place, (word, tag) in enumerate(sentence, start=1)
        )
        blocks.append(f"# sent_id = {number}\n" + "".join(words))
    (folder / "tree.conllu").write_text("\n".join(blocks) + "\n")
    return "tree.conllu"


def plain_text(folder: Path) -> str:
    lines = [
        f"In year {i}, the {noun} was not played, they say.\n" for i in range(60) for noun in NOUNS
    ]
    (folder / "book.txt").write_text("".join(lines))
    return "book.txt"


def names(folder: Path) -> str:
    (folder / "names.txt").write_text(
        "".join(f"{a}{b}{c}\n" for a in "BCDFG" for b in "aeiou" for c in ("n", "lla", "rt", "s"))
    )
    return "names.txt"


def dictionary(folder: Path) -> str:
    sounds = {"b": "B", "a": "AA1", "n": "N", "o": "OW0", "t": "T", "i": "IY1"}
    words = [a + b + c for a in "bnt" for b in "aoi" for c in ("n", "t", "ba", "no", "ti")]
    lines = (f"{w.upper()}  {' '.join(sounds[letter] for letter in w)}\n" for w in words * 2)
    (folder / "sounds.txt").write_text(";;; a comment\n" + "".join(dict.fromkeys(lines)))
    return "sounds.txt"


def series_csv(folder: Path) -> str:
    """German: semicolons, decimal commas, date and time apart, a mark of missing values."""
    begin, rows = datetime(2024, 1, 25), ["Datum;Zeit;Last;Ort"]
    for hour in range(24 * 40):
        time = begin + timedelta(hours=hour)
        load = "-200" if hour in (50, 51) else f"{20 + hour % 24 + hour % 7 / 10:.1f}"
        rows.append(f"{time:%d.%m.%Y;%H:%M};{load.replace('.', ',')};Ulm")
    (folder / "last.csv").write_text("\n".join(rows) + "\n")
    return "last.csv"


def series_parquet(folder: Path) -> str:
    times = pd.date_range("2020-01-06", periods=400, freq="B", name="date")
    frame = pd.DataFrame({"close": [100 + i % 5 + i / 50 for i in range(400)]}, index=times)
    frame.to_parquet(folder / "stock.parquet")
    return "stock.parquet"


def several_series(folder: Path) -> str:
    rows = [
        (day.date().isoformat(), shop, 10 + day.weekday() + 3 * number)
        for number, shop in enumerate(("north", "south", "east"))
        for day in pd.date_range("2024-01-01", periods=150)
    ]
    pd.DataFrame(rows, columns=["date", "store", "sales"]).to_csv(folder / "shops.csv", index=False)
    return "shops.csv"


def series_in_files(folder: Path) -> str:
    (folder / "months").mkdir()
    for month in range(1, 7):
        days = pd.date_range(
            f"2024-{month:02}-01", periods=pd.Period(f"2024-{month}").days_in_month
        )
        frame = pd.DataFrame({"date": days, "sales": [float(d.weekday() + month) for d in days]})
        frame.to_csv(folder / "months" / f"2024-{month:02}.csv", index=False)
    return "months"


def labelled_frames(folder: Path) -> str:
    """A label for each time, under names of R's rows."""
    lines = ['"date","heat","light","occupied"']
    begin = datetime(2024, 1, 1)
    for minute in range(900):
        on = minute // 45 % 2
        time = begin + timedelta(minutes=minute)
        lines.append(
            f'"{minute + 1}","{time:%Y-%m-%d %H:%M:%S}",{20 + on},{on * 400 + minute % 9},{on}'
        )
    (folder / "room.txt").write_text("\n".join(lines).replace("occupied", "Occupancy") + "\n")
    return "room.txt"


def sequences_csv(folder: Path) -> str:
    rows = [
        (number, step, (step if number % 2 else -step) + number % 5, "up" if number % 2 else "down")
        for number in range(60)
        for step in range(8 + number % 4)
    ]
    frame = pd.DataFrame(rows, columns=["trial", "step", "x", "direction"])
    frame.to_csv(folder / "trials.csv", index=False)
    return "trials.csv"


def vectors_csv(folder: Path) -> str:
    rows = [
        (i % 7 + (3 if i % 2 else 0), i % 5, "setosa" if i % 2 else "virginica") for i in range(120)
    ]
    frame = pd.DataFrame(rows, columns=["length", "width", "species"])
    frame.to_csv(folder / "iris.csv", index_label="Id")
    return "iris.csv"


def priced_csv(folder: Path) -> str:
    rows = [(i % 7, i % 5 + i / 9, 3.5 * (i % 7) + i % 5 + 0.1) for i in range(120)]
    pd.DataFrame(rows, columns=["rooms", "age", "price"]).to_csv(folder / "house.csv", index=False)
    return "house.csv"


def ts(folder: Path) -> str:
    cases = [
        f"{','.join(str(step * (1 if i % 2 else -1) + i / 8) for step in range(9))}:"
        f"{'up' if i % 2 else 'down'}"
        for i in range(60)
    ]
    header = "@problemName a\n@univariate true\n@classLabel true up down\n@data\n"
    (folder / "walk_TRAIN.ts").write_text(header + "\n".join(cases) + "\n")
    return "walk_TRAIN.ts"


def wav_names(folder: Path) -> str:
    (folder / "wav").mkdir()
    for take in range(20):
        for name, hertz in (("low", 300), ("high", 1_500)):
            record(folder / "wav" / f"{name}_ann_{take}.wav", tone(0.25 + take / 100, hertz))
    return "wav"


def wav_folders(folder: Path) -> str:
    for take in range(20):
        for name, hertz in (("low", 300), ("high", 1_500)):
            (folder / "wav" / name).mkdir(parents=True, exist_ok=True)
            record(folder / "wav" / name / f"{take}.wav", tone(0.25 + take / 100, hertz))
    return "wav"


def wav_table(folder: Path) -> str:
    wav_names(folder)
    lines = [
        f"{file.name}|{'bee' if 'low' in file.name else 'bat'} {' '.join('abc'[: 1 + i % 3])}, {i}"
        for i, file in enumerate(sorted((folder / "wav").iterdir()))
    ]
    (folder / "wav" / "metadata.csv").write_text("file_name|transcription\n" + "\n".join(lines))
    return "wav"


def piano_rolls(folder: Path) -> str:
    pieces = [[[60 + i % 5, 64], [62], [], [60 + i % 5, 67]] * (3 + i % 4) for i in range(40)]
    (folder / "tunes.json").write_text(json.dumps(pieces))
    return "tunes.json"


CAPTIONED = ("classification", "captioning")
FORMS: Mapping[str, Form] = {
    "CSV": Form(labelled_csv, "labelled_text", CAPTIONED, {"label": "sentiment"}),
    "CSV without a header": Form(
        labelled_without_header,
        "labelled_text",
        ("classification", "regression", "captioning"),
        {"separator": ";", "header": False, "text": "2", "label": "1"},
    ),
    "CSV of texts and numbers": Form(rated_csv, "labelled_text", ("regression",), {"label": "km"}),
    "TSV": Form(pairs_tsv, "pairs", ("translation",), {"header": False, "source": "1"}),
    "JSONL": Form(labelled_jsonl, "labelled_text", CAPTIONED, {"text": "text"}),
    "JSONL of tokens": Form(tokens_jsonl, "tokens", ("tagging",), {"tags": "ner_tags"}),
    "Parquet": Form(series_parquet, "table", ("forecasting",), {"time": "date"}),
    "CoNLL": Form(conll, "conll", ("tagging",), {"tag": 3}),
    "CoNLL-U": Form(conllu, "conllu", ("tagging",), {"tag": "upos"}),
    "plain text": Form(plain_text, "text", ("language_modeling",)),
    "lines that are items": Form(names, "text", ("language_modeling",)),
    ".ts": Form(ts, "ts", ("classification", "vector")),
    "WAV": Form(
        wav_names,
        "audio",
        ("classification", "transcription"),
        {"names": "{text}_{field2}_{field3}.wav", "rate": 8_000},
    ),
    "WAV in folders": Form(
        wav_folders, "audio", ("classification", "transcription"), {"names": "{text}/{take}.wav"}
    ),
    "WAV with a table": Form(wav_table, "audio", ("transcription",), {"separator": "|"}),
    "JSON piano rolls": Form(piano_rolls, "piano_rolls", ("music",)),
    "pairs in two files": Form(pairs_in_files, "pairs", ("translation",)),
    "a pronouncing dictionary": Form(dictionary, "pronunciations", ("translation",)),
    "lines of label and text": Form(
        labelled_lines, "labelled_text", ("classification",), {"encoding": "latin-1"}
    ),
    "a folder for each label": Form(
        labelled_folders, "labelled_text", CAPTIONED, {"path": "mail/{neg,pos}/*"}
    ),
    "a row for every token": Form(token_csv, "token_table", ("tagging",), {"token": "Word"}),
    "a series": Form(
        series_csv,
        "table",
        ("forecasting",),
        {"time": ["Datum", "Zeit"], "time_format": "%d.%m.%Y %H:%M", "decimal": ","},
    ),
    "several series": Form(several_series, "table", ("forecasting",), {"id": "store"}),
    "a series in several files": Form(
        series_in_files, "table", ("forecasting",), {"path": "months/*.csv"}
    ),
    "a label for each time": Form(
        labelled_frames, "frames", ("tagging",), {"row_names": True, "label": "Occupancy"}
    ),
    "sequences": Form(
        sequences_csv, "frames", ("classification",), {"sequence": "trial", "label": "direction"}
    ),
    "vectors": Form(vectors_csv, "vectors", ("vector", "captioning"), {"targets": ["species"]}),
    "vectors of numbers": Form(priced_csv, "vectors", ("vector",), {"targets": ["price"]}),
}
"""Form -> its files; the first of README's forms have its names."""
