"""Reserved names: planned keys and values, refused until they are implemented."""

from collections.abc import Iterator, Mapping
from typing import Any

KEYS: Mapping[str, str] = {
    "ablate": "experiments that break what is right",
}
"""Params path -> its purpose."""

VALUES: Mapping[str, tuple[str, ...]] = {
    "model.readout": ("attention",),
}
"""Params path -> planned values."""


def find(tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Reserved names in a params tree: path and error message."""
    for path, purpose in KEYS.items():
        if _value(tree, path) is not _ABSENT:
            yield path, f"is reserved for {purpose}, which is not there yet; leave it out"
    for path, values in VALUES.items():
        if (value := _value(tree, path)) in values:
            yield path, f"{value!r} is reserved and not there yet"


_ABSENT = object()


def _value(tree: Any, path: str) -> Any:
    for key in path.split("."):
        tree = tree.get(key, _ABSENT) if isinstance(tree, Mapping) else _ABSENT
    return tree
