"""Reserved names: planned keys and values, refused until they are implemented."""

from collections.abc import Mapping, Sequence
from typing import Any

KEYS: Mapping[str, str] = {
    "ablate": "experiments that break what is right",
}
"""Params path -> its purpose."""

VALUES: Mapping[str, tuple[str, ...]] = {
    "model.readout": ("attention",),
}
"""Params path -> planned values."""


def find(tree: Mapping[str, Any]) -> tuple[tuple[str, ...], str] | None:
    """First reserved name in a params tree: its path and an error message."""
    for path, purpose in KEYS.items():
        if _value(tree, keys := path.split(".")) is not _ABSENT:
            return tuple(keys), f"is reserved for {purpose}, which is not there yet; leave it out"
    for path, values in VALUES.items():
        if (value := _value(tree, keys := path.split("."))) in values:
            return tuple(keys), f"{value!r} is reserved and not there yet"
    return None


_ABSENT = object()


def _value(tree: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        tree = tree.get(key, _ABSENT) if isinstance(tree, Mapping) else _ABSENT
    return tree
