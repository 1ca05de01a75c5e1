"""Whether an older model may be judged on a newer run's test items.

They must ask it what it was trained to answer, and it must not have been trained on them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas

from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params.data import FileNames, Files, Fractions, Split
from rnnkit.params.experiment import as_written
from rnnkit.params.public import hashed_path
from rnnkit.params.task import Transcription, Writing

ASKED: Mapping[str, tuple[str, ...]] = {
    "forecasting": ("horizon",),
    "memory": ("problem",),
    "vector": ("loss",),
}
"""Task -> its keys that change what an answer is. Columns and labels are matched by their names."""
APART = ("path", "format", "join")
"""Keys of a source that change neither what an item is nor on which side of the split it lies: data
that have moved or grown are the same data."""

Facts = Mapping[str, Any]


def refuse_another_question(old: Experiment, new: Experiment) -> None:
    """Raises InputError where answers of the two mean different things."""
    for name, was, now in _asked(old, new):
        if was != now:
            raise InputError(f"{name} was {as_written(was)} and is {as_written(now)}")


def refuse_seen(old: Experiment, new: Experiment, learned: Facts, tested: Facts) -> None:
    """Raises InputError where the older one may have been trained on test items of the newer one.

    Args:
        learned: facts of the data that the older one was prepared with.
        tested: the same of the newer one.
    """
    if new.data.source.form == "series":
        _refuse_seen_times(old.data.split, new.data.split, learned, tested)
        return
    maybe = "and the older model may have been trained on test items"
    one, other = (each.data.source.model_dump(exclude={*APART}) for each in (old, new))
    for key in {**other, **one}:
        was, now = one.get(key), other.get(key)
        if was != now:
            raise InputError(
                f"data.source.{key} was {as_written(was)} and is {as_written(now)}, {maybe}"
            )
    if not is_held_out(old.data.split, new.data.split):
        was, now = (as_written(each.data.split.model_dump()) for each in (old, new))
        raise InputError(f"data.split was {was} and is {now}, {maybe}")


def _asked(old: Experiment, new: Experiment) -> Iterator[tuple[str, Any, Any]]:
    """What both must have alike; of the keys of a task only once it is known to be the same."""
    yield "task.kind", old.task.kind, new.task.kind
    for key in ASKED.get(new.task.kind, ()):
        yield f"task.{key}", getattr(old.task, key), getattr(new.task, key)
    yield "the form of data.source", old.data.source.form, new.data.source.form
    if isinstance(new.task, Writing | Transcription):
        before, after = (" and ".join(it.data.altered) or "as it stands" for it in (old, new))
        yield "the true text", before, after
    if new.data.source.form == "audio":
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


def _refuse_seen_times(old: Split, new: Split, learned: Facts, tested: Facts) -> None:
    """Of a series: what is tested must come after all that was learned, whatever the splits are.

    Several series of which each is split by its own rows need not keep to one moment; there it is
    enough that the splits are equal, for the borders of series that grow move forward alone.
    """
    end, begin = learned["time"]["valid"][1], tested["time"]["test"][0]
    last, first = pandas.to_datetime([end, begin], utc=True, format="ISO8601")
    several = "series" in learned and "series" in tested
    if last >= first and not (several and old == new):
        raise InputError(
            f"the older model was trained and chosen on times up to {end}, and the test part "
            f"begins at {begin}"
        )
