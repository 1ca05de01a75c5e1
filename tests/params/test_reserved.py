"""Reserved keys and values."""

from typing import Any

import pytest
from refused_params import TAGGING, Write, refusal

from rnnkit.params import Experiment, reserved
from rnnkit.params.blocks import blocks_of


def nested(path: str, value: Any) -> dict[str, Any]:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def possible(path: str) -> list[Any]:
    """The annotations at a params path in any kind of its blocks; nothing where no block has it."""
    blocks: list[type[Any]] = [Experiment]
    *above, last = path.split(".")
    for key in above:
        blocks = [
            inner
            for block in blocks
            if key in block.model_fields
            for inner in blocks_of(block.model_fields[key].annotation)
        ]
    return [b.model_fields[last].annotation for b in blocks if last in b.model_fields]


def literals(annotation: Any) -> set[str]:
    splits = getattr(annotation, "__args__", ())
    return {p for p in splits if isinstance(p, str)}.union(*map(literals, splits))


@pytest.mark.parametrize("path", reserved.KEYS)
def test_a_reserved_key_is_refused(write: Write, path: str) -> None:
    message = refusal(write(TAGGING), f"{path}=1")
    assert path in message
    assert message.endswith(
        f"is reserved for {reserved.KEYS[path]}, which is not there yet; leave it out"
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [(path, value) for path, values in reserved.VALUES.items() for value in values],
)
def test_a_reserved_value_is_refused(write: Write, path: str, value: str) -> None:
    message = refusal(write(TAGGING), f"{path}={value}")
    assert message.endswith(f"{path} {value!r} is reserved and not there yet")


def test_what_is_built_is_reserved_no_longer() -> None:
    assert possible("model.cell.activation")  # the look-up does find what is there
    assert "lstm" in set().union(*map(literals, possible("model.cell.kind")))
    assert [path for path in reserved.KEYS if possible(path)] == []
    for path, values in reserved.VALUES.items():
        known = set().union(*map(literals, possible(path)))
        assert known & set(values) == set(), f"{path} takes these by now: out of VALUES with them"
