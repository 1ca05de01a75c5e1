"""What went wrong with MLflow, as one line for a person."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from flows.settings import without_secrets

MAX_REASON = 200  # characters of another library's message
PREFIX = "MLflow could not be reached: "
THEIRS = ("mlflow.", "sqlalchemy.", "alembic.")
"""Modules whose errors are MLflow's, whatever their class."""
SQLITE, PASSING = "(sqlite3.", ("locked", "full", "readonly", "unable to open")
"""An error of SQLite's, and words of those that do not mean a damaged file."""


class Unreachable(RuntimeError):
    """MLflow does not answer, does not take what it is sent, or has another version's database."""


class Broken(Unreachable):
    """The local database is damaged or lost."""


def quieten() -> None:
    """Imports MLflow and turns its log off: it logs every error that it also raises."""
    import mlflow  # noqa: F401  # sets the levels of its log

    for name in ("alembic", "mlflow", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def reaching() -> Iterator[None]:
    """Raises Unreachable with one line for an error of MLflow's, its database's or the system's."""
    try:
        yield
    except Unreachable:
        raise
    except Exception as error:
        if not (isinstance(error, OSError) or _is_theirs(error.__traceback__)):
            raise
        raise Unreachable(PREFIX + reason_of(error)) from error


def failure_of(error: Exception) -> str:
    """One line for the end of a run that MLflow does not have: why, and what to do."""
    if isinstance(error, Broken):
        return f"MLflow does not have this run: {error}"
    reason = f"{error}" if isinstance(error, Unreachable) else f"{type(error).__name__}: {error}"
    reason = shortened(reason.removeprefix(PREFIX))
    return f"MLflow could not be reached; send the run with: rnnkit sync ({reason})"


def reason_of(error: Exception) -> str:
    """An error's first line, without passwords; of a damaged SQLite file with what to do."""
    reason = shortened(f"{error}") or type(error).__name__
    if SQLITE in reason and not any(word in reason for word in PASSING):
        reason += "; where mlflow.db is damaged, make it anew with: rnnkit sync --rebuild"
    return reason


def shortened(text: str) -> str:
    """A text's first line, at most MAX_REASON characters, without passwords."""
    return without_secrets(text.partition("\n")[0])[:MAX_REASON]


def _is_theirs(traceback: TracebackType | None) -> bool:
    """Whether an error was raised below a call of MLflow's."""
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__name__", "").startswith(THEIRS):
            return True
        traceback = traceback.tb_next
    return False
