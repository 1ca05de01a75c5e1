"""Writes, fsyncs and renames that fail, as on a disk that is full, and a clock that is set back.

The command tells it in a line and ends, or goes on without; the same command, on a disk that is in
order again, goes on to the same result.
"""

from collections.abc import Callable

import pytest
from faults.every_operation import every
from faults.harness import Reference, Twin, interrupted, survived
from faults.injection import Fault
from faults.tally import Tally

SHARES = 2
"""Tests that share the operations of a kind between them, to run at once."""
FULL = "disk full"
AIMS = {
    "the journal": ("fsync", "journal.jsonl"),
    "a better checkpoint's rename": ("rename", "epoch-000004.*"),
}
"""What cannot be written -> (operation, name)."""

MakeTwin = Callable[[Reference], Twin]
MakeTally = Callable[[str], Tally]


@pytest.mark.parametrize("aim", AIMS)
def test_a_disk_that_is_full_from_some_write_on(
    plain: Reference, twin: MakeTwin, tally: MakeTally, aim: str
) -> None:
    operation, names = AIMS[aim]
    full, counts = twin(plain), tally(f"{FULL}: {operation} fails, and all later ones")
    fault = full.fault(operations=(operation,), names=names, stays=True)
    counts.add(survived(plain, full, fault), aim)
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("stays", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("operation", ["write", "fsync", "rename"])
def test_every_operation_fails_in_turn(
    plain: Reference, twin: MakeTwin, tally: MakeTally, operation: str, stays: bool, share: int
) -> None:
    counts = tally(f"{FULL}: {operation} fails{', and all later ones' if stays else ' once'}")

    def fault_of(full: Twin, number: int) -> Fault:
        return full.fault(operations=(operation,), number=number, stays=stays)

    every(plain, twin, counts, fault_of, 1 + share, SHARES)
    counts.check()


READ_ONLY = {"operations": ("open", "mkdir", "rename"), "error": "EROFS", "stays": True}


@pytest.mark.faults
@pytest.mark.parametrize("share", range(SHARES))
def test_a_disk_that_becomes_read_only(
    plain: Reference, twin: MakeTwin, tally: MakeTally, share: int
) -> None:
    counts = tally("disk becomes read-only")
    every(
        plain, twin, counts, lambda full, number: full.fault(**READ_ONLY, number=number),
        1 + share, SHARES,
    )  # fmt: skip
    counts.check()


def test_a_clock_that_is_set_back_before_a_run_goes_on(
    plain: Reference, twin: MakeTwin, tally: MakeTally
) -> None:
    counts = tally("clock set back")
    killed = interrupted(plain, twin(plain), "epoch-000002.")
    back = killed.fault(action="set the clock back", operations=("open",))
    counts.add(survived(plain, killed, back), "in the run that goes on")
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("number", range(5, 100, 10))
def test_a_clock_that_is_set_back_in_the_middle(
    plain: Reference, twin: MakeTwin, tally: MakeTally, number: int
) -> None:
    counts, late = tally("clock set back"), twin(plain)
    back = late.fault(action="set the clock back", operations=("write",), number=number)
    counts.add(survived(plain, late, back), f"at write no. {number}")
    counts.check()
