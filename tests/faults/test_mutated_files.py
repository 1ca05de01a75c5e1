"""Mutated files of every form: read or refused; no traceback, no hang, bounded memory.

What is read is also encoded for a task, as `rnnkit check` does. The same 200 mutations of a form
each time (25 s in all); `FAULTS=full` draws others, `FAULTS=1000` as many others.
"""

import gzip
import io
import json
import os
import resource
import warnings
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from faults.mutations import MUTATIONS, Mutation, mutated
from hypothesis import HealthCheck, Phase, given, settings
from recordings import record, tone

from rnnkit.data import sources
from rnnkit.data.sources import opening, own_form
from rnnkit.data.word_vectors import read_vectors
from rnnkit.errors import InputError, Note
from rnnkit.params import source as of
from rnnkit.params import task as tasks
from rnnkit.params.data import Data, Fractions, Given, Time
from rnnkit.tasks import task_type

FAULTS = os.environ.get("FAULTS", "")
COUNT = int(FAULTS) if FAULTS.isdecimal() else 200
SECONDS = 30
"""Of a mutated file of kilobytes, on a busy machine."""

ROWS = range(24)
LABELLED = [(f"a {'good' if k % 2 else 'bad'} film {k}", f"{k % 2}", f"g{k // 2}") for k in ROWS]
CSV = "text,label,group\n" + "".join(f'"{text}, of",{y},{g}\n' for text, y, g in LABELLED)
JSONL = "".join(
    json.dumps({"text": t, "label": y, "n": [1, {"a": None}]}) + "\n" for t, y, _ in LABELLED
)
TAGGED = "".join(json.dumps({"tokens": ["a", f"b{k}"], "tags": ["X", "Y"]}) + "\n" for k in ROWS)
TOKENS = "sentence,token,tag\n" + "".join(f"s{k // 2},w{k},{'XY'[k % 2]}\n" for k in ROWS)
CONLL = "-DOCSTART- X\n\n" + "".join(f"w{k} {'XY'[k % 2]}\n" + "\n" * (k % 2) for k in ROWS)
CONLLU = "".join(
    f"# text = w{k}\n1-2\tx{k}\t_\t_\t_\t_\t_\t_\t_\t_\n"
    f"1\tw{k}\tw\t{'NOUN' if k % 2 else 'VERB'}\tN\t_\t0\troot\t_\t_\n\n"
    for k in ROWS
)
SERIES = "time,x,y\n" + "".join(f"2024-01-{k + 1:02}T00:00,{k}.5,{k * k}\n" for k in ROWS)
ZONED = "time,id,x\n" + "".join(
    f"{s},2024-03-{k + 20}T12:00+0{1 + (k > 10)}:00,{k}\n".partition(",")[2].replace(
        ",", f",{s},", 1
    )
    for s in "ab"
    for k in range(12)
)
NUMBERED = "Date;Time;x\n" + "".join(f"{k + 1:02}/03/2024;18.00.00;{k},5\n" for k in ROWS)
FRAMES = "seq,time,x,n,label\n" + "".join(
    f"s{k // 3},{1_700_000_000 + 60 * (k % 3)},{k}.5,-{k // 3},{'ab'[k // 3 % 2]}\n"
    for k in range(90)
)
TS = "@problemName P\n@timeStamps false\n@univariate false\n@dimensions 2\n"
TS += "@classLabel true a b\n@data\n" + "".join(
    f"1,2,{k}:4.5,5e-1,-6:{'ab'[k % 2]}\n" for k in ROWS
)
VECTORS = "a,b,label\n" + "".join(f"{k},{k / 3:.3f},{'xy'[k % 2]}\n" for k in ROWS)
PAIRS = "source\ttarget\n" + "".join(f"ein Satz {k}\ta sentence {k}\n" for k in ROWS)
SOUNDS = ";;; dict\n" + "".join(f"WORD{k}({1 + k % 2}) 1 W ER1 D{k} # note\n" for k in ROWS)
PIECES = json.dumps(
    {part: [[[60, 64], [], [62 + k]] for k in range(4)] for part in ("train", "valid", "test")}
)
WORDS = "3 2\nthe 0.1 0.2\nof 1e-3 -4\nnot 5 6\n"


def parquet(table: str, index: str | None = None) -> bytes:
    frame = pd.read_csv(io.StringIO(table))
    frame = frame if index is None else frame.set_index(index)
    return frame.to_parquet()


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return packed.getvalue()


def wav() -> bytes:
    path = Path(record(Path(os.devnull).parent / "shm" / f"rnnkit{os.getpid()}.wav", tone(0.05)))
    try:
        return path.read_bytes()
    finally:
        path.unlink()


SPLIT = Fractions(valid=0.2, test=0.2)
CLASSES = tasks.Classification()
FORECAST = tasks.Forecasting(horizon=1)
DAYS = Time(valid=0.2, test=0.2)


def source(
    kind: Any, task: Any = None, split: Any = SPLIT, **options: Any
) -> Callable[[Path], None]:
    """Read a file as a source, and encode it for a task."""

    def check(path: Path) -> None:
        block = kind.model_validate({"path": str(path), **options})
        data = Data(source=block, split=split, window=2)
        sources.fingerprint(block, split)
        frame = sources.read(block, split)
        if task is not None:
            task_type(task).fit(frame, data, task)

    return check


def in_zip(path: Path) -> None:
    source(of.LabelledText, CLASSES)(path / "a.csv")
    read_vectors(str(path), ["the"])


def recording(path: Path) -> None:
    table = path.with_name("table.csv")
    table.write_text("audio,text\n" + f"{path.name},one\n" * 3)
    source(of.Audio, rate=8_000)(table)


def standard_input(path: Path) -> None:
    """Lines as `rnnkit predict` sees them, of several sources."""
    for encoding in ("utf-8", "utf-16", "latin-1"):
        with path.open("rb") as stream:
            try:
                rows = [*opening.stream_rows(stream, encoding, "standard input")]
            except InputError:
                continue
        own_form.is_json_lines(rows, ["text"])
        for block in (
            of.LabelledText(path="a.csv"),
            of.Frames(path="a.tsv", labels="per_frame"),
            of.Vectors(path="a.csv", header=False),
            of.Conll(path="a"),
            of.TS(path="a"),
            of.PianoRolls(path="a"),
        ):
            own_form.is_own_form(block, rows, "text", ["0", "1"])


Form = tuple[str, bytes, Callable[[Path], None]]
FORMS: Mapping[str, Form] = {
    "labelled csv": ("a.csv", CSV.encode(), source(of.LabelledText, CLASSES, group="group")),
    "labelled tsv": (
        "a.tsv",
        CSV.replace(",", "\t").encode("utf-16"),
        source(of.LabelledText, CLASSES, encoding="utf-16", quotes=True),
    ),
    "labelled jsonl": ("a.jsonl", JSONL.encode(), source(of.LabelledText, CLASSES)),
    "labelled parquet": ("a.parquet", parquet(CSV), source(of.LabelledText, CLASSES)),
    "labelled lines": (
        "a.txt",
        "".join(f"{y} {text}\n" for text, y, _ in LABELLED).encode(),
        source(of.LabelledText, CLASSES),
    ),
    "labelled gz": ("a.csv.gz", gzip.compress(CSV.encode()), source(of.LabelledText, CLASSES)),
    "labelled zip": ("a.zip", zipped(CSV.encode()), in_zip),
    "tokens": ("a.jsonl", TAGGED.encode(), source(of.Tokens, tasks.Tagging())),
    "token table": ("a.csv", TOKENS.encode(), source(of.TokenTable, tasks.Tagging())),
    "conll": ("a.conll", CONLL.encode(), source(of.Conll, tasks.Tagging())),
    "conllu": ("a.conllu", CONLLU.encode(), source(of.Conllu, tasks.Tagging())),
    "text": (
        "a.txt",
        "\n".join(text for text, _, _ in LABELLED).encode(),
        source(of.Text, tasks.LanguageModeling()),
    ),
    "series": ("a.csv", SERIES.encode(), source(of.Table, FORECAST, DAYS, gaps="interpolate")),
    "series refused": ("a.csv", SERIES.encode(), source(of.Table, FORECAST, DAYS)),
    "series of numbers": (
        "a.csv",
        NUMBERED.encode(),
        source(
            of.Table,
            FORECAST,
            DAYS,
            separator=";",
            decimal=",",
            thousands=".",
            time=["Date", "Time"],
            time_format="%d/%m/%Y %H.%M.%S",
            missing=[-200, "?"],
            gaps="forward",
        ),
    ),
    "series in a zone": (
        "a.csv",
        ZONED.encode(),
        source(of.Table, FORECAST, DAYS, id="id", timezone="Europe/Berlin", gaps="forward"),
    ),
    "series in units": (
        "a.csv",
        ("time,x\n" + "".join(f"{k * 1.5},{k}\n" for k in ROWS)).encode(),
        source(of.Table, FORECAST, DAYS, time_unit="hours", gaps="keep"),
    ),
    "series parquet": (
        "a.parquet",
        parquet(SERIES, "time"),
        source(of.Table, FORECAST, DAYS, gaps="forward"),
    ),
    "frames": (
        "a.csv",
        FRAMES.encode(),
        source(of.Frames, CLASSES, sequence="seq", time="time"),
    ),
    "frames per step": (
        "a.csv",
        FRAMES.encode(),
        source(of.Frames, tasks.Tagging(), sequence="seq", labels="per_frame"),
    ),
    "frames to numbers": (
        "a.csv",
        FRAMES.encode(),
        source(
            of.Frames,
            tasks.Regression(),
            sequence="seq",
            label=["n"],
            columns=["x"],
        ),
    ),
    "ts": ("a.ts", TS.encode(), source(of.TS, CLASSES)),
    "ts of numbers": (
        "a.ts",
        TS.replace("@classLabel true a b", "@targetlabel true")
        .replace(":a", ":1")
        .replace(":b", ":2")
        .encode(),
        source(of.TS, tasks.Regression()),
    ),
    "vectors": ("a.csv", VECTORS.encode(), source(of.Vectors, tasks.Vector())),
    "vectors without a header": (
        "a.txt",
        VECTORS.partition("\n")[2].replace(",", "  ").encode(),
        source(
            of.Vectors,
            tasks.Vector(loss="squared"),
            separator="whitespace",
            header=False,
            targets=["2"],
            columns=["1"],
            comment="#",
        ),
    ),
    "pairs": ("a.tsv", PAIRS.encode(), source(of.Pairs, tasks.Translation())),
    "pronunciations": ("a.dict", SOUNDS.encode(), source(of.Pronunciations, tasks.Translation())),
    "music": ("a.json", PIECES.encode(), source(of.PianoRolls, tasks.Music(), Given())),
    "recording": ("a.wav", wav(), recording),
    "word vectors": ("a.txt", WORDS.encode(), lambda path: read_vectors(str(path), ["the"])),
    "word vectors in bytes": (
        "a.bin",
        b"3 2\n"
        + b"".join(b"w%d " % k + np.array([k, 0.5], "<f4").tobytes() + b"\n" for k in range(3)),
        lambda path: read_vectors(str(path), ["w1"]),
    ),
    "word vectors gz": (
        "a.gz",
        gzip.compress(WORDS.encode()),
        lambda path: read_vectors(str(path), ["the"]),
    ),
    "standard input": ("a.txt", (CSV + JSONL + TS).encode(), standard_input),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_sound_file_is_read(form: str, tmp_path: Path) -> None:
    name, content, check = FORMS[form]
    (tmp_path / name).write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)
        if form == "labelled zip":
            source(of.LabelledText, CLASSES)(tmp_path / "a.zip" / "a.csv")
        else:
            check(tmp_path / name)


@pytest.mark.parametrize("form", FORMS)
def test_a_mutated_file_is_read_or_refused(
    form: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name, content, check = FORMS[form]
    path = tmp_path_factory.mktemp("mutated") / name
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @settings(
        max_examples=COUNT,
        deadline=timedelta(seconds=SECONDS),
        derandomize=not FAULTS,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(MUTATIONS)
    def run(mutations: list[Mutation]) -> None:
        path.write_bytes(mutated(content, mutations))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Note)
            with suppress(InputError):
                check(path)

    run()
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert growth < 2**20, f"{growth} KiB"
