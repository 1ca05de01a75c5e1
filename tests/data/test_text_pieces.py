"""Texts in pieces: read, learned from, tokenized and stored as the whole text is."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from prepared_items import items
from tokenizers import trainers

from rnnkit.data.prepare import column_items, flat_steps, text_pieces, tokenize
from rnnkit.data.prepare.numbered_texts import NumberedTexts
from rnnkit.data.prepare.tensor_file import write_tensors
from rnnkit.data.sources import opening, text_items, unpacking
from rnnkit.errors import InputError
from rnnkit.params.data import BPE, Characters, Data, Tokenizer, Words
from rnnkit.params.source import Text
from rnnkit.params.task import LanguageModeling
from rnnkit.runtime import scratch
from rnnkit.runtime.disk import disk_error
from rnnkit.tasks import prepare

PIECES = [
    "a",
    "B",
    "é",
    "e\u0301",
    " ",
    "  ",
    "\n",
    "\u00a0",
    "ß",
    "Σ",
    "it's",
    ",",
    "1",
    "ﬁ",
    "😀",
]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), min_size=1)
TOKENIZERS: list[Tokenizer] = [
    *(
        Characters(normalization=form, lowercase=lowercase, vocabulary=8)
        for form in (None, "NFC", "NFD", "NFKC", "NFKD")
        for lowercase in (False, True)
    ),
    *(Words(split=split, vocabulary=8) for split in ("spaces", "whitespace", "punctuation")),
    Words(split="punctuation", normalization="NFKC", lowercase=True, vocabulary=8),
    BPE(vocabulary=300),
    BPE(vocabulary=300, normalization="NFD", lowercase=True),
]
CORPUS = ["a B é it's, 1 ß\u00a0Σ ﬁ it's", "e\u0301 a a B\n1 1 1"]


def fitted(params: Tokenizer) -> tokenize.FittedTokenizer:
    return tokenize.fit(params, CORPUS, end=True)


FITTED = [*map(fitted, TOKENIZERS)]


@pytest.mark.parametrize("tokenizer", FITTED, ids=map(repr, TOKENIZERS))
@given(texts=TEXTS)
def test_ids_in_pieces_are_those_of_the_library(
    tokenizer: tokenize.FittedTokenizer, texts: list[str]
) -> None:
    whole = [encoding.ids for encoding in tokenizer.model.encode_batch(texts)]
    for size in (1, 4, text_pieces.PIECE):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(text_pieces, "PIECE", size)
            ids, lengths = tokenizer.encode(texts)
            written = [*tokenizer.written(texts, "<eos>")]
        assert lengths.tolist() == [*map(len, whole)]
        assert ids.tolist() == [id for ids in whole for id in ids]
        assert written.count("<eos>") == len(texts)
        assert len(written) == len(ids) + len(texts)


@given(texts=TEXTS, index=st.integers(0, 9))
def test_characters_are_learned_as_the_library_learns_them(texts: list[str], index: int) -> None:
    params = TOKENIZERS[index]
    model = tokenize._pipeline(params)
    trainer = trainers.WordLevelTrainer(vocab_size=params.vocabulary, show_progress=False)
    model.train_from_iterator(texts, trainer)
    vocabulary = sorted(model.get_vocab(), key=model.get_vocab().__getitem__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_pieces, "PIECE", 3)
        assert [*tokenize.fit(params, iter(texts), end=False).vocabulary[2:]] == vocabulary


BREAKS = ["a", "é", "\n", "\r\n", "\r", " ", "\t", "b\n", "\x0b", "\u2028"]


@given(text=st.lists(st.sampled_from(BREAKS)).map("".join), size=st.integers(1, 9))
def test_lines_and_paragraphs_in_blocks_are_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, text: str, size: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.txt.gz"
    path.write_bytes(gzip.compress(("\ufeff" + text).encode()))
    rows = text.replace("\r\n", "\n").split("\n")
    rows = rows if rows[-1] else rows[:-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpacking, "CHUNK", size)
        assert opening.read_rows(str(path), "utf-8") == rows
        assert opening.read_rows(str(path), "utf-8-sig") == rows
    expected = re.split(r"\n(?:[ \t]*\n)+", "\n".join(rows))
    assert [*filter(str.strip, text_items.paragraphs(rows))] == [*filter(str.strip, expected)]


@pytest.mark.parametrize("size", [2, 3, 2**20])
def test_bad_bytes_are_named_by_their_line_in_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(unpacking, "CHUNK", size)
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"one\ntwo\nth\xffree\nfour\n"))
    with pytest.raises(InputError, match=r"line 3: the text must be utf-8, but byte 3 of the line"):
        opening.read_rows(str(path), "utf-8")
    path.write_bytes(gzip.compress(b"\0ne\ntwo\nth\xffree\n"))
    with pytest.raises(InputError, match="a text file is needed, and this one is of another kind"):
        opening.read_rows(str(path), "utf-8")


TOO_MANY = r"a\.txt: a file may have 3 lines, but it has 9; name a part of it"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_too_many_lines_are_counted_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setattr(opening, "MAX_LINES", 3)
    monkeypatch.setattr("rnnkit.data.sources.limits.MAX_LINES", 3)
    monkeypatch.setattr(unpacking, "CHUNK", 4)
    (tmp_path / "a.txt").write_text("ab\n" * 9, encoding=encoding)
    with pytest.raises(InputError, match=TOO_MANY):
        opening.read_rows(str(tmp_path / "a.txt"), encoding)


def text_data(folder: Path, tokenizer: Tokenizer) -> Data:
    lines = [f"Line {k} of {'xyzé'[k % 4] * (k % 7 + 1)}\n" + "\n" * (k % 3) for k in range(300)]
    (folder / "t.txt").write_text("".join(lines), encoding="utf-8")
    source = Text(path=str(folder / "t.txt"), unit="paragraph")
    return Data(source=source, tokenizer=tokenizer, max_length=20)


@pytest.mark.parametrize("params", [*TOKENIZERS[:2], *TOKENIZERS[-3:]], ids=repr)
def test_prepared_data_are_the_same_in_memory_and_in_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, params: Tokenizer
) -> None:
    data, task = text_data(tmp_path, params), LanguageModeling()
    whole = prepare(data, task, tmp_path / "whole")
    monkeypatch.setattr(scratch, "IN_MEMORY", 0)
    monkeypatch.setattr(text_pieces, "PIECE", 5)
    monkeypatch.setattr(column_items, "BLOCK", 3)
    monkeypatch.setattr(flat_steps, "BLOCK", 7)
    monkeypatch.setattr(text_items, "PIECE_TEXTS", 4)
    pieces = prepare(data, task, tmp_path / "pieces")
    assert pieces.facts == whole.facts
    assert pieces.originals == whole.originals
    assert pieces.fitted.tokens == whole.fitted.tokens
    for split in whole.splits:
        assert items(pieces.splits[split]) == items(whole.splits[split])
    for file in (tmp_path / "whole" / "prepared" / whole.sha256).iterdir():
        other = tmp_path / "pieces" / "prepared" / whole.sha256 / file.name
        assert other.read_bytes() == file.read_bytes(), file.name
    assert [path.name for path in (tmp_path / "pieces" / "prepared").iterdir()] == [whole.sha256]


def test_a_full_disk_while_texts_are_put_into_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scratch, "IN_MEMORY", 0)
    monkeypatch.setattr(scratch, "_write", full)
    with pytest.raises(OSError, match="No space left") as failure:
        prepare(text_data(tmp_path, Characters()), LanguageModeling(), tmp_path)
    line = str(disk_error(failure.value, "elsewhere"))
    assert line.startswith(f"{tmp_path / 'prepared'}: no space left on device; free some of it")
    assert list((tmp_path / "prepared").iterdir()) == []


def test_pages_of_a_scratch_array_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "IN_MEMORY", 100)
    array = scratch.ScratchArray(np.int16)
    for k in range(50):
        array.append(np.arange(k, k + 100))
    values = array.array()
    scratch.release_pages()
    assert values.dtype == np.int16
    assert values.tolist() == [k + i for k in range(50) for i in range(100)]


def test_a_tensor_file_is_read_by_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnkit.data.prepare.tensor_file.BLOCK_BYTES", 7)
    tensors = {
        "a": torch.arange(5, dtype=torch.uint8),
        "b": torch.randn(3, 4),
        "c": torch.tensor([True, False, True]),
        "é": torch.arange(6).reshape(2, 3),
        "none": torch.zeros(0, dtype=torch.int16),
        "d": torch.randn(2, dtype=torch.float64),
        "i": torch.arange(4, dtype=torch.int32),
    }
    write_tensors(tmp_path / "t", tensors)
    stored = safetensors.torch.load_file(tmp_path / "t")
    assert stored.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert stored[name].dtype == tensor.dtype
        assert torch.equal(stored[name], tensor)


def test_items_of_joined_columns_are_taken_in_their_order() -> None:
    joined = pd.concat([pd.Series([f"{k}{n}" for n in range(400)]) for k in "ab"])
    rows = np.random.default_rng(0).permutation(800)[:700]
    joined = joined.reset_index(drop=True)
    assert [*column_items.items_of(joined, rows)] == joined.iloc[rows].tolist()
    assert [*column_items.items_of(joined)] == joined.tolist()


@given(st.dictionaries(st.integers(0, 99), st.text(max_size=3)))
def test_numbered_texts_are_a_mapping(texts: dict[int, str]) -> None:
    numbered = NumberedTexts(sorted(texts.items()))
    assert numbered == texts
    assert [*numbered.pairs()] == sorted(texts.items())
    assert {number: numbered.get(number) for number in range(100)} == {
        number: texts.get(number) for number in range(100)
    }


MEASURED = """
import resource, sys
from pathlib import Path
import pandas, pyarrow, safetensors.torch
from rnnkit import tasks
from rnnkit.params.data import Characters, Data
from rnnkit.params.source import Text
from rnnkit.params.task import LanguageModeling

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

data = Data(source=Text(path=sys.argv[1]), tokenizer=Characters(), max_length=100)
before = peak()
tasks.prepare(data, LanguageModeling(), Path(sys.argv[2]))
print(peak() - before)
"""


def test_the_memory_of_preparing_a_text_does_not_grow_with_it(tmp_path: Path) -> None:
    """Every character's Python objects took 100 bytes: 2 GiB for this text, and not 0.2."""
    line = "the quick brown fox jumps over the lazy dog and runs, {}\n"
    with (tmp_path / "t.txt").open("w") as file:
        for k in range(350_000):
            file.write(line.format(k))
    program = [sys.executable, "-c", MEASURED, str(tmp_path / "t.txt"), str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 200
