"""Exceptions of signal handlers that Python drops or wraps, raised again.

A signal may come where Python can raise nothing, as in a weakref callback or while an object is
deleted; the exception of its handler is then printed as a traceback and lost. In a class body,
Python 3.11 makes a RuntimeError of whatever is raised in __set_name__.
"""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

RESEND_SECONDS = 0.1  # seconds until what was lost is sent again


@contextmanager
def resending() -> Iterator[None]:
    """Raises again what is lost meanwhile: Ctrl-C, SIGTERM, and the end of Prefect's timeout."""
    usual = sys.unraisablehook

    def resend(lost: Any) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            _later(os.kill, os.getpid(), signal.SIGINT)
        elif issubclass(lost.exc_type, SystemExit) or lost.exc_type.__name__ == "TerminationSignal":
            _later(os.kill, os.getpid(), signal.SIGTERM)  # Prefect raises the second in a flow
        elif lost.exc_type.__name__ == "CancelledError" and _in_timeout():
            _later(_cancel, lost.exc_type)
        else:
            usual(lost)

    sys.unraisablehook = resend
    try:
        yield
    finally:
        sys.unraisablehook = usual


@contextmanager
def unwrapping() -> Iterator[None]:
    """Raises a signal handler's exception itself, not the error that it became the cause of."""
    try:
        yield
    except Exception as error:
        cause = error.__cause__
        while isinstance(cause, Exception):
            cause = cause.__cause__
        if cause is None:
            raise
        raise cause from None


def _later(call: Any, *arguments: Any) -> None:
    again = threading.Timer(RESEND_SECONDS, call, arguments)
    again.daemon = True
    again.start()


def _in_timeout() -> bool:
    """Whether one of Prefect's timeouts goes on: it handles SIGALRM, and its end restores that."""
    return callable(signal.getsignal(signal.SIGALRM))


def _cancel(exception: type[BaseException]) -> None:
    """Raises in the main thread; a second SIGALRM would raise nothing, the timeout has expired."""
    if _in_timeout():
        thread = ctypes.c_long(threading.main_thread().ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(exception))
