"""Built-in sources from the standard library's source files, read without importing them."""

from __future__ import annotations

import ast
import builtins
import hashlib
import io
import keyword
import sysconfig
import token
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rnnkit.errors import InputError
from rnnkit.runtime.files import sha256_named

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(sysconfig.get_path("stdlib"))


def _contents(paths: list[Path]) -> list[tuple[str, bytes]]:
    """(path inside the library, bytes) of each file.

    Raises:
        InputError: this Python has no source files.
    """
    needed = "the standard library's source files are needed, but"
    advice = "use a Python that comes with them or a source of your own"
    if not paths:
        raise InputError(f"{FOLDER}: {needed} there are none; {advice}")
    try:
        return [(path.relative_to(FOLDER).as_posix(), path.read_bytes()) for path in paths]
    except OSError as error:
        raise InputError(f"{error.filename}: {needed} {error}; {advice}") from None


def fingerprint(paths: list[Path]) -> str:
    """SHA-256 of the files' names and bytes."""
    return sha256_named(_contents(paths))


# --- python_docs: the language reference

TOPICS = FOLDER / "pydoc_data" / "topics.py"


def read_docs() -> pd.DataFrame:
    """The column text, one item per topic of `pydoc_data.topics`, sorted by topic name."""
    import pandas as pd

    [(_, source)] = _contents([TOPICS])
    # The module is one assignment of a literal, so its code need not run.
    [assignment] = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    topics = ast.literal_eval(assignment.value)
    return pd.DataFrame({"text": [topics[name].strip("\n") for name in sorted(topics)]})


# --- python_docstrings: the summary of a docstring -> its module, one of 20

# Those with the most docstrings in every Python from 3.11 on, without turtle, tkinter, idlelib and
# tests, which some systems lack. Some have several files, which differ between Python versions.
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


def docstring_files() -> list[tuple[str, Path]]:
    """(module, file), sorted by name."""
    pairs = []
    for module, names in MODULES.items():
        for name in names:
            path = FOLDER / name
            inside = sorted(path.rglob("*.py")) if path.is_dir() else [path]
            pairs += [
                (module, file)
                for file in inside
                if file.is_file() and not TESTS & set(file.relative_to(path).parts)
            ]
    return pairs


def read_docstrings() -> pd.DataFrame:
    """Columns text (the docstring's first paragraph in one line) and label (the module's name).

    Drops duplicates within a module, and texts of several modules ("Return repr(self).").
    """
    import pandas as pd

    files = docstring_files()
    contents = _contents([path for _, path in files])
    modules_of: defaultdict[str, set[str]] = defaultdict(set)
    for (module, _), (_, source) in zip(files, contents, strict=True):
        for summary in summaries(source):
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


# --- python_tokens: characters tagged with the class of their token

MIN_BYTES = 1_000_000  # of source
MAX_CHARACTERS = 200  # per item
# After Python 3.11: PEP 594, PEP 632 and asyncore.
REMOVED = frozenset(
    {"aifc", "asynchat", "asyncore", "cgi", "cgitb", "chunk", "crypt", "imghdr", "imp", "mailcap"}
    | {"msilib", "nntplib", "pipes", "smtpd", "sndhdr", "sunau", "telnetlib", "uu", "xdrlib"}
)
OPENING = frozenset({"def", "class"})  # followed by the defined name
BUILTINS = frozenset(dir(builtins))


def token_files() -> list[Path]:
    """About 1 MB of public top-level modules, in order of the hash of their names.

    Without those removed after Python 3.11: Python versions read nearly the same modules.
    """
    candidates = [
        path
        for path in FOLDER.glob("[!_]*.py")  # generated files begin with an underscore
        if path.stem not in REMOVED
    ]
    candidates.sort(key=lambda path: hashlib.sha256(path.name.encode()).hexdigest())
    chosen, size = [], 0
    for path in candidates:
        if size >= MIN_BYTES:
            break
        chosen.append(path)
        size += path.stat().st_size
    return chosen


def read_tokens() -> pd.DataFrame:
    """Columns tokens (characters), tags (classes) and group (the file's name).

    Modules are tokenized before they are cut into items.
    """
    import pandas as pd

    rows = []
    for name, _ in _contents(token_files()):
        with tokenize.open(FOLDER / name) as file:
            text = file.read()
        tags = classes(text)
        for start in range(0, len(text), MAX_CHARACTERS):
            stop = start + MAX_CHARACTERS
            rows.append((list(text[start:stop]), tags[start:stop], name))
    return pd.DataFrame(rows, columns=["tokens", "tags", "group"])


def classes(text: str) -> list[str]:
    """Class of each character of a Python source text.

    f-strings count as string, because Python 3.12 splits them.

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
