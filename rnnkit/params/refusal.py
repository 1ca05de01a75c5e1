"""One-line messages for invalid params: file, line, key, rule."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from rnnkit.params.blocks import blocks_of, kind_of
from rnnkit.params.experiment import Experiment
from rnnkit.params.misplaced import NEAR, all_places, place_of
from rnnkit.params.tree import Keys, Tree
from rnnkit.params.tune import Choices, Range

NEAR_HERE = 0.5
"""Likeness from which on a key of the same block may be meant."""


def one_line(errors: Sequence[ErrorDetails], tree: Tree) -> str:
    """Message for the first error; unknown keys come before missing ones, which they may cause."""
    ranks = {"extra_forbidden": 0, "missing": 2}
    error = min(errors, key=lambda e: ranks.get(e["type"], 1))
    path = _real_path(error["loc"], tree.values, missing=error["type"] == "missing")
    name = ".".join(path)
    here = [e for e in errors if _real_path(e["loc"], tree.values, e["type"] == "missing") == path]
    more = f" (and {len(errors) - len(here)} more)" if len(errors) > len(here) else ""
    if error["type"] == "extra_forbidden":
        return f"{tree.place(path)}: {name}: unknown key; {_hint(path, tree.values)}{more}"
    if error["type"] == "missing":
        return f"{tree.place(path)}: {name} is missing{more}"
    if error["type"] == "union_tag_invalid":
        tags = error["ctx"]["expected_tags"].replace("'", "").split(", ")
        got = error["ctx"]["tag"]
        near = difflib.get_close_matches(got, tags, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        place = tree.place((*path, "kind"))
        return f"{place}: {name}.kind must be one of {', '.join(tags)}, got {got!r}{hint}"
    if error["type"] == "union_tag_not_found":
        kinds = _kinds(path, tree.values)
        return (
            f"{tree.place(path)}: {name} needs a kind, as {name}: {{kind: {kinds[0]}}}; there are "
            f"{', '.join(kinds)}{more}"
        )
    if error["type"] == "value_error" and len(here) == 1:
        reason = str(error["ctx"]["error"])
        if not name:  # a rule between blocks: it names its own path
            return f"{tree.place(tuple(reason.split(':')[0].split('.')))}: {reason}"
        return f"{tree.place(path)}: {name}: {reason}{more}"
    got = "null" if error["input"] is None else repr(error["input"])
    got = got if len(got) <= 60 else f"{got[:57]}..."
    is_kind = error["input"] in _kinds(path, tree.values)
    hint = f"; write {{kind: {error['input']}}}" if is_kind else ""
    return f"{tree.place(path)}: {name} {_rules(here)}, got {got}{hint}{more}"


def _hint(path: Keys, values: Any) -> str:
    """What to write in place of an unknown key: it is searched in every block."""
    *above, key = path
    blocks = _blocks_at(above, values)
    known = [name for block in blocks for name in block.model_fields]
    if (place := place_of(path, values)) is not None:
        block = ".".join(place[:-1])
        where = f"it belongs in {block}" if block else "it belongs beside name and task"
        return f"{where}; write {'.'.join(place)}"
    if near := difflib.get_close_matches(key, known, n=1, cutoff=NEAR_HERE):
        return f"did you mean {near[0]!r}?"
    others = _other_kinds(path, values)
    if kinds := [kind_of(block) for block in others if key in block.model_fields]:
        given = ", ".join(map(str, map(kind_of, blocks)))
        return f"it is a key of kind {' or '.join(kinds)}, and this one is {given}"
    places = {".".join(place): place[-1] for place in all_places(values)}
    if near := difflib.get_close_matches(key, list(places.values()), n=1, cutoff=NEAR):
        return f"did you mean {'.'.join(place_of((*above, near[0]), values) or ())}?"
    there = "there are" if len(known) > 1 else "there is only"
    return f"{there} {', '.join(known)}"


def _other_kinds(path: Keys, values: Any) -> list[type[BaseModel]]:
    """Blocks of all kinds that may stand in place of the one that a path's key is in."""
    if len(path) < 2:
        return []
    fields = [block.model_fields.get(path[-2]) for block in _blocks_at(path[:-2], values)]
    blocks = [block for field in fields if field for block in blocks_of(field.annotation)]
    return [block for block in blocks if kind_of(block) is not None]


def _rules(errors: Sequence[ErrorDetails]) -> str:
    """Rule for a value, joined with `or` where several forms are allowed."""
    rules = dict.fromkeys(_rule(error).removeprefix("must be ") for error in errors)
    together = " or ".join(rules)
    return together if together.startswith("must ") else f"must be {together}"


def _rule(error: ErrorDetails) -> str:
    """Rule for a value, in the terms of a params file."""
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return "must be a block with keys of its own"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "tuple_type":
        return "must be a list, as [1, 2]"
    rule = re.sub(r"^(Input|String|Dictionary|Tuple) should ", "must ", error["msg"])
    return re.sub(r" after validation, not \d+$", "", rule)


def _real_path(loc: Sequence[str | int], values: Any, missing: bool) -> Keys:
    """Pydantic's location without the names of union members.

    A step that is not in the values is such a name, except the last step of a missing key.
    """
    path: list[str] = []
    tagged = False  # a union member is named once, after its key
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
            values = values[step] if step < len(values) else None  # one that is missing
        else:
            continue
        path.append(str(step))
    return tuple(path)


def _kinds(path: Keys, values: Any) -> list[Any]:
    """Kinds of the blocks allowed at a path."""
    *above, last = path or ("",)
    fields = (block.model_fields.get(last) for block in _blocks_at(above, values))
    blocks = [block for field in fields if field for block in blocks_of(field.annotation)]
    return [kind_of(block) for block in blocks if "kind" in block.model_fields]


def _blocks_at(path: Sequence[str], values: Any) -> list[type[BaseModel]]:
    """Blocks at a path that have the kind, or the form of a search space, of the values there."""
    blocks: list[type[BaseModel]] = [Experiment]
    for step in path:
        values = values.get(step) if isinstance(values, Mapping) else None
        given = values if isinstance(values, Mapping) else {}
        fields = [block.model_fields[step] for block in blocks if step in block.model_fields]
        if fields:  # else the step is a key of a mapping of these blocks
            blocks = blocks_of(fields[0].annotation)
        blocks = [
            b for b in blocks if "kind" not in b.model_fields or kind_of(b) == given.get("kind")
        ]
        if Choices in blocks:
            named = [b for b in blocks if next(iter(b.model_fields)) in given and b is not Range]
            blocks = named[:1] or blocks
    return blocks
