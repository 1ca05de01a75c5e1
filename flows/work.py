"""What the steps of one flow run share: its folder, its experiment, its place in MLflow."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from flows.console import Stages
from flows.settings import Settings
from flows.tracking import Mirror, Tracker
from rnnkit.params import Experiment
from rnnkit.prepare import prepare
from rnnkit.prepare.prepared import Prepared
from rnnkit.runfolder import RunFolder


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

    @cached_property
    def tracker(self) -> Tracker:
        """The MLflow store, opened at first use."""
        return Tracker(self.settings)

    @cached_property
    def mirror(self) -> Mirror:
        """The run in MLflow."""
        tags = {"rnnkit.task": self.experiment.task.kind}
        return Mirror(self.tracker, self.folder, self.folder.id, self.experiment, None, tags)

    @contextmanager
    def marked(self) -> Iterator[None]:
        """What does not come to its end is failed or interrupted, in its folder and in MLflow.

        Where MLflow cannot be told, what ended it is told all the same; the next command tells it.
        """
        try:
            yield
        except Exception as error:
            self.folder.append("failed", reason=f"{type(error).__name__}: {error}")
            with suppress(Exception):
                self.mirror.finish("failed")
            raise
        except BaseException:  # Ctrl-C, or a signal to end: Prefect has its own class
            with suppress(Exception):
                self.mirror.finish("interrupted")
            raise

    @cached_property
    def prepared(self) -> Prepared:
        """The data, from the cache or built."""
        return prepare(self.experiment.data, self.experiment.task, self.settings.home)

    @property
    def figures(self) -> Path:
        """Where the figures lie."""
        return self.folder.path / "figures"
