"""Tokenizers: characters, byte-pair encoding and words."""

import os
import random
import signal
import subprocess
import sys
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from prepared_items import TEST, items

from rnnkit.data.prepare import data_sha256, tokenize
from rnnkit.data.prepare.ids import END, UNKNOWN
from rnnkit.params.data import BPE, Characters, Data, Tokenizer, Words
from rnnkit.params.public import hashed_params
from rnnkit.params.source import Pairs
from rnnkit.params.task import LanguageModeling
from rnnkit.tasks import prepare


@given(st.text(max_size=30))
def test_characters_come_back_as_they_were(text: str) -> None:
    fitted = tokenize.fit(Characters(), [text, "x"], end=False)
    ids, lengths = fitted.encode([text])
    assert lengths.tolist() == [len(text)]
    assert UNKNOWN not in ids
    assert fitted.decode(ids.tolist()) == text


@given(st.text(max_size=30))
def test_bpe_gives_back_any_text_also_one_it_never_saw(text: str) -> None:
    ids, _ = BPE_FITTED.encode([text])
    assert (ids > END).all()
    assert BPE_FITTED.decode(ids.tolist()) == text


BPE_FITTED = tokenize.fit(BPE(vocabulary=300), ["low lower lowest " * 5], end=True)


def test_bpe_learns_as_many_tokens_as_it_may_and_the_same_each_time() -> None:
    texts = ["the cat sat on the mat and the other cat sat too " * 3, "<pad> <eos>"]
    fitted = tokenize.fit(BPE(vocabulary=300), texts, end=True)
    assert len(fitted.vocabulary) <= 303
    assert fitted.vocabulary[:3] == ("<pad>", "<unk>", "<eos>")
    assert tokenize.fit(BPE(vocabulary=300), texts, end=True).vocabulary == fitted.vocabulary
    ids, _ = fitted.encode(["<pad>"])
    assert (ids > END).all()


def test_bpe_learns_from_very_long_words_in_pieces() -> None:
    word, short = "ab" * 2 * tokenize.MAX_MERGED_WORD, ["low, lower lowest\n it's"] * 5
    fitted = tokenize.fit(BPE(vocabulary=300), [f"{short[0]} {word}", *short[1:]], end=False)
    assert max(map(len, fitted.vocabulary)) <= tokenize.MAX_MERGED_WORD
    ids, _ = fitted.encode([word])
    assert fitted.decode(ids.tolist()) == word
    most, spaced = tokenize.MAX_MERGED_WORD, f" {word}"  # a word has its space before it
    cut = [spaced[first : first + most] for first in range(0, len(spaced), most)]
    same = tokenize.fit(BPE(vocabulary=300), [*short, *cut], end=False)
    assert same.vocabulary == fitted.vocabulary


def test_bpe_learns_from_a_very_long_word_within_seconds() -> None:
    word = "".join(random.Random(0).choices("abcdefgh", k=300_000))
    begin = time.process_time()
    assert len(tokenize.fit(BPE(), [word], end=False).vocabulary) == 8_002
    assert time.process_time() - begin < 20  # 1 s; with the word in one piece minutes


def test_a_signal_ends_a_process_that_learns_byte_pairs() -> None:
    program = """
import random, signal, sys
from rnnkit.data.prepare import tokenize
from rnnkit.params.data import BPE

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
tokenize.MAX_MERGED_WORD = 10**9  # so that learning takes half an hour
word = "".join(random.choices("abcdefgh", k=1_000_000))
print("begins", flush=True)
tokenize.fit(BPE(), [word], end=False)
"""
    learning = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert learning.stdout is not None
        assert learning.stdout.readline() == "begins\n"
        with pytest.raises(subprocess.TimeoutExpired):
            learning.wait(timeout=2)
        os.kill(learning.pid, signal.SIGTERM)
        assert learning.wait(timeout=20) == 143
    finally:
        learning.kill()
        learning.communicate()


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("spaces", ["Don't", "stop,\u00a0now", "<unk>", "a\nb"]),
        ("whitespace", ["Don't", "stop,", "now", "<unk>", "a", "b"]),
        ("punctuation", ["Don", "'", "t", "stop", ",", "now", "<", "unk", ">", "a", "b"]),
    ],
)
def test_words_are_split_as_params_say(split: str, expected: list[str]) -> None:
    sentence = "Don't  stop,\u00a0now <unk> a\nb"
    fitted = tokenize.fit(Words(split=split), [sentence], end=False)  # type: ignore[arg-type]
    ids, _ = fitted.encode([sentence])
    assert [fitted.vocabulary[id] for id in ids] == expected
    assert fitted.decode(ids.tolist()) == " ".join(expected)


def test_the_rarest_words_become_the_unknown_token() -> None:
    texts = ["a a a b b c <unk> <unk> <unk> <unk>"]
    assert tokenize.fit(Words(vocabulary=2), texts, end=False).vocabulary[2:] == ("a", "b")
    assert tokenize.fit(Words(minimum_count=3), texts, end=False).vocabulary[2:] == ("a",)
    tokens = [texts[0].split()]
    assert tokenize.fit_tokens(Words(vocabulary=2), tokens).vocabulary[2:] == ("a", "b")
    assert tokenize.fit_tokens(Words(minimum_count=3), tokens).vocabulary[2:] == ("a",)


def test_texts_and_lists_of_tokens_get_the_same_ids() -> None:
    texts = ["The cat", "the mat the"]
    lists = [line.split(" ") for line in texts]
    for lowercase in (False, True):
        fitted = tokenize.fit(Words(lowercase=lowercase), texts, end=False)
        same = tokenize.fit_tokens(Words(lowercase=lowercase), lists)
        assert fitted.vocabulary == same.vocabulary
        assert fitted.encode(texts)[0].tolist() == same.encode_tokens(lists)[0].tolist()


def test_the_stored_tokenizer_is_the_fitted_one(text: Data, tmp_path: Path) -> None:
    for params_of_it in (Words(), BPE(vocabulary=300), Characters()):
        data = text.model_copy(update={"tokenizer": params_of_it})
        prepared = prepare(data, LanguageModeling(), tmp_path)
        stored = prepared.fitted.inputs.tokenizer
        assert stored is not None
        assert stored.vocabulary == prepared.fitted.inputs.vocabulary
        targets = [token for _, found in items(prepared.splits[TEST]) for token in found]
        assert stored.decode(targets).replace(" ", "") == "ab"


ONE, TWO = "caf\u00e9", "cafe\u0301"
"""The same word, its last letter as one code point and as two."""


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize("lowercase", [False, True])
def test_a_unicode_form_joins_what_is_the_same_word(form: Any, lowercase: bool) -> None:
    texts = [ONE, TWO.upper(), "\uff43at \ufb01t"]
    expected = [unicodedata.normalize(form, text) for text in texts]
    expected = [text.lower() if lowercase else text for text in expected]
    kinds: list[Tokenizer] = [
        Words(normalization=form, lowercase=lowercase),
        Characters(normalization=form, lowercase=lowercase),
        BPE(normalization=form, lowercase=lowercase, vocabulary=300),
    ]
    for params in kinds:
        fitted = tokenize.fit(params, [ONE, TWO], end=False)
        (one, _), (two, _) = fitted.encode([ONE]), fitted.encode([TWO])
        assert one.tolist() == two.tolist()
        fitted = tokenize.fit(params, texts, end=False)
        for text, normal in zip(texts, expected, strict=True):
            assert fitted.normal(text) == normal
            assert fitted.decode(fitted.encode([text])[0].tolist()) == normal
    lists = [text.split() for text in texts]
    words = tokenize.fit_tokens(kinds[0], lists)
    again = tokenize.FittedTokenizer(
        tokenizers.Tokenizer.from_str(words.to_json()), words.vocabulary
    )
    assert {*words.vocabulary[2:]} == {word for text in expected for word in text.split()}
    ids, _ = again.encode_tokens([[ONE], [TWO]])
    assert ids[0] == ids[1] > UNKNOWN


def test_without_a_form_code_points_are_kept() -> None:
    words = tokenize.fit(Words(), [ONE, TWO], end=False)
    assert {*words.vocabulary[2:]} == {ONE, TWO}


def test_ids_of_data_without_a_form_are_those_of_older_versions(text: Data) -> None:
    def tokenizer(data: Data) -> Any:
        return hashed_params(data)["tokenizer"]

    assert "normalization" not in tokenizer(text)
    other = text.model_copy(update={"tokenizer": Words(normalization="NFC")})
    assert tokenizer(other)["normalization"] == "NFC"
    assert data_sha256(other, LanguageModeling()) != data_sha256(text, LanguageModeling())


def test_a_form_changes_the_reference_texts() -> None:
    source = Pairs(path="a.tsv")
    data = Data(source=source, tokenizer=Words(normalization="NFKC", lowercase=True))
    assert data.text_changes == ("in the form NFKC", "in lower case")
    assert Data(source=source).text_changes == ()
