"""`python_docstrings`: the summary of a docstring -> its module, one of 20.

The modules are those with the most docstrings in every Python from 3.11 on, read with `ast` and not
imported. turtle, tkinter, idlelib and tests are excluded, because some systems lack them. The
summary is the docstring's first paragraph in one line. Duplicates within a module are dropped, and
so are texts of several modules ("Return repr(self).").
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rnnkit.data.sources import standard_library
from rnnkit.params.source import Builtin
from rnnkit.runtime.files import sha256_named

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTION = (
    "classification: the summary of a docstring of the standard library -> its module, one of 20; "
    "about 3,000 texts"
)
# Some modules have several files, which differ between Python versions.
MODULES = {
    "asyncio": ("asyncio",),
    "datetime": ("datetime.py", "_pydatetime.py"),
    "decimal": ("decimal.py", "_pydecimal.py"),
    "email": ("email",),
    "encodings": ("encodings",),
    "http": ("http",),
    "importlib": ("importlib",),
    "inspect": ("inspect.py",),
    "io": ("io.py", "_pyio.py"),
    "ipaddress": ("ipaddress.py",),
    "logging": ("logging",),
    "mailbox": ("mailbox.py",),
    "multiprocessing": ("multiprocessing",),
    "pathlib": ("pathlib.py", "pathlib"),
    "pydoc": ("pydoc.py",),
    "tarfile": ("tarfile.py",),
    "typing": ("typing.py",),
    "unittest": ("unittest",),
    "urllib": ("urllib",),
    "xml": ("xml",),
}
TESTS = frozenset({"test", "tests"})


def files() -> list[tuple[str, Path]]:
    """(module, file), sorted by name."""
    pairs = []
    for module, names in MODULES.items():
        for name in names:
            path = standard_library.FOLDER / name
            inside = sorted(path.rglob("*.py")) if path.is_dir() else [path]
            pairs += [
                (module, file)
                for file in inside
                if file.is_file() and not TESTS & set(file.relative_to(path).parts)
            ]
    standard_library.require([path for _, path in pairs], "python_docstrings")
    return pairs


def fingerprint(params: Builtin) -> str:
    """SHA-256 of the files' names and bytes."""
    return sha256_named(standard_library.contents([path for _, path in files()]))


def read(params: Builtin) -> pd.DataFrame:
    """Columns text and label (the module's name)."""
    import pandas as pd

    modules_of: defaultdict[str, set[str]] = defaultdict(set)
    for module, path in files():
        for summary in summaries(path.read_bytes()):
            modules_of[summary].add(module)
    rows = [(text, *modules) for text, modules in modules_of.items() if len(modules) == 1]
    return pd.DataFrame(rows, columns=["text", "label"])


def summaries(source: bytes) -> Iterator[str]:
    """The first paragraph of every docstring, in one line.

    >>> list(summaries(b'def f():' + bytes([10]) + b'  "One   thing."'))
    ['One thing.']
    """
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and (docstring := ast.get_docstring(node)):
            summary = " ".join(docstring.strip().split("\n\n")[0].split())
            if summary:
                yield summary
