"""What the steps of one flow run share: its folder, its experiment, its place in MLflow."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

from flows.console import Stages, out
from flows.settings import Settings
from flows.tracking import End, Mirror, Tracker
from flows.tracking.ownership import close_in_prefect
from rnnkit.data.prepare import prepare
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder

PAUSE = 60.0  # seconds until an MLflow that did not answer is asked again
REASON = 200  # characters of what it said


class Work:
    """One run being worked on, in this process.

    Args:
        experiment: resolved.
        settings: where things are.
        folder: the run's folder, held by this process.
        stages: the progress bars.
    """

    def __init__(
        self, experiment: Experiment, settings: Settings, folder: RunFolder, stages: Stages
    ) -> None:
        self.experiment, self.settings, self.folder = experiment, settings, folder
        self.stages = stages
        self._missed = ""
        self._silent_until = 0.0

    @cached_property
    def tracker(self) -> Tracker:
        """The MLflow store, opened at first use."""
        return Tracker(self.settings)

    @cached_property
    def mirror(self) -> Mirror:
        """The run in MLflow."""
        return Mirror(self.tracker, self.folder, None, {})

    def track(self, tell: Callable[[Mirror], object], *, last: bool = False) -> bool:
        """Tells MLflow something of this run; where that fails, the run goes on.

        What MLflow misses lies in the folder, and `rnnkit sync` tells it later.

        Args:
            tell: called with the run's mirror.
            last: what is not told now, this process does not tell; so even an MLflow that has
                just been silent is asked.

        Returns:
            whether it was told.
        """
        if time.monotonic() < self._silent_until and not last:
            return False
        try:
            tell(self.mirror)
        except Exception as error:  # whatever it is, it is no reason to lose a training
            self._silent_until = time.monotonic() + PAUSE
            if last:
                self._missed = f"{type(error).__name__}: {error}".splitlines()[0][:REASON]
            return False
        return True

    def finish(self, end: End) -> None:
        """Tells MLflow how the run ended, and the person where that failed."""
        self.track(lambda mirror: mirror.finish(end), last=True)
        if self._missed:
            out.print(
                f"MLflow could not be told; rnnkit sync does it later ({self._missed})",
                markup=False,
            )

    @contextmanager
    def marked(self) -> Iterator[None]:
        """What does not come to its end is failed or interrupted, in its folder and in MLflow.

        So is what a killed process left open before.
        """
        self.track(lambda mirror: self.tracker.close_leftovers(mirror.experiment_id))
        close_in_prefect(self.settings, self.folder.id)
        try:
            yield
        except Exception as error:
            self.folder.append("failed", reason=f"{type(error).__name__}: {error}")
            self.finish("failed")
            raise
        except BaseException:  # Ctrl-C, or a signal to end: Prefect has its own class
            self.finish("interrupted")
            raise

    @cached_property
    def prepared(self) -> Prepared:
        """The data, from the cache or built."""
        return prepare(self.experiment.data, self.experiment.task, self.settings.home)
