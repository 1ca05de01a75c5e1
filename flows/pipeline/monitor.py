"""A run on the screen and in MLflow while it goes on. Neither decides anything."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from flows.console import Stages, out
from flows.settings import Settings
from flows.tracking.mirror import End, Mirror, Tracker
from rnnkit.runs.run_folder import RunFolder

PAUSE_SECONDS = 60.0
"""Time until an MLflow that did not answer is tried again."""
MAX_REASON = 200  # characters of its error


class Monitor:
    """Progress bars and the run in MLflow; an MLflow that fails does not stop the run.

    What MLflow lacks lies in the folder of the run or the comparison, which this process holds, and
    `rnnkit sync` sends it later.
    """

    def __init__(self, settings: Settings, folder: RunFolder, stages: Stages) -> None:
        self.stages = stages
        self._settings, self._folder = settings, folder
        self._children: dict[str, Mirror] = {}
        self._paused_until, self._missed = 0.0, ""

    @cached_property
    def _tracker(self) -> Tracker:
        return Tracker(self._settings)

    @cached_property
    def _mirror(self) -> Mirror:
        return Mirror(self._tracker, self._folder, None, {})

    @property
    def link(self) -> str:
        """The run's page in MLflow; empty where MLflow does not answer."""
        return self._mirror.link if self._send(lambda _: None) else ""

    def send(self) -> None:
        """Sends MLflow what the run's journal has gained."""
        self._send(Mirror.advance)

    def send_children(
        self,
        children: Iterable[tuple[RunFolder, Mapping[str, str]]],
        end_of: Callable[[RunFolder, Sequence[Mapping[str, Any]]], End | None],
        *,
        last: bool = False,
    ) -> None:
        """Sends MLflow what the folders of trials or members have gained, as runs below this one.

        Args:
            children: folders, and tags of their runs.
            end_of: how one ended, by its folder and its journal; None: it goes on.
            last: this process does not send it again; so even an MLflow that has just failed is
                tried.
        """

        def send(parent: Mirror) -> None:
            for folder, tags in children:
                lines = folder.records()
                if not lines:
                    continue
                if folder.id not in self._children:
                    self._children[folder.id] = Mirror(self._tracker, folder, parent, tags)
                child, end = self._children[folder.id], end_of(folder, lines)
                if child.is_closed(lines):
                    continue
                if end is None:
                    child.advance()
                else:
                    child.finish(end)

        self._send(send, last=last)

    def finish(self, end: End) -> None:
        """Sends MLflow how the run ended; prints a line where that fails."""
        self._send(lambda mirror: mirror.finish(end), last=True)
        if self._missed:
            out.print(
                f"MLflow could not be reached; send the run with: rnnkit sync ({self._missed})",
                markup=False,
            )

    @contextmanager
    def until_finished(self) -> Iterator[None]:
        """Marks a run that does not finish as failed or interrupted, in its folder and in MLflow.

        Likewise runs that a killed process left open before.
        """
        self._send(lambda mirror: self._tracker.close_leftovers(mirror.experiment_id))
        try:
            yield
        except Exception as error:
            self._folder.append("failed", reason=f"{type(error).__name__}: {error}")
            self.finish("failed")
            raise
        except BaseException:  # Ctrl-C, or a signal to end: Prefect has its own class
            self.finish("interrupted")
            raise

    def _send(self, call: Callable[[Mirror], object], *, last: bool = False) -> bool:
        """Whether MLflow took it; during a pause it is tried with the last alone."""
        if time.monotonic() < self._paused_until and not last:
            return False
        try:
            call(self._mirror)
        except Exception as error:  # no reason to lose a training, whatever it is
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            if last:
                self._missed = f"{type(error).__name__}: {error}".splitlines()[0][:MAX_REASON]
            return False
        return True
