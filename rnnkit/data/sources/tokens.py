"""Tokens with tags, as JSONL: two lists of equal length per line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnkit.data.sources import opening
from rnnkit.data.sources.tabular import read_objects
from rnnkit.errors import InputError, closest
from rnnkit.params.source import Tokens

if TYPE_CHECKING:
    import pandas as pd


def fingerprint(params: Tokens) -> str:
    """SHA-256 of the file."""
    return opening.fingerprint(params.path)


def read(params: Tokens, part: str | None) -> pd.DataFrame:
    """Columns tokens and tags (lists of str), and optional group and part.

    Args:
        params: the source's block.
        part: the key that says train, valid or test; None: the data do not say.

    Raises:
        InputError: an invalid file or line, a missing key, empty lists or lists of unequal length.
    """
    import pandas as pd

    keys = {"tokens": params.tokens, "tags": params.tags}
    if params.group is not None:
        keys["group"] = params.group
    if part is not None:
        keys["part"] = part
    columns: dict[str, list[Any]] = {name: [] for name in keys}
    for number, record in enumerate(read_objects(params.path, params.encoding), start=1):
        where = f"{params.path}, line {number}"
        for name, key in keys.items():
            if key not in record:
                raise InputError(
                    f"{where}: there is no key {key!r}{closest(key, list(record))}; "
                    f"the keys are {', '.join(record)}; name the right one in the params"
                )
            columns[name].append(record[key])
        _check(where, params, record[params.tokens], record[params.tags])
    return pd.DataFrame(columns)


def _check(where: str, params: Tokens, tokens: object, tags: object) -> None:
    for key, value in ((params.tokens, tokens), (params.tags, tags)):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise InputError(
                f"{where}: {key!r} must be a list of texts, but it is {str(value)[:40]!r}; "
                'write it as ["…", "…"]'
            )
    assert isinstance(tokens, list)
    assert isinstance(tags, list)
    if len(tokens) != len(tags):
        raise InputError(
            f"{where}: every token needs one tag, but there are {len(tokens)} tokens and "
            f"{len(tags)} tags; correct the line"
        )
    if not tokens:
        raise InputError(
            f"{where}: at least one token is needed, but the list is empty; leave the line out"
        )
