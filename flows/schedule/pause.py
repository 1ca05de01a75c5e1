"""A schedule that was paused on its page stays paused when it is served again.

Prefect pauses a deployment when its process ends, and `rnnkit schedule` does before it clears up.
So what a person chose is written to a file before that, and holds as long as Prefect still says
paused: who switches the schedule on meanwhile has chosen anew.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnnkit.errors import InputError
from rnnkit.runtime import files

FILE = "paused.json"


@dataclass(frozen=True)
class Pause:
    """The two switches of a deployment in Prefect's pages, as a person left them."""

    deployment: bool
    """Whether the whole deployment is paused."""
    schedule: bool
    """Whether its schedule is switched off."""

    def __bool__(self) -> bool:
        return self.deployment or self.schedule


NONE = Pause(False, False)


def chosen(deployment: Any, folder: Path) -> Pause:
    """What a person chose on a deployment's page.

    Args:
        deployment: as Prefect has it.
        folder: of the schedule, where `keep` wrote.
    """
    is_off = any(not schedule.active for schedule in deployment.schedules)
    kept = _read(folder / FILE)
    if kept is not None and deployment.paused:
        return Pause(bool(kept["deployment"]), is_off)
    return Pause(bool(deployment.paused), is_off)


def keep(pause: Pause, folder: Path) -> None:
    """Writes what a person chose, before the deployment is paused for another reason."""
    folder.mkdir(parents=True, exist_ok=True)
    files.write_json(folder / FILE, asdict(pause))


def forget(folder: Path) -> None:
    """Removes what `keep` wrote: from now on Prefect has what a person chose."""
    (folder / FILE).unlink(missing_ok=True)


def _read(file: Path) -> Mapping[str, Any] | None:
    try:
        kept = files.read_json(file)
    except (InputError, FileNotFoundError):
        return None
    return kept if isinstance(kept, dict) and "deployment" in kept else None
