"""Runs and comparisons whose end MLflow may lack: an empty file for each, in `unsent/`.

The file is made before a process sends anything and removed once MLflow has the end, so that what
a killed process left open is found without asking MLflow.
"""

from flows.settings import Settings

FOLDER = "unsent"


def mark(settings: Settings, run_id: str) -> None:
    """Notes that MLflow is about to get a run."""
    (settings.home / FOLDER).mkdir(parents=True, exist_ok=True)
    (settings.home / FOLDER / run_id).touch()


def clear(settings: Settings, run_id: str) -> None:
    """Notes that MLflow has a run's end."""
    (settings.home / FOLDER / run_id).unlink(missing_ok=True)


def is_marked(settings: Settings, run_id: str) -> bool:
    """Whether MLflow may lack a run's end."""
    return (settings.home / FOLDER / run_id).exists()


def marked(settings: Settings) -> set[str]:
    """The ids of what is marked."""
    return {path.name for path in (settings.home / FOLDER).glob("[!.]*")}
