"""Small data of four kinds, split."""

import json
from pathlib import Path

import pytest
from prepared_items import TEST, TRAIN, VALID

from rnnkit.params.data import Column, Data, Files, Time
from rnnkit.params.source import LabelledText, Table, Tokens
from rnnkit.params.source import Text as PlainText


@pytest.fixture
def labelled(tmp_path: Path) -> Data:
    rows = ["text,label,split", "a b a,x,train", "b c,y,train", "a d <pad>,x,valid", "b,y,test"]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    return Data(source=LabelledText(path=str(tmp_path / "a.csv")), split=Column())


@pytest.fixture
def tagged(tmp_path: Path) -> Data:
    rows = [(["A", "b"], ["x", "y"], TRAIN), (["b"], ["x"], VALID), (["c", "b"], ["y", "y"], TEST)]
    lines = [json.dumps(dict(zip(("tokens", "tags", "split"), row, strict=True))) for row in rows]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    return Data(source=Tokens(path=str(tmp_path / "a.jsonl")), split=Column())


@pytest.fixture
def text(tmp_path: Path) -> Data:
    for name, content in {TRAIN: "a b\nb\n", VALID: "b <unk> c\n", TEST: "a\nb\n"}.items():
        (tmp_path / name).write_text(content)
    split = Files(valid=str(tmp_path / VALID), test=str(tmp_path / TEST))
    return Data(source=PlainText(path=str(tmp_path / TRAIN)), split=split)


@pytest.fixture
def table(tmp_path: Path) -> Data:
    lines = [f"2024-01-{day:02d},{day},{10 - day},7" for day in range(1, 31)]
    (tmp_path / "t.csv").write_text("\n".join(["time,up,down,flat", *lines]))
    split = Time(valid="2024-01-11", test="2024-01-21", until="2024-01-29")
    return Data(source=Table(path=str(tmp_path / "t.csv")), split=split, window=3)
