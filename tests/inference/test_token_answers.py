"""Answers of a tagger with their tokens, whole and step by step."""

from pathlib import Path
from typing import Any

import pandas
import pytest
from untrained_models import sentences, untrained

from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor
from rnnkit.inference.pyfunc import Served
from rnnkit.inference.stream import Stream


@pytest.fixture
def tagger(tmp_path: Path) -> Predictor:
    return untrained(tmp_path, sentences(tmp_path), "tagging")


def test_answers_of_a_tagger_carry_their_tokens(tagger: Predictor) -> None:
    sentence = ["Ann", "was", "in", "Rome3"]
    for text in ("Ann was in Rome3", " Ann  was in\tRome3 ", sentence, tuple(sentence)):
        (answer,) = tagger([text])
        assert answer["tokens"] == sentence
        assert len(answer["tags"]) == len(answer["probabilities"]) == 4
        assert answer == tagger([sentence])[0]
        assert Served(tagger).predict([text]) == [answer]
    with pytest.raises(InputError, match="input 1: must be a text, but its character 1 is half of"):
        tagger([["Ann", "\ud800"]])


def test_steps_of_a_stream_carry_their_token_without_blanks(tagger: Predictor) -> None:
    stream, plain = Stream(tagger), Stream(tagger)
    for typed, token in (("Ann", "Ann"), ("was ", "was"), ("\tRome3", "Rome3")):
        step = stream.step(typed)
        assert step == plain.step(token)
        assert step["tokens"] == [token]
    with pytest.raises(InputError, match="step 4: a step must be a token, and it is blank; leave"):
        stream.step(" ")


@pytest.mark.parametrize("listed", ["Ann was in Rome", b"Ann", pandas.DataFrame({"text": ["Ann"]})])
def test_a_text_alone_is_no_list_of_inputs(tagger: Predictor, listed: Any) -> None:
    with pytest.raises(InputError, match=r"inputs must be a list, got a .*; write \[input\] for"):
        tagger(listed)
