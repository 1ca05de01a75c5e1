"""JSON that the verbs print."""

import io
import json
import sys
import warnings
from pathlib import Path

import pytest

from flows import cli
from flows.cli.options import print_json

ANSWER = {"tokens": ["Zürich", "東京", "😀"], "half": "\ud800"}


def test_letters_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(ANSWER["tokens"])
    assert capsys.readouterr().out == '["Zürich", "東京", "😀"]\n'


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_is_whole_in_every_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(terminal, encoding=encoding))
    print_json(ANSWER)
    assert json.loads(terminal.getvalue().decode(encoding)) == ANSWER


def test_every_verb_prints_json_in_this_way() -> None:
    for file in Path(cli.__file__).parent.glob("*.py"):
        if file.name != "options.py":
            assert "json.dumps" not in file.read_text(encoding="utf-8"), file.name


def test_text_in_letters_that_the_terminal_lacks_is_escaped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(terminal, encoding="ascii"))
    monkeypatch.setattr(sys, "argv", ["rnnkit", "--version"])
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.setattr(cli, "collect_garbage_rarely", lambda: None)
    cli.main()
    print("Zürich", flush=True)
    assert terminal.getvalue().splitlines()[-1] == b"Z\\xfcrich"
