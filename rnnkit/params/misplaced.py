"""Where a key belongs that stands in another block: every block of the params is searched."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from rnnkit.params.blocks import blocks_of, kind_of
from rnnkit.params.unchecked import UncheckedExperiment

Keys = tuple[str, ...]
NEAR = 0.8
"""Likeness from which on a key of any block may be meant."""


def place_of(path: Keys, values: Any) -> Keys | None:
    """The path where the last key of a path belongs, the nearest block first; None: nowhere.

    >>> place_of(("encoding",), {"data": {"source": {"kind": "text"}}})
    ('data', 'source', 'encoding')
    >>> place_of(("data", "tokenizer", "joint"), {})
    ('data', 'joint')

    Args:
        values: of the params file; they say the kinds of the blocks.
    """
    *above, key = path
    fits = [place for place in _places(UncheckedExperiment, values, ()) if place[-1] == key]

    def distance(place: Keys) -> tuple[int, int]:
        shared = 0
        while shared < min(len(above), len(place) - 1) and above[shared] == place[shared]:
            shared += 1
        return len(above) - shared + len(place) - 1 - shared, len(place)

    return min(fits, key=distance, default=None)


def instead(path: str, values: Any) -> str:
    """What to write in place of an unknown key of a search or a variant, as the end of a message.

    >>> instead("model.learning_rate", {})
    '; write train.optimizer.learning_rate'
    >>> instead("train.clp", {})
    '; did you mean train.clip?'
    >>> instead("model.nothing", {})
    ''
    """
    keys = tuple(path.split("."))
    if (place := place_of(keys, values)) is not None:
        return f"; write {'.'.join(place)}"
    names = [place[-1] for place in all_places(values)]
    near = difflib.get_close_matches(keys[-1], names, n=1, cutoff=NEAR)
    place = place_of((*keys[:-1], near[0]), values) if near else None
    return f"; did you mean {'.'.join(place)}?" if place else ""


def all_places(values: Any) -> list[Keys]:
    """The path of every key that the params may have, with the kinds of the blocks as they are."""
    return list(_places(UncheckedExperiment, values, ()))


def _places(block: type[BaseModel], values: Any, above: Keys) -> Iterator[Keys]:
    given = values if isinstance(values, Mapping) else {}
    for key, field in block.model_fields.items():
        if key == "kind":
            continue
        yield (*above, key)
        inner = blocks_of(field.annotation)
        if any("kind" in candidate.model_fields for candidate in inner):
            default = field.get_default(call_default_factory=True)
            kind = given[key].get("kind") if isinstance(given.get(key), Mapping) else None
            kind = kind or getattr(default, "kind", None)
            inner = [candidate for candidate in inner if kind_of(candidate) == kind]
        if len(inner) == 1:
            yield from _places(inner[0], given.get(key), (*above, key))
