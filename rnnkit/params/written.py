"""A params file as a person writes it: short blocks in one line, comments beside the values."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from rnnkit.params.load import Dumper

COMMENT_COLUMN = 36
"""Where a comment begins, if its line is no longer."""
MAX_WIDTH = 84
"""Characters of a block in one line; longer ones have a line for each key."""
SCHEMA = "# yaml-language-server: $schema="
"""Comment that names the JSON schema to editors, an address from the file's own place."""


def written(
    values: Mapping[str, Any], head: Sequence[str] = (), remarks: Mapping[str, str] | None = None
) -> str:
    """A params file.

    Args:
        values: the tree.
        head: comment lines above it, without `#`.
        remarks: params path -> comment beside the value, or above its block.

    >>> print(written({"name": "a", "task": {"kind": "music"}}, ["Mine."], {"task": "why"}), end="")
    # Mine.
    name: a
    task: {kind: music}                 # why
    """
    comments = [line if line.startswith("#") else f"# {line}" for line in head]
    return "\n".join([*comments, *_lines(values, "", 0, remarks or {})]) + "\n"


def _lines(
    block: Mapping[str, Any], above: str, depth: int, remarks: Mapping[str, str]
) -> Iterator[str]:
    for key, value in block.items():
        path = f"{above}{key}"
        indent = "  " * depth
        line = f"{indent}{flow(key)}: {flow(value)}"
        inside = any(name.startswith(f"{path}.") for name in remarks)
        if (
            isinstance(value, Mapping)
            and value
            and (inside or len(line) > MAX_WIDTH or (not depth and "kind" not in value))
        ):
            yield _commented(f"{indent}{flow(key)}:", remarks.get(path))
            yield from _lines(value, f"{path}.", depth + 1, remarks)
        else:
            yield _commented(line, remarks.get(path))


def _commented(line: str, remark: str | None) -> str:
    return line if not remark else f"{line:<{COMMENT_COLUMN - 1}} # {' '.join(remark.split())}"


def flow(value: Any) -> str:
    """A value in one line of YAML that `rnnkit.params.load` reads back.

    >>> flow({"separator": ";", "missing": ["?", -200]}), flow("1e3")
    ("{separator: ;, missing: ['?', -200]}", "'1e3'")
    """
    text = yaml.dump(
        value,
        Dumper=Dumper,
        default_flow_style=True,
        width=10**9,
        allow_unicode=True,
        sort_keys=False,
    )
    return str(text).removesuffix("\n").removesuffix("\n...")
