"""Params that the tests of comparisons vary."""

from typing import Any

TEXT = {"kind": "builtin", "name": "python_docs"}
TREE: dict[str, Any] = {
    "name": "x",
    "task": {"kind": "tagging"},
    "data": {
        "source": {"kind": "builtin", "name": "python_tokens"},
        "tokenizer": {"kind": "characters"},
    },
}
