"""Counts of what each kind of fault led to, printed at the end of a session as rows of a table."""

from collections.abc import Callable
from dataclasses import dataclass, field

PROPERTY = "faults"
HEAD = "| injection | faults | same result | told | failed |\n|---|---|---|---|---|"


@dataclass
class Tally:
    """What became of the faults of one kind in one test."""

    kind: str
    same: int = 0
    """All that is compared is as in the undisturbed run."""
    told: int = 0
    """It was told in a line, and what the line says mended it."""
    failed: list[str] = field(default_factory=list)
    """The others, a line each."""

    def add(self, differences: list[str], what: str, told: bool = False) -> None:
        """One fault's outcome; `what` names the fault."""
        if differences:
            self.failed.append(f"{what}: {'; '.join(differences)}")
        elif told:
            self.told += 1
        else:
            self.same += 1

    def attempt(self, what: str, outcome: Callable[[], tuple[list[str], bool]]) -> None:
        """One fault's outcome, which is an error where it raises AssertionError."""
        try:
            differences, told = outcome()
        except AssertionError as error:
            differences, told = [str(error) or "an assertion failed"], False
        self.add(differences, what, told)

    @property
    def counts(self) -> tuple[str, int, int, int]:
        """What is sent to the end of the session."""
        return self.kind, self.same, self.told, len(self.failed)

    def check(self) -> None:
        """Fails with a line for each fault that failed."""
        total = self.same + self.told + len(self.failed)
        shown = "\n".join(line[:1000] for line in self.failed[:20])
        assert not self.failed, f"{len(self.failed)} of {total} failed:\n{shown}"


def table(counts: list[tuple[str, int, int, int]]) -> list[str]:
    """Rows for docs/reliability.md, one per kind of fault."""
    sums: dict[str, list[int]] = {}
    for kind, *numbers in counts:
        sums[kind] = [a + b for a, b in zip(sums.get(kind, [0, 0, 0]), numbers, strict=True)]
    rows = [
        f"| {kind} | {sum(numbers)} | {numbers[0]} | {numbers[1]} | {numbers[2]} |"
        for kind, numbers in sorted(sums.items())
    ]
    return [*HEAD.splitlines(), *rows] if rows else []
