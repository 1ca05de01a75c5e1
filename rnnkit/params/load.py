"""From a YAML file to an Experiment, strictly; and from what is wrong with it to one line."""

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rnnkit.errors import InputError
from rnnkit.params import reserved
from rnnkit.params.experiment import Experiment
from rnnkit.params.tune import Choices, Range

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
_FLOAT = re.compile(r"^[-+]?\d+(?:\.\d*)?[eE][-+]?\d+$|^[-+]?\d*\.\d+(?:[eE][-+]?\d+)?$")
_WHOLE = re.compile(r"^[-+]?(?:0|[1-9]\d*)$")

Path_ = tuple[str, ...]


class _NotPlain(yaml.MarkedYAMLError):
    """It is YAML, but more than plain values."""


class _Loader(yaml.SafeLoader):
    """Refuses what would make a file more than plain values: aliases and tags."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            problem = "aliases are not read; write the value out"
        elif event.tag is not None:
            problem = f"only plain values are allowed, got the tag {event.tag}"
        else:
            return super().compose_node(parent, index)
        raise _NotPlain(None, None, problem, event.start_mark)


class _Dumper(yaml.SafeDumper):
    """Quotes text that this module's reader would take for a number, as 1e3."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if _FLOAT.match(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


class _Tree:
    """A YAML document as plain values, and the line where each key stands."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.values: dict[str, Any] = {}
        self.places: dict[str, str] = {}

    def place(self, path: Path_) -> str:
        """Where a key stands; for a missing key, where its block does."""
        name = ".".join(path)  # a key of tune.search has dots in it
        while name and name not in self.places:
            name = name.rpartition(".")[0]
        return self.places.get(name, self.file)

    def note(self, path: Path_, place: str) -> None:
        self.places[".".join(path)] = place


def load(file: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """Reads an experiment.

    Args:
        file: a YAML file.
        overrides: `key=value` texts, as `model.cell.kind=gru`; the value is YAML.

    Raises:
        InputError: the file or an override is not a valid experiment; one line says why.
    """
    tree = _read(Path(file))
    for override in overrides:
        _set(tree, override)
    if found := reserved.find(tree.values):
        path, sentence = found
        raise InputError(f"{tree.place(path)}: {'.'.join(path)} {sentence}")
    try:
        return Experiment.model_validate(tree.values)
    except ValidationError as error:
        raise InputError(_one_line(error.errors(), tree)) from None


def dump(experiment: Experiment) -> str:
    """The resolved experiment as YAML: every value stands there, and `load` reads it back."""
    tree = experiment.model_dump(mode="json")
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _read(file: Path) -> _Tree:
    tree = _Tree(str(file))
    if file.is_dir():
        raise InputError(f"{file}: is a folder; give the params file in it")
    if not file.exists():
        near = difflib.get_close_matches(
            file.name, [p.name for p in file.parent.glob("*.y*ml")], n=1, cutoff=0.5
        )
        hint = f"; did you mean {file.parent / near[0]}?" if near else ""
        raise InputError(f"{file}: there is no such file{hint}")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise InputError(f"{file}: a params file has at most {MAX_BYTES:,} bytes")
    try:
        node = yaml.compose(content.decode("utf-8"), Loader=_Loader)
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        raise InputError(f"{file}:{number}: is not UTF-8; save it as UTF-8") from None
    except RecursionError:
        raise InputError(f"{file}: is nested deeper than {MAX_DEPTH} levels") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        problem = f"is not YAML: {error.problem}"
        if isinstance(error, _NotPlain):
            problem = str(error.problem)
        elif isinstance(error, yaml.composer.ComposerError):
            problem = "a second document begins; one file is one experiment"
        raise InputError(f"{file}{line}: {problem}") from None
    except yaml.reader.ReaderError as error:
        raise InputError(
            f"{file}: is not YAML: it holds the character U+{error.character:04X}"
        ) from None
    if node is None:
        raise InputError(f"{file}: is empty; begin with a copy of params/demo.yaml")
    if not isinstance(node, yaml.MappingNode):
        raise InputError(f"{file}: must hold `key: value` lines, as params/demo.yaml does")
    tree.values = _plain(node, (), tree, lambda at: f"{file}:{at.start_mark.line + 1}")
    return tree


def _plain(node: yaml.Node, path: Path_, tree: _Tree, at: Any) -> Any:
    """A YAML node as a plain value; each key's place is noted in the tree."""
    if len(path) > MAX_DEPTH:
        raise InputError(f"{at(node)}: is nested deeper than {MAX_DEPTH} levels")
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if (
                not isinstance(key_node, yaml.ScalarNode)
                or key_node.tag == "tag:yaml.org,2002:merge"
            ):
                raise InputError(f"{at(key_node)}: a key must be a plain word")
            if key in mapping:
                where = tree.place((*path, key))
                raise InputError(f"{at(key_node)}: {key} stands twice, first at {where}")
            tree.note((*path, key), at(key_node))
            mapping[key] = _plain(value_node, (*path, key), tree, at)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, str(i)), tree, at) for i, item in enumerate(node.value)]
    return _scalar(node, at)


def _scalar(node: Any, at: Any) -> Any:
    kind = node.tag.rpartition(":")[2]
    text: str = node.value
    if node.style is not None or kind == "timestamp":
        return text
    if kind == "str":
        return float(text) if _FLOAT.match(text) else text
    if (kind == "int" and not _WHOLE.match(text)) or (kind == "float" and set(text) & set("_:")):
        raise InputError(f"{at(node)}: {text} is ambiguous; write a plain number or quote it")
    if kind == "int":
        return int(text)
    if kind in ("null", "bool", "float"):
        return yaml.SafeLoader("").construct_object(node)
    return text  # `=` and `<<`, which YAML 1.1 has other plans for


def _set(tree: _Tree, override: str) -> None:
    name, equals, text = override.partition("=")
    here = f"--set {' '.join(override.split())}"
    path = _override_path(name.strip())
    if not equals or not all(path):
        raise InputError(f"{here}: write key=value, as train.clip=1.0")
    block = tree.values
    for key in path[:-1]:
        inner = block.get(key)
        if inner is None:
            inner = block[key] = {}
        if not isinstance(inner, dict):
            raise InputError(f"{here}: {key} is no block, it has no keys inside")
        block = inner
    try:
        node = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError):
        raise InputError(f"{here}: {text!r} is not a plain YAML value") from None
    value = _plain(node, path, tree, lambda _: here) if node else None
    if path[-1] == "kind" and block.get("kind") not in (None, value):
        block.clear()  # another kind has other keys: those of the old one go
    tree.note(path, here)
    block[path[-1]] = value


def _override_path(name: str) -> Path_:
    """The keys on the way to a value; below tune.search a key is a params path, dots and all."""
    path = tuple(name.split("."))
    if path[:2] != ("tune", "search") or len(path) < 4:
        return path
    own = path[-1] in {*Range.model_fields, *Choices.model_fields}
    searched, inside = (path[2:-1], path[-1:]) if own else (path[2:], ())
    return "tune", "search", ".".join(searched), *inside


def _one_line(errors: Sequence[ErrorDetails], tree: _Tree) -> str:
    """The first thing wrong; misspelt keys before what they cause (a missing key)."""
    ranks = {"extra_forbidden": 0, "missing": 2}
    error = min(errors, key=lambda e: ranks.get(e["type"], 1))
    path = _real_path(error["loc"], tree.values, missing=error["type"] == "missing")
    name = ".".join(path)
    here = [e for e in errors if _real_path(e["loc"], tree.values, e["type"] == "missing") == path]
    more = f" (and {len(errors) - len(here)} more)" if len(errors) > len(here) else ""
    if error["type"] == "extra_forbidden":
        known = _keys_at(path[:-1], tree.values)
        near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
        there = "there are" if len(known) > 1 else "there is only"
        hint = f"did you mean {near[0]!r}?" if near else f"{there} {', '.join(known)}"
        return f"{tree.place(path)}: {name}: unknown key; {hint}{more}"
    if error["type"] == "missing":
        return f"{tree.place(path)}: {name} is missing{more}"
    if error["type"] == "union_tag_invalid":
        tags = error["ctx"]["expected_tags"].replace("'", "").split(", ")
        got = error["ctx"]["tag"]
        near = difflib.get_close_matches(got, tags, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        kind = (*path, "kind")
        return (
            f"{tree.place(kind)}: {name}.kind must be one of {', '.join(tags)}, got {got!r}{hint}"
        )
    if error["type"] == "union_tag_not_found":
        return f"{tree.place(path)}: {name} needs a kind, as {name}: {{kind: ...}}{more}"
    if error["type"] == "value_error" and len(here) == 1:
        reason = str(error["ctx"]["error"])
        if not name:  # a rule between blocks: it names its own path
            return f"{tree.place(tuple(reason.split(':')[0].split('.')))}: {reason}"
        return f"{tree.place(path)}: {name}: {reason}{more}"
    got = repr(error["input"])
    got = got if len(got) <= 60 else f"{got[:57]}..."
    return f"{tree.place(path)}: {name} {_rules(here)}, got {got}{more}"


def _rules(errors: Sequence[ErrorDetails]) -> str:
    """What a value must be; where several forms are allowed, each of them says what it misses."""
    rules = dict.fromkeys(_rule(error).removeprefix("must be ") for error in errors)
    together = " or ".join(rules)
    return together if together.startswith("must ") else f"must be {together}"


def _rule(error: ErrorDetails) -> str:
    """What a value must be, in the words of a params file."""
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return "must be a block with keys of its own"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    rule = re.sub(r"^(Input|String|Dictionary|Tuple) should ", "must ", error["msg"])
    return re.sub(r" after validation, not \d+$", "", rule)


def _real_path(loc: Sequence[str | int], values: Any, missing: bool) -> Path_:
    """Pydantic's location without the names of union members that it puts in.

    A step that is not in the values is such a name, but for the last step of a missing key.
    """
    path: list[str] = []
    tagged = False  # a union's member is named once, after the key that holds it
    for i, step in enumerate(loc):
        last = i == len(loc) - 1
        if isinstance(values, Mapping):
            if not tagged and not last and step == values.get("kind"):
                tagged = True
                continue
            if step not in values and not (missing and last):
                continue
            values, tagged = values.get(step), False
        elif isinstance(values, list) and isinstance(step, int):
            values = values[step]
        else:
            continue
        path.append(str(step))
    return tuple(path)


def _keys_at(path: Path_, values: Any) -> list[str]:
    """The keys that a block allows."""
    blocks: list[type[BaseModel]] = [Experiment]
    for step in path:
        values = values.get(step, {})
        fields = [block.model_fields for block in blocks if step in block.model_fields]
        if fields:  # else the step is a free key of a mapping, whose values the blocks describe
            blocks = _blocks(fields[0][step].annotation)
        kind = values.get("kind") if isinstance(values, Mapping) else None
        blocks = [b for b in blocks if "kind" not in b.model_fields or _kind(b) == kind]
        if Choices in blocks and "choices" in values:
            blocks = [Choices]
    return [name for block in blocks for name in block.model_fields]


def _kind(block: type[BaseModel]) -> Any:
    return block.model_fields["kind"].get_default()


def _blocks(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [b for inner in getattr(annotation, "__args__", ()) for b in _blocks(inner)]
