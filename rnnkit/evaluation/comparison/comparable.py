"""Refuse to compare models of different tasks, or on items that the older one was trained on."""

from collections.abc import Iterator
from typing import Any

from rnnkit.data.prepare.fitted import Fitted
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params.data import FileNames, Files, Fractions, Split
from rnnkit.params.experiment import as_yaml
from rnnkit.params.public import hashed_path

IGNORED_SOURCE_KEYS = ("path", "format", "join")
"""Keys of a source that change neither an item nor its split: data may move or grow."""


def refuse_other_task(old: Experiment, new: Experiment) -> None:
    """Raise InputError if the predictions of the two are not comparable."""
    for name, was, now in _asked(old, new):
        if was != now:
            raise InputError(f"{name} was {as_yaml(was)} and is {as_yaml(now)}")


def refuse_seen(older: Fitted, newer: Fitted) -> None:
    """Raise InputError if the older model may have been trained on test items of the newer run."""
    if newer.split_by_time:
        newer.refuse_seen_times(older)
        return
    old, new = older.data, newer.data
    maybe = "and the older model may have been trained on test items"
    before, after = (d.source.model_dump(exclude={*IGNORED_SOURCE_KEYS}) for d in (old, new))
    for key in {**after, **before}:
        was, now = before.get(key), after.get(key)
        if was != now:
            raise InputError(f"data.source.{key} was {as_yaml(was)} and is {as_yaml(now)}, {maybe}")
    if not is_held_out(old.split, new.split):
        was, now = (as_yaml(data.split.model_dump()) for data in (old, new))
        raise InputError(f"data.split was {was} and is {now}, {maybe}")


def _asked(old: Experiment, new: Experiment) -> Iterator[tuple[str, Any, Any]]:
    """(name, old value, new value) of what must be equal; task keys only after the task kind."""
    yield "task.kind", old.task.kind, new.task.kind
    for key in new.task.output_keys:
        yield f"task.{key}", getattr(old.task, key), getattr(new.task, key)
    yield "the form of data.source", old.data.source.form, new.data.source.form
    if new.task.decodes_text:
        before, after = (" and ".join(e.data.text_changes) or "as it stands" for e in (old, new))
        yield "the true text", before, after
    was, now = (experiment.data.features.model_dump() for experiment in (old, new))
    yield from ((f"data.features.{key}", was[key], now[key]) for key in now)


def is_held_out(old: Split, new: Split) -> bool:
    """Whether every item of the newer test split was in the older test split.

    Fractions split by an item's hash, which does not change; the test split has the lowest hashes.
    """
    if isinstance(old, Fractions) and isinstance(new, Fractions):
        return new.test <= old.test
    for kind in (Files, FileNames):
        if isinstance(old, kind) and isinstance(new, kind):
            return hashed_path(old.test) == hashed_path(new.test)
    return old == new
