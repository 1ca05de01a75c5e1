"""The strict reader of YAML: what it refuses, and how it reads numbers, dates and text."""

from pathlib import Path

import pytest
from refused_params import TAGGING, Write, refusal

from rnnkit.errors import InputError
from rnnkit.params import load


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("seed: 1\nseed: 2\n", "a.yaml:2: seed stands twice, first at a.yaml:1"),
        ("seed: 012\n", "a.yaml:1: 012 is ambiguous; write a plain number or quote it"),
        ("seed: 0x1F\n", "a.yaml:1: 0x1F is ambiguous"),
        ("seed: 1_000\n", "a.yaml:1: 1_000 is ambiguous"),
        ("seed: 1_0.5\n", "a.yaml:1: 1_0.5 is ambiguous"),
        ("seed: 1:30\n", "a.yaml:1: 1:30 is ambiguous"),
        ("seed: 1:30.5\n", "a.yaml:1: 1:30.5 is ambiguous"),
        ("seed: !!python/name:os.system 1\n", "a.yaml:1: only plain values are allowed, got"),
        ("seed: !mine '3'\n", "a.yaml:1: only plain values are allowed, got the tag !mine"),
        ("name: a\nmodel: !mine {hidden: 3}\n", "a.yaml:2: only plain values are allowed"),
        ("seed: !!float x\n", "a.yaml:1: only plain values are allowed"),
        ("seed: &one 1\nname: *one\n", "a.yaml:2: aliases are not read; write the value out"),
        ("model: &m {hidden: *m}\n", "a.yaml:1: aliases are not read"),
        ("a: &a {b: 1}\nmodel:\n  <<: *a\n", "a.yaml:3: aliases are not read"),
        ("model:\n  <<: {hidden: 3}\n", "a.yaml:2: a key must be a plain word"),
        ("? [a, b]\n: 1\n", "a.yaml:1: a key must be a plain word"),
        ("a:\n  " + "[" * 30 + "]" * 30, "a.yaml:2: is nested deeper than 20 levels"),
        ("a: " + "[" * 50_000, "a.yaml:1: is nested deeper than 20 levels"),
        ("a: " + "x" * 1_000_000, "a.yaml: may have at most 1,000,000 bytes"),
        (b"name: a\ntask: \xe9\n", "a.yaml:2: is not UTF-8; save it as UTF-8"),
        ("", "a.yaml: is empty; begin with: rnnkit new demo"),
        ("# nothing but this\n", "a.yaml: is empty"),
        ("- a\n- b\n", "a.yaml: must hold `key: value` lines; begin with: rnnkit new"),
        ("some words", "a.yaml: must hold `key: value` lines"),
        ("name: b: c\n", "a.yaml:1: is not YAML: mapping values are not allowed here"),
        ("name: a\n\ttask: b\n", "a.yaml:2: is not YAML: found character"),
        ("name: [1\n", "a.yaml:2: is not YAML: expected ',' or ']'"),
        ("name: a\n---\nname: b\n", "a.yaml:2: a second document begins; one file holds one"),
        ("name: a\x00\n", "a.yaml: is not YAML: it holds the character U+0000"),
        (f"seed: {'9' * 5000}\n", "a.yaml:1: a whole number may have at most 18 digits"),
        (f"seed: -{'9' * 19}\n", "a.yaml:1: a whole number may have at most 18 digits"),
        (f"%YAML {'9' * 5000}.1\n---\n", "a.yaml: is not YAML: a number or an escape in it is too"),
        ('name: "\\UFFFFFFFF"\n', "a.yaml: is not YAML: a number or an escape in it is too large"),
        ('name: "\\U00110000"\n', "a.yaml: is not YAML: a number or an escape in it is too large"),
        (
            'name: "a\\ud83d"\n',
            r"a.yaml:1: holds half of a surrogate pair, 'a\ud83d'; write the who",
        ),
        ('task: 1\n"\\ud83d": 1\n', "a.yaml:2: holds half of a surrogate pair"),
        ("a: " + "x: " * 5000, "a.yaml:1: is not YAML: mapping values are not allowed here"),
    ],
)
def test_what_is_no_plain_yaml_is_refused(write: Write, content: str | bytes, message: str) -> None:
    assert refusal(write(content)).startswith(message)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 0.001), ("1.5E+2", 150.0), (".5", 0.5), ("2.", 2.0), ("+2", 2), ("2e0", 2.0)],
)
def test_numbers_are_read_as_people_write_them(write: Write, text: str, value: float) -> None:
    clip = load(write(f"{TAGGING}train: {{clip: {text}}}\n")).train.clip
    assert clip == value
    assert type(clip) in (float, int)


def test_a_quoted_or_dated_value_is_text(write: Write) -> None:
    assert load(write(TAGGING.replace("name: a\n", "name: '012'\n"))).name == "012"
    assert load(write(TAGGING.replace("name: a\n", "name: 2017-06-26\n"))).name == "2017-06-26"


def test_two_escapes_of_one_character_are_joined_as_in_json(write: Write) -> None:
    source = r'{kind: tokens, path: "a\ud83d\ude00.jsonl"}'
    text = TAGGING.replace("{kind: builtin, name: python_tokens}", source)
    assert load(write(text)).data.source.path == "a😀.jsonl"


def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(InputError, match=r"/dev/zero: may have at most 1,000,000 bytes"):
        load("/dev/zero")


@pytest.mark.parametrize("name", ["x" * 5000, "~nosuch/a.yaml", "a\0.yaml"])
def test_a_path_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"name too long|there is no user|no file can have such"):
        load(name)


def test_a_byte_order_mark_is_allowed(write: Write) -> None:
    assert load(write(b"\xef\xbb\xbf" + TAGGING.encode())).name == "a"


def test_a_missing_file_is_named_with_its_neighbour(write: Write) -> None:
    file = write(TAGGING)
    assert refusal(file.with_name("b.yaml")) == (
        "b.yaml: there is no such file; did you mean a.yaml?"
    )
    assert refusal(file.with_name("nothing-like-it.yaml")).endswith("there is no such file")


def test_a_folder_is_no_params_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder; give the params file in it"):
        load(tmp_path)


def test_a_file_that_cannot_be_read_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, mode: str) -> bytes:
        raise PermissionError(13, "Permission denied")

    file = write(TAGGING)
    monkeypatch.setattr(Path, "open", refuse)
    assert refusal(file) == "a.yaml: cannot be read: Permission denied"
