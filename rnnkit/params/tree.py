"""Strict YAML reader: plain values, and the line of each key."""

import difflib
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rnnkit.errors import InputError
from rnnkit.runtime.disk import user_path

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"
MAX_DIGITS = 18  # of a whole number: it fits in 64 bits
FLOAT = re.compile(r"^[-+]?\d+(?:\.\d*)?[eE][-+]?\d+$|^[-+]?\d*\.\d+(?:[eE][-+]?\d+)?$")
_WHOLE = re.compile(r"^[-+]?(?:0|[1-9]\d*)$")

Keys = tuple[str, ...]
ENDINGS = (".yaml", ".yml")
"""Endings of params files; what has another one and is no params file may be data."""
DATA = (
    *(".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet", ".pq", ".conll", ".conllu", ".bio"),
    *(".iob", ".ts", ".wav", ".zip", ".gz"),
)
"""Endings of data, which are no params files."""


class _NotPlain(yaml.MarkedYAMLError):
    """Valid YAML, but not only plain values."""


class StrictLoader(yaml.SafeLoader):
    """A loader that refuses aliases, tags and deep nesting."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            problem = "aliases are not read; write the value out"
        elif event.tag is not None:
            problem = f"only plain values are allowed, got the tag {event.tag}"
        elif self.depth > MAX_DEPTH:
            problem = TOO_DEEP
        else:
            self.depth += 1
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node
        raise _NotPlain(None, None, problem, event.start_mark)


@dataclass
class Tree:
    """A YAML document as plain values, and the line of each key."""

    file: str
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def place(self, path: Keys) -> str:
        """Place of a key; if it is missing, of a key inside it or of its block."""
        name = ".".join(path)  # a key of tune.search contains dots
        inside = [place for known, place in self.places.items() if known.startswith(f"{name}.")]
        if name not in self.places and inside:
            return inside[0]
        while name and name not in self.places:
            name = name.rpartition(".")[0]
        return self.places.get(name, self.file)


def read(file: Path, instead: str = "begin with: rnnkit new demo") -> Tree:
    """Read a file of `key: value` lines.

    Args:
        file: YAML, as UTF-8.
        instead: advice in the message for an empty file.

    Raises:
        InputError: it cannot be read, or has other than plain values; the message has the line.
    """
    if file.name.lower().endswith(DATA) and user_path(str(file)).exists():
        raise InputError(f"{file}: is a file of data and no params file; {_write_params(file)}")
    if not file.name.lower().endswith(ENDINGS):
        instead = _write_params(file) + " where it is data"
    node = _compose(file, _content(file, instead), instead)
    if node is None:
        raise InputError(f"{file}: is empty; {instead}")
    if not isinstance(node, yaml.MappingNode):
        raise InputError(f"{file}: must hold `key: value` lines; {instead}")
    tree = Tree(str(file))
    tree.values = plain(node, (), tree, lambda at: f"{file}:{at.start_mark.line + 1}")
    return tree


def _write_params(path: Path) -> str:
    return f"write one for it with: rnnkit new {shlex.quote(str(path))}"


def _content(file: Path, instead: str) -> str:
    if (file := user_path(str(file))).is_dir():
        raise InputError(
            f"{file}: is a folder; give the params file in it, or {_write_params(file)} where it "
            "holds data"
        )
    if not file.exists():
        near = difflib.get_close_matches(
            file.name, [p.name for p in file.parent.glob("*.y*ml")], n=1, cutoff=0.5
        )
        hint = f"; did you mean {file.parent / near[0]}?" if near else ""
        raise InputError(f"{file}: there is no such file{hint}")
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise InputError(f"{file}: may have at most {MAX_BYTES:,} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        fix = "save it as UTF-8" if file.name.lower().endswith(ENDINGS) else instead
        raise InputError(f"{file}:{number}: is not UTF-8; {fix}") from None


def _compose(file: Path, content: str, instead: str) -> yaml.Node | None:
    try:
        return yaml.compose(content, Loader=StrictLoader)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        problem = f"is not YAML: {error.problem}"
        if isinstance(error, _NotPlain):
            problem = str(error.problem)
        elif isinstance(error, yaml.composer.ComposerError):
            problem = "a second document begins; one file holds one"
        if not file.name.lower().endswith(ENDINGS):
            problem = f"{problem}; {instead}"
        raise InputError(f"{file}{line}: {problem}") from None
    except yaml.reader.ReaderError as error:
        raise InputError(
            f"{file}: is not YAML: it holds the character U+{error.character:04X}"
        ) from None
    except (ValueError, OverflowError):  # PyYAML converts some numbers unchecked
        raise InputError(f"{file}: is not YAML: a number or an escape in it is too large") from None


def plain(node: yaml.Node, path: Keys, tree: Tree, at: Any) -> Any:
    """A YAML node as a plain value; records the place of each key in the tree."""
    if len(path) > MAX_DEPTH:
        raise InputError(f"{at(node)}: {TOO_DEEP}")
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag.endswith(":merge"):
                raise InputError(f"{at(key_node)}: a key must be a plain word")
            key = _text(key_node, at)
            if key in mapping:
                where = tree.place((*path, key))
                raise InputError(f"{at(key_node)}: {key} stands twice, first at {where}")
            tree.places[".".join((*path, key))] = at(key_node)
            mapping[key] = plain(value_node, (*path, key), tree, at)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [plain(item, (*path, str(i)), tree, at) for i, item in enumerate(node.value)]
    return _scalar(node, at)


def _text(node: yaml.ScalarNode, at: Any) -> str:
    """The text of a scalar; two escapes of one character beyond U+FFFF, as in JSON, are joined."""
    try:
        return str(node.value).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise InputError(
            f"{at(node)}: holds half of a surrogate pair, {node.value!r}; write the whole one"
        ) from None


def _scalar(node: Any, at: Any) -> Any:
    kind = node.tag.rpartition(":")[2]
    text = _text(node, at)
    if node.style is not None or kind == "timestamp":
        return text
    if kind == "str":
        return float(text) if FLOAT.match(text) else text
    if (kind == "int" and not _WHOLE.match(text)) or (kind == "float" and set(text) & set("_:")):
        raise InputError(f"{at(node)}: {text} is ambiguous; write a plain number or quote it")
    if kind == "int":
        if len(text.lstrip("+-")) > MAX_DIGITS:
            raise InputError(f"{at(node)}: a whole number may have at most {MAX_DIGITS} digits")
        return int(text)
    if kind in ("null", "bool", "float"):
        return yaml.SafeLoader("").construct_object(node)
    return text  # `=` and `<<`, which are special in YAML 1.1
