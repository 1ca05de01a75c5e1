"""Whether an older model may be judged on a newer run's test items.

They must ask it what it was trained to answer, and it must not have been trained on them.
"""

from collections.abc import Iterator
from typing import Any

from rnnkit.data.prepare.fitted import Fitted
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params.data import FileNames, Files, Fractions, Split
from rnnkit.params.experiment import as_written
from rnnkit.params.public import hashed_path

APART = ("path", "format", "join")
"""Keys of a source that change neither what an item is nor on which side of the split it lies: data
that have moved or grown are the same data."""


def refuse_another_question(old: Experiment, new: Experiment) -> None:
    """Raises InputError where answers of the two mean different things."""
    for name, was, now in _asked(old, new):
        if was != now:
            raise InputError(f"{name} was {as_written(was)} and is {as_written(now)}")


def refuse_seen(older: Fitted, newer: Fitted) -> None:
    """Raises InputError where the older one may have been trained on test items of the newer one.

    Args:
        older, newer: what they were fitted to.
    """
    if newer.split_by_time:
        newer.refuse_seen_times(older)
        return
    old, new = older.data, newer.data
    maybe = "and the older model may have been trained on test items"
    before, after = (each.source.model_dump(exclude={*APART}) for each in (old, new))
    for key in {**after, **before}:
        was, now = before.get(key), after.get(key)
        if was != now:
            raise InputError(
                f"data.source.{key} was {as_written(was)} and is {as_written(now)}, {maybe}"
            )
    if not is_held_out(old.split, new.split):
        was, now = (as_written(each.split.model_dump()) for each in (old, new))
        raise InputError(f"data.split was {was} and is {now}, {maybe}")


def _asked(old: Experiment, new: Experiment) -> Iterator[tuple[str, Any, Any]]:
    """What both must have alike; of the keys of a task only once it is known to be the same."""
    yield "task.kind", old.task.kind, new.task.kind
    for key in new.task.changes_answers:
        yield f"task.{key}", getattr(old.task, key), getattr(new.task, key)
    yield "the form of data.source", old.data.source.form, new.data.source.form
    if new.task.gives_text:
        before, after = (" and ".join(it.data.altered) or "as it stands" for it in (old, new))
        yield "the true text", before, after
    was, now = (each.data.features.model_dump() for each in (old, new))
    yield from ((f"data.features.{key}", was[key], now[key]) for key in now)


def is_held_out(old: Split, new: Split) -> bool:
    """Whether no item of the newer test part was in another part of the older split than test.

    A hash has the test items lowest, whatever lies above them, and an item's hash does not change.
    """
    if isinstance(old, Fractions) and isinstance(new, Fractions):
        return new.test <= old.test
    for kind in (Files, FileNames):
        if isinstance(old, kind) and isinstance(new, kind):
            return hashed_path(old.test) == hashed_path(new.test)
    return old == new
