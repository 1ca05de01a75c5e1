"""How long the stages of a run took, from its journal, summed over restarts."""

from itertools import pairwise

from rnnkit.runs.run_folder import JOURNAL, RunFolder
from rnnkit.runtime import files

LAST = "report"
"""The stage after the seconds are asked for: they stand in what it writes."""


class Durations:
    """The stages of a run in this process and in those before it.

    A stage ends when the next one begins; one whose process was killed, with the last line that it
    wrote to the journals of the run and of its trials.

    Args:
        folder: the run. Its journal gets a line for each stage.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        journals = folder.path.glob(f"**/{JOURNAL}")
        times = [line["time"] for path in journals for line in files.read_lines(path)]
        self._before = max(times, default=None)  # now: a resumed training drops lines

    def begin(self, stage: str) -> None:
        """A stage of this process begins, and the one before it has ended."""
        self._folder.append("stage", stage=stage, before=self._before)
        self._before = None

    def seconds(self) -> dict[str, float]:
        """Duration of each stage that has ended."""
        total: dict[str, int] = {}
        for line, following in pairwise(self._folder.records("stage")):
            end = following["before"] or following["time"]
            total[line["stage"]] = total.get(line["stage"], 0) + max(0, end - line["time"])
        return {stage: round(ms / 1000, 2) for stage, ms in total.items() if stage != LAST}
