"""Load an Experiment from a YAML file and overrides, change it, and dump it."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from rnnkit.errors import InputError
from rnnkit.params import reserved
from rnnkit.params.block import FrozenDict, spelled_out
from rnnkit.params.blocks import blocks_of
from rnnkit.params.experiment import Experiment
from rnnkit.params.refusal import one_line
from rnnkit.params.tree import FLOAT, MAX_DEPTH, TOO_DEEP, Keys, StrictLoader, Tree, plain, read
from rnnkit.params.tune import Choices, Percentiles, Range

Changes = Mapping[str, Any]
"""Params path -> value."""
NO_CHANGES: Changes = FrozenDict()


class Dumper(yaml.SafeDumper):
    """Quotes text that the loader would read as a number, such as 1e3."""


Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, "'" if FLOAT.match(text) else None
    ),
)


def load(
    file: str | Path, overrides: Sequence[str] = (), changes: Changes = NO_CHANGES
) -> Experiment:
    """Load an experiment.

    Args:
        file: a YAML file.
        overrides: `key=value` texts, such as `model.cell.kind=gru`; the value is YAML.
        changes: overrides as params path -> value.

    Raises:
        InputError: the file, an override or a change is not valid; one line says why.
    """
    tree = read(Path(file))
    for override in sorted(overrides, key=lambda text: _is_later(text.partition("=")[0].strip())):
        _set(tree, override)
    return _experiment(tree, changes)


def build(params: Mapping[str, Any], changes: Changes = NO_CHANGES) -> Experiment:
    """An experiment from a dict of the same form as a params file; arguments as in `load`.

    >>> build({"name": "a", "task": {"kind": "forecasting"}, "data": {"sorce": 1}})
    Traceback (most recent call last):
    rnnkit.errors.InputError: params: data.sorce: unknown key; did you mean 'source'? (and 1 more)
    """
    return _experiment(Tree("params", _plain(params)), changes)


def _plain(value: Any) -> Any:
    """A value of Python as YAML would give it: paths as texts, tuples as lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


def changes_of(overrides: Sequence[str]) -> dict[str, Any]:
    """Params path -> value of `key=value` texts.

    >>> changes_of(["model.hidden=3", "train.clip=null"])
    {'model.hidden': 3, 'train.clip': None}

    Raises:
        InputError: a text is no `key=value`.
    """
    return dict(_parsed(override, Tree("--set", {})) for override in overrides)


def change(experiment: Experiment, changes: Changes) -> Experiment:
    """A copy of an experiment with some values replaced, under the rules of `load`."""
    return _experiment(Tree(experiment.name, experiment.model_dump()), changes)


def validated(values: Mapping[str, Any], place: str) -> Experiment:
    """An experiment of plain values, under the rules of `load`; `place` is for messages."""
    return _experiment(Tree(place, copy.deepcopy(dict(values))), NO_CHANGES)


def _experiment(tree: Tree, changes: Changes) -> Experiment:
    changes = spelled_out(changes)
    for name in sorted(changes, key=_is_later):
        here = " ".join(f"{name}={changes[name]!r}".split())
        _put(tree, _override_path(name), copy.deepcopy(changes[name]), here)
    for path, sentence in reserved.find(tree.values):
        raise InputError(f"{tree.place(tuple(path.split('.')))}: {path} {sentence}")
    try:
        return Experiment.model_validate(tree.values)
    except ValidationError as error:
        raise InputError(one_line(error.errors(), tree)) from None


def dump(experiment: Experiment) -> str:
    """The resolved experiment as YAML, with every value; `load` reads it back."""
    tree = experiment.model_dump(mode="json")
    return yaml.dump(tree, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)


def _set(tree: Tree, override: str) -> None:
    here = _place_of(override)
    name, value = _parsed(override, tree)
    for key, inner in spelled_out({name: value}).items():
        _put(tree, _override_path(key), inner, here)


def _place_of(override: str) -> str:
    """An override in messages."""
    return f"--set {' '.join(override.split())}"


def _parsed(override: str, tree: Tree) -> tuple[str, Any]:
    """Params path and value of an override."""
    name, equals, text = override.partition("=")
    here = _place_of(override)
    if not equals:
        raise InputError(f"{here}: write key=value, as train.clip=1.0")
    path = _override_path(name.strip())
    try:
        node = yaml.compose(text, Loader=StrictLoader)
    except (yaml.YAMLError, ValueError, OverflowError):
        raise InputError(
            f"{here}: {text!r} is not a plain YAML value; text with signs in it needs quotes, "
            f"as in '{name}=\"…\"'"
        ) from None
    return name.strip(), plain(node, path, tree, lambda _: here) if node else None


def _put(tree: Tree, path: Keys, value: Any, here: str) -> None:
    """Set a value at a path; create missing blocks."""
    if not all(path):
        raise InputError(f"{here}: write key=value, as train.clip=1.0")
    if len(path) > MAX_DEPTH:
        raise InputError(f"{here}: {TOO_DEEP}")
    block = tree.values
    for depth, key in enumerate(path[:-1], start=1):
        inner = block.get(key)
        if inner is None:
            inner = block[key] = _new_block(path[:depth])
        if not isinstance(inner, dict):
            raise InputError(f"{here}: {key} is no block, it has no keys inside")
        block = inner
    if path[-1] == "kind" and block.get("kind") not in (None, value):
        block.clear()  # another kind has other keys
    tree.places[".".join(path)] = here
    block[path[-1]] = value


def _new_block(path: Keys) -> dict[str, Any]:
    """Values of a new block at a path: its default kind, if it has kinds."""
    block: type[BaseModel] = Experiment
    value: Any = None
    for key in path:
        if key not in block.model_fields:
            return {}
        field = block.model_fields[key]
        value = field.get_default(call_default_factory=True)
        inside = [type(value)] if isinstance(value, BaseModel) else blocks_of(field.annotation)
        if len(inside) != 1:
            return {}
        block = inside[0]
    return {"kind": value.kind} if hasattr(value, "kind") else {}


def _is_later(name: str) -> bool:
    """Sort key that puts kinds first: a new kind clears its block."""
    return not name.endswith(".kind")


def _override_path(name: str) -> Keys:
    """Keys of an override; below tune.search a key is a params path with dots."""
    path = tuple(name.split("."))
    if path[:2] != ("tune", "search") or len(path) < 4:
        return path
    is_field = path[-1] in {*Range.model_fields, *Choices.model_fields, *Percentiles.model_fields}
    searched, inside = (path[2:-1], path[-1:]) if is_field else (path[2:], ())
    return "tune", "search", ".".join(searched), *inside
