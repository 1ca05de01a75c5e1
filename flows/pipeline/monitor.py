"""A run on the screen and in MLflow while it goes on. Neither decides anything."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from flows.console import Stages, out
from flows.settings import Settings
from flows.tracking import unsent
from flows.tracking.machine_load import LoadMeter
from flows.tracking.mirror import End
from flows.tracking.sender import Children, EndOf, Sender
from rnnkit.runs.run_folder import RunFolder


class Monitor:
    """Progress bars and the run in MLflow; an MLflow that fails or hangs does not stop the run.

    A thread of its own sends MLflow what lies in the folder of the run or the comparison, which
    this process holds.
    """

    def __init__(self, settings: Settings, folder: RunFolder, stages: Stages) -> None:
        self.stages = stages
        self._settings, self._folder = settings, folder
        self._sender, self._load = Sender(settings, folder), LoadMeter(folder)

    @property
    def link(self) -> str:
        """The run's page in MLflow; empty while it is not known."""
        return self.wait_for_link(0)

    def wait_for_link(self, seconds: float) -> str:
        """As `link`, known within these seconds; for a thread that may wait."""
        return self._sender.link(seconds)

    def send(self) -> None:
        """Has MLflow sent what the run's journal has gained."""
        self._sender.request()

    def send_children(
        self, folders: Sequence[tuple[RunFolder, Mapping[str, str]]], end_of: EndOf
    ) -> None:
        """Has MLflow sent what the folders of trials or members have gained, as runs below this
        one.

        Args:
            folders: each with the tags of its run.
            end_of: how one ended, by its folder and its journal; None: it goes on.
        """
        self._sender.request(Children(folders, end_of))

    def finish(self, end: End) -> None:
        """Sends MLflow how the run ended; prints a line where that fails."""
        self._load.stop()
        if failure := self._sender.finish(end):
            out.print(failure, markup=False)

    @contextmanager
    def until_finished(self) -> Iterator[None]:
        """Marks a run that does not finish as failed or interrupted, in its folder and in MLflow.

        Likewise runs that a killed process left open before.
        """
        unsent.mark(self._settings, self._folder.id)
        self.send()
        self._load.start()
        try:
            yield
        except Exception as error:
            self._folder.append("failed", reason=f"{type(error).__name__}: {error}")
            self.finish("failed")
            raise
        except BaseException:  # Ctrl-C, or a signal to end: Prefect has its own class
            self.finish("interrupted")
            raise
