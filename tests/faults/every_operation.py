"""A fault at the 1st, 2nd, 3rd … operation, until a run passes without it."""

from collections.abc import Callable

from faults.harness import Reference, Twin, has_fired, inject, recovered
from faults.injection import Fault
from faults.tally import Tally

MAX_OPERATIONS = 2_000  # far above what a tiny experiment does


def every(
    reference: Reference,
    make: Callable[[Reference], Twin],
    counts: Tally,
    fault_of: Callable[[Twin, int], Fault],
    first: int = 1,
    step: int = 1,
) -> None:
    """Injects each fault into a twin of its own, and resumes it.

    Args:
        fault_of: the fault at the Nth operation.
        first: N of the first fault; the next ones are `step` further.
    """
    for number in range(first, MAX_OPERATIONS, step):
        twin = make(reference)
        fault = fault_of(twin, number)
        try:
            inject(twin, fault)
        except AssertionError as error:
            counts.add([str(error)], f"no. {number}")
            continue
        fired = has_fired(fault)
        wrong = recovered(reference, twin)
        if not fired:
            assert wrong == [], f"without a fault: {wrong}"
            assert number > first, "no operation was counted"
            return
        counts.add(wrong, f"no. {number}")
    raise AssertionError(f"{MAX_OPERATIONS} operations did not suffice")
