"""Reserved names: planned keys and values, refused until they are implemented."""

from collections.abc import Mapping
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
        if _has(tree, keys := tuple(path.split("."))):
            return keys, f"is reserved for {purpose}, which is not there yet; leave it out"
    for path, values in VALUES.items():
        if _has(tree, keys := tuple(path.split("."))):
            value = _get(tree, keys)
            if isinstance(value, str) and value in values:
                return keys, f"{value!r} is reserved and not there yet"
    return None


def _get(tree: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        tree = tree[key]
    return tree


def _has(tree: Any, keys: tuple[str, ...]) -> bool:
    for key in keys:
        if not isinstance(tree, Mapping) or key not in tree:
            return False
        tree = tree[key]
    return True
