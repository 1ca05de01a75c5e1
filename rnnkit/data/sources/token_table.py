"""Tokens with tags from a table with a row for every token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnkit.data.sources.frames import only
from rnnkit.data.sources.tabular import TableFile, refuse_blank
from rnnkit.errors import InputError
from rnnkit.params.source import TokenTable

if TYPE_CHECKING:
    import pandas as pd


def read(params: TokenTable, split: str | None) -> pd.DataFrame:
    """Columns tokens and tags (lists of str), and optional group and part, one row per sentence."""
    import pandas as pd

    file = TableFile(params, "csv")
    columns = file.chosen(split, "token", "tag", "sentence", "group")
    for field in ("token", "tag"):
        refuse_blank(columns[field], file.at)
    names = columns["sentence"]
    names = names.mask(names.astype(str).str.strip() == "")
    if names.isna().iloc[0]:
        raise InputError(
            f"{file.at(0)}: the first row must say to which sentence it belongs, but column "
            f"{params.sentence!r} is empty; fill it in"
        )
    if continued := int(names.isna().sum()):
        note = f"{continued:,} rows without {params.sentence!r} belong to the sentence above"
        file.notes.append(note)
    names = names.ffill()
    run = (names != names.shift()).cumsum()
    begins = names[~run.duplicated()]
    if begins.duplicated().any():
        row = int(begins.index[begins.duplicated()][0])
        raise InputError(
            f"{file.at(row)}: the rows of a sentence must follow one another, but "
            f"{str(names.iloc[row])!r} begins again; sort the rows, or name each sentence "
            "otherwise"
        )
    content: dict[str, list[Any]] = {
        f"{field}s": [cells.tolist() for _, cells in columns[field].groupby(run)]
        for field in ("token", "tag")
    }
    for field in ("group", "part"):
        if field in columns:
            content[field] = [
                only(cells, params.path, names[cells.index[0]], field)
                for _, cells in columns[field].groupby(run)
            ]
    frame = pd.DataFrame(content)
    frame.attrs["notes"] = file.notes
    return frame
