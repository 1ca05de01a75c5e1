"""A process that dies at its Nth file operation, without the process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

OPERATIONS = ("fsync", "replace", "unlink")


class Killed(BaseException):
    """The process is dead; no later operation reaches the disk."""


class Writes:
    """File operations so far, and the one at which the process dies."""

    def __init__(self, dies_at: int) -> None:
        self.dies_at, self.count = dies_at, 0

    @property
    def is_dead(self) -> bool:
        return 0 < self.dies_at <= self.count


@contextmanager
def dying_at(number: int) -> Iterator[Writes]:
    """Raise Killed instead of the Nth fsync, rename or deletion, and at all later ones.

    Args:
        number: counted from 1; 0: count only.
    """
    writes = Writes(number)

    def counted(operation: Any) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            writes.count += 1
            if writes.is_dead:
                raise Killed
            return operation(*args, **more)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in OPERATIONS:
            patch.setattr(os, name, counted(getattr(os, name)))
        yield writes
