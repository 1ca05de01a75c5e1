"""Signals that end a process, held back until a step of work is done and written."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StepSignals:
    """A context in which SIGINT, SIGTERM and SIGHUP wait for the end of the present step.

    At the end of the step the work is written, and the signal goes to its usual handler. A second
    signal does not wait. Signals that are ignored stay ignored. Only the main thread can handle
    signals; in another one nothing changes.

    Args:
        write: writes the work; called between two steps only.
    """

    def __init__(self, write: Callable[[], None]) -> None:
        self._write = write
        self._usual: dict[int, Any] = {}
        self._came: int | None = None
        self._is_writing = False
        self.waits = True
        """Whether a step is under way. Set it to False while the work does not change."""

    def __enter__(self) -> Self:
        self._hold()
        return self

    def __exit__(self, *_: object) -> None:
        self._release()
        if self._came is not None:
            signal.raise_signal(self._came)

    def step_ended(self) -> None:
        """Between two steps: pass on a signal that came during the last one."""
        if self._came is not None:
            self._leave()

    @contextmanager
    def released(self) -> Iterator[None]:
        """The usual handlers, while there is nothing to write."""
        self.step_ended()
        self._release()
        yield
        self._hold()

    def _hold(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in ENDING:
            usual = signal.getsignal(number)
            if usual not in (signal.SIG_IGN, None):  # None: not from Python, cannot be restored
                self._usual[number] = signal.signal(number, self._receive)

    def _release(self) -> None:
        for number, usual in self._usual.items():
            signal.signal(number, usual)
        self._usual.clear()

    def _receive(self, number: int, _: object) -> None:
        if self._is_writing:
            return  # the first one is passed on after the writing
        is_second, self._came = self._came is not None, number
        if is_second or not self.waits:
            self._leave(write=not self.waits)

    def _leave(self, write: bool = True) -> None:
        assert self._came is not None
        number, self._came = self._came, None
        try:
            self._is_writing = write
            if write:
                self._write()
        finally:
            self._is_writing = False
            self._release()
            signal.raise_signal(number)
