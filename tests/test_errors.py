"""Text of messages: one line, of bounded length, without characters that a terminal acts on."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnkit.errors import HIDDEN, MAX_MESSAGE, InputError, UnreadableFile, as_message, escaped

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_any_text_is_one_visible_line_of_bounded_length(text: str) -> None:
    message = as_message(text * 50)
    assert len(message.splitlines()) <= 1
    assert len(message) <= MAX_MESSAGE
    assert HIDDEN.search(message) is None
    assert as_message(message) == message
    message.encode()


@given(ANY_TEXT)
def test_escaping_keeps_what_can_be_seen(text: str) -> None:
    assert escaped(text) == text or HIDDEN.search(text)
    assert [line.count("\t") for line in escaped(text).split("\n")] == [
        line.count("\t") for line in text.split("\n")
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31m", r"a\x1b[31m"),
        ("a\x9b31m", r"a\x9b31m"),
        ("a\rb", r"a\rb"),
        ("\x07\x7f\x00", r"\x07\x7f\x00"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\ud800", r"\ud800"),
        ("größer 😀\t\n", "größer 😀\t\n"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_a_long_message_keeps_its_place_and_its_next_step() -> None:
    message = str(InputError(f"a.yaml:3: name: {'x' * 100_000}; write a shorter one"))
    assert len(message) == MAX_MESSAGE
    assert message.startswith("a.yaml:3: name: xxx")
    assert message.endswith("xxx; write a shorter one")


def test_bad_input_of_a_worker_is_the_same_in_the_parent() -> None:
    error = pickle.loads(pickle.dumps(UnreadableFile("a\x1b" * 1000)))
    assert type(error) is UnreadableFile
    assert str(error) == str(UnreadableFile("a\x1b" * 1000))
