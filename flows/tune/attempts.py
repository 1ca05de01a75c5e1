"""When a sweep gives up: its workers die, or its study is damaged, again and again."""

MAX_DEATHS = 3
"""So many times in a row workers may die without an epoch done in between."""


class SweepFailed(RuntimeError):
    """A sweep has no result: its trials fail, or its workers die."""


class Attempts:
    """Counts how often workers ended early without an epoch done in between."""

    def __init__(self) -> None:
        self._deaths, self._done = 0, -1

    def failed(self, done: int, damage: str = "") -> None:
        """Count a failure.

        Args:
            done: epochs done until now.
            damage: what a worker found wrong with the study.

        Raises:
            SweepFailed: it was one too many.
        """
        self._deaths = self._deaths + 1 if done <= self._done else 1
        self._done = done
        if self._deaths == MAX_DEATHS:
            raise SweepFailed(
                f"the study was damaged {MAX_DEATHS} times without an epoch in between: {damage}"
                if damage
                else f"the sweep's workers died {MAX_DEATHS} times without finishing an epoch, as "
                "processes do that the system kills for their memory; try a smaller tune.workers"
            )
