"""Params files and overrides that are damaged or hostile: each is loaded or refused in one line.

The examples are mutated: bits flip, bytes go or come, lines are doubled, pieces of another example
are put in, values become numbers, escapes and nestings that parsers are known to fail on. Nothing
else than InputError may be raised. What is loaded can be written, hashed and loaded again.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rnnkit.errors import HIDDEN, MAX_MESSAGE, InputError
from rnnkit.params import Experiment, dump, load
from rnnkit.params.examples import examples
from rnnkit.params.experiment import flatten
from rnnkit.params.public import hashed_params
from rnnkit.runtime.files import sha256_json

FEW, MANY = 200, 5000
"""Mutations in `make test` and in `make faults`."""
SHARE = 16
"""One in so many keys gets each bad value in `make test`."""
LIMIT = timedelta(seconds=20)
"""Far above the time of any: what takes longer hangs."""

FILES = [file.read_bytes() for file in examples().values()]
KEYS = sorted({key for file in examples().values() for key in flatten(load(file))})
VALUES = (
    *("", "null", "~", "true", "-1", "0", "1.5", "'1'", "[]", "{}", "[[1, 2], {a: 1}]", "{a: 1}"),
    *("9" * 18, "9" * 5000, "-" + "9" * 5000, "0." + "9" * 5000, "1e400", "-1e400", "5e-324"),
    *(".inf", ".nan", "0x10", "012", "1_000", "1:30", "2020-01-01", "!!int 3", "&a 1", "*a", "<<"),
    *(
        r'"\ud800"',
        r'"\ud83d\ude00"',
        r'"\UFFFFFFFF"',
        r'"\U00110000"',
        r'"\0\e[31m\x9b"',
        "=",
        "@",
    ),
    *("[" * 1000, "{a: " * 1000, "- " * 100, "x" * 5000, "~nosuch/a", "/" * 5000, "a/../" * 1000),
    *("%YAML 1.2", "--- ", "? a", "|", ">\n  x", "'", '"', "#", ": ", "{kind: gru}", "{kind: [1]}"),
    *("models:/a@b", "public:", "public:nosuch/x", "{text}_{{", "%Q%", "(?P<", "Europe/Nowhere"),
)
"""Values that a parser, a number or a path may fail on."""


@st.composite
def mutated_files(draw: DrawFn) -> bytes:
    """An example with one to four mutations."""
    content = draw(st.sampled_from(FILES))
    for mutate in draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=4)):
        content = mutate(draw, content)
    return content


def _position(draw: DrawFn, content: bytes) -> int:
    return draw(st.integers(0, len(content)))


def _flip(draw: DrawFn, content: bytes) -> bytes:
    if not content:
        return content
    at = draw(st.integers(0, 8 * len(content) - 1))
    damaged = bytearray(content)
    damaged[at // 8] ^= 1 << at % 8
    return bytes(damaged)


def _truncate(draw: DrawFn, content: bytes) -> bytes:
    return content[: _position(draw, content)]


def _cut_out(draw: DrawFn, content: bytes) -> bytes:
    begin, end = sorted((_position(draw, content), _position(draw, content)))
    return content[:begin] + content[end:]


def _insert(draw: DrawFn, content: bytes) -> bytes:
    at = _position(draw, content)
    return content[:at] + draw(st.binary(max_size=20)) + content[at:]


def _splice(draw: DrawFn, content: bytes) -> bytes:
    other = draw(st.sampled_from(FILES))
    return content[: _position(draw, content)] + other[_position(draw, other) :]


def _double_lines(draw: DrawFn, content: bytes) -> bytes:
    lines = content.split(b"\n")
    first = draw(st.integers(0, len(lines) - 1))
    last = draw(st.integers(first, len(lines)))
    return b"\n".join(lines[:last] + lines[first:])


def _change_value(draw: DrawFn, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at = draw(st.integers(0, len(lines) - 1))
    key, colon, _ = lines[at].partition(b":")
    lines[at] = key + colon + b" " + draw(st.sampled_from(VALUES)).encode()
    return b"\n".join(lines)


def _change_key(draw: DrawFn, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at = draw(st.integers(0, len(lines) - 1))
    _, colon, value = lines[at].partition(b":")
    lines[at] = draw(st.sampled_from((*VALUES, *KEYS))).encode() + colon + value
    return b"\n".join(lines)


MUTATIONS: tuple[Callable[[DrawFn, bytes], bytes], ...] = (
    *(_flip, _truncate, _cut_out, _insert, _splice, _double_lines, _change_value, _change_key),
)


@st.composite
def overrides(draw: DrawFn) -> str:
    """A text for --set: a key that is there, nearly there or none, and a value or any text."""
    key = draw(st.sampled_from(KEYS))
    if draw(st.booleans()):
        at = draw(st.integers(0, len(key)))
        more = draw(st.sampled_from((".", ".kind", "..", "x", " ", ".low", "=", "\x1b", "0", "")))
        key = key[:at] + more + key[at + draw(st.integers(0, 3)) :]
    any_text = st.text(st.characters(exclude_categories=()), max_size=30)
    value = draw(st.sampled_from(VALUES) | any_text)
    return draw(st.sampled_from((f"{key}={value}", f"variants.a.{key}={value}", key, value)))


def loaded_or_refused(file: Path, *changes: str) -> None:
    """Load params; what is loaded is written, hashed and loaded again."""
    try:
        experiment = load(file, changes)
    except InputError as error:
        message = str(error)
        assert 0 < len(message) <= MAX_MESSAGE
        assert len(message.splitlines()) == 1
        assert HIDDEN.search(message) is None
        return
    assert isinstance(experiment, Experiment)
    file.write_text(dump(experiment), encoding="utf-8")
    assert load(file) == experiment
    sha256_json(hashed_params(experiment))
    flatten(experiment)


def mutations(count: int) -> settings:
    """Settings for a number of mutations; the same ones each time where they are few."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(
        max_examples=count,
        deadline=LIMIT,
        derandomize=count == FEW,
        database=None,
        suppress_health_check=checks,
    )


@mutations(FEW)
@given(content=mutated_files())
def test_a_mutated_params_file_is_loaded_or_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(content)
    loaded_or_refused(file)


@mutations(FEW)
@given(content=st.sampled_from(FILES), changes=st.lists(overrides(), min_size=1, max_size=3))
def test_a_mutated_override_is_applied_or_refused(
    tmp_path: Path, content: bytes, changes: list[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(content)
    loaded_or_refused(file, *changes)


@pytest.mark.parametrize("number", range(len(VALUES)))
def test_every_bad_value_at_some_keys_is_loaded_or_refused(tmp_path: Path, number: int) -> None:
    _at_keys(tmp_path / "a.yaml", VALUES[number], KEYS[number % SHARE :: SHARE])


@pytest.mark.faults
@pytest.mark.parametrize("number", range(len(VALUES)))
def test_every_bad_value_at_every_key(tmp_path: Path, number: int) -> None:
    _at_keys(tmp_path / "a.yaml", VALUES[number], KEYS)


def _at_keys(file: Path, value: str, keys: list[str]) -> None:
    for at, key in enumerate(keys):
        file.write_bytes(FILES[at % len(FILES)])
        loaded_or_refused(file, f"{key}={value}")


@pytest.mark.faults
@mutations(MANY)
@given(content=mutated_files())
def test_many_mutated_params_files(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(content)
    loaded_or_refused(file)


@pytest.mark.faults
@mutations(MANY)
@given(content=st.sampled_from(FILES), changes=st.lists(overrides(), min_size=1, max_size=3))
def test_many_mutated_overrides(tmp_path: Path, content: bytes, changes: list[str]) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(content)
    loaded_or_refused(file, *changes)
