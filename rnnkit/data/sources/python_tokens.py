"""`python_tokens`: characters of the standard library's source, tagged with their token's class.

About 1 MB of the public top-level modules, in order of the hash of their names. Modules removed
after Python 3.11 are excluded, so that Python versions read nearly the same modules. Modules are
tokenized before they are cut. f-strings count as string, because Python 3.12 splits them.
"""

from __future__ import annotations

import builtins
import hashlib
import io
import keyword
import token
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

from rnnkit.data.sources import standard_library
from rnnkit.params.source import Builtin
from rnnkit.runtime.files import sha256_named

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTION = (
    "tagging: characters of the standard library's source -> class of their token; "
    "about 1 MB of its top-level modules, grouped by file"
)
MIN_BYTES = 1_000_000  # of source
MAX_CHARACTERS = 200  # per item
# After Python 3.11: PEP 594, PEP 632 and asyncore.
REMOVED = frozenset(
    {"aifc", "asynchat", "asyncore", "cgi", "cgitb", "chunk", "crypt", "imghdr", "imp", "mailcap"}
    | {"msilib", "nntplib", "pipes", "smtpd", "sndhdr", "sunau", "telnetlib", "uu", "xdrlib"}
)
OPENING = frozenset({"def", "class"})  # followed by the defined name
BUILTINS = frozenset(dir(builtins))


def modules() -> list[Path]:
    """The modules to read, in order of the hash of their names."""
    candidates = [
        path
        for path in standard_library.FOLDER.glob("[!_]*.py")
        if path.stem not in REMOVED  # generated files begin with an underscore
    ]
    candidates.sort(key=lambda path: hashlib.sha256(path.name.encode()).hexdigest())
    chosen, size = [], 0
    for path in candidates:
        if size >= MIN_BYTES:
            break
        chosen.append(path)
        size += path.stat().st_size
    return standard_library.require(chosen, "python_tokens")


def fingerprint(params: Builtin) -> str:
    """SHA-256 of the modules' names and bytes."""
    return sha256_named(standard_library.contents(modules()))


def read(params: Builtin) -> pd.DataFrame:
    """Columns tokens (characters), tags (classes) and group (the file's name)."""
    import pandas as pd

    rows = []
    for path in modules():
        with tokenize.open(path) as file:
            text = file.read()
        tags = classes(text)
        for start in range(0, len(text), MAX_CHARACTERS):
            stop = start + MAX_CHARACTERS
            rows.append((list(text[start:stop]), tags[start:stop], path.name))
    return pd.DataFrame(rows, columns=["tokens", "tags", "group"])


def classes(text: str) -> list[str]:
    """Class of each character of a Python source text.

    >>> classes("if x:")
    ['keyword', 'keyword', 'space', 'name', 'operator']
    """
    offsets = [0]
    for line in io.StringIO(text):
        offsets.append(offsets[-1] + len(line))
    tags = ["space"] * len(text)
    previous, inside_since, depth = "", 0, 0
    for item in tokenize.generate_tokens(io.StringIO(text).readline):
        start = offsets[item.start[0] - 1] + item.start[1]
        stop = min(offsets[min(item.end[0], len(offsets)) - 1] + item.end[1], len(text))
        kind = token.tok_name[item.type]
        if kind in ("FSTRING_START", "TSTRING_START"):
            inside_since = start if depth == 0 else inside_since
            depth += 1
        elif kind in ("FSTRING_END", "TSTRING_END"):
            depth -= 1
            if depth == 0:
                tags[inside_since:stop] = ["string"] * (stop - inside_since)
        elif depth == 0 and (name := _class_of(item, previous)):
            tags[start:stop] = [name] * (stop - start)
        if kind not in ("NL", "COMMENT"):
            previous = item.string
    return tags


def _class_of(item: tokenize.TokenInfo, previous: str) -> str:
    """Class of a token; empty for line ends and indents, which are space."""
    if item.type == token.NAME:
        if keyword.iskeyword(item.string):
            return "keyword"
        if previous in OPENING:
            return "definition"
        return "builtin" if item.string in BUILTINS and previous != "." else "name"
    simple = {
        token.STRING: "string",
        token.NUMBER: "number",
        token.OP: "operator",
        tokenize.COMMENT: "comment",
    }
    return simple.get(item.type, "")
