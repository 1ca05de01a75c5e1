"""Input that a verb refuses: one line and exit status 2."""

from pathlib import Path

import pytest
from verb_runs import rnnkit


@pytest.mark.parametrize(
    ("arguments", "typed", "message"),
    [
        (("predict", "last"), "", "standard input: there is no input in it"),
        (("predict", "last"), "a\n\n", "standard input, line 2: an input is needed"),
        (("predict", "last", "--json-lines"), '["a"]\n7', "standard input, line 2: must be a list"),
        (("predict", "last", "--stream", "--json-lines"), '"a"\n7', "line 2: must be a list of to"),
        (("predict", "last", "--json-lines"), "[", "line 1, column 2: every line must be a JSON"),
        (("predict", "last", "t.csv"), "", "t.csv: every line must be an input, and this is a tab"),
        (("predict", "last", "gone.csv"), "", "gone.csv: there is no such file"),
        (("predict", "last", "gone.txt"), "", "gone.txt: there is no such file"),
        (("predict", "other"), "a", "other: there is no such run"),
        (("evaluate", "last", "gone.jsonl"), "", "gone.jsonl: there is no such file"),
        (("backtest", "a.yaml"), "", "only forecasts are tested in folds"),
        (("data", "fetch", "nothing"), "", "nothing: there is no such public data set"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    here: Path, arguments: tuple[str, ...], typed: str, message: str
) -> None:
    done = rnnkit(here, *arguments, typed=typed)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "typed", "message"),
    [
        (("wav/low_3.wav", "--stream"), "", "wav/low_3.wav: a recording is one input and no lines"),
        (("wav/low_3.wav", "--json-lines"), "", "leave --stream, --lines and --json-lines out"),
        (("gone.wav",), "", "gone.wav: there is no such file"),
        (("--stream",), '["a"]\n', "standard input, line 1: must be a list of a recording's sam"),
        (("--stream",), '"x.wav"\n', "and 1, 8,000 per second, got x.wav"),
        (("--stream",), "[[0.1], [0.1, 0.2]]\n", "line 1: must be a list of a recording's samples"),
        (("--stream",), "[NaN, 0.1]\n", "line 1: must be a list of a recording's samples"),
    ],
)
def test_what_is_no_recording_is_said_in_a_line(
    spoken: Path, arguments: tuple[str, ...], typed: str, message: str
) -> None:
    done = rnnkit(spoken, "predict", "last", *arguments, typed=typed)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
