"""`rnnkit sync --rebuild`: a new MLflow database of an output folder, from what lies in it.

The new one is complete before it takes the old one's place, which is kept under another name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows.settings import Settings, sqlite_address
from flows.tracking import database, registered
from flows.tracking.failures import reaching
from flows.tracking.mirror import Mirror, Tracker
from flows.tracking.registry import ID
from flows.tracking.sync import Synced, send_all
from rnnkit.errors import InputError
from rnnkit.runs.run_folder import PARAMS, RunFolder
from rnnkit.runtime.sqlite_files import set_aside


@dataclass(frozen=True)
class Rebuilt:
    """A database that was made anew."""

    synced: list[Synced]
    aside: Path | None
    """Where the old file is; None if there was none."""
    lost: list[str]
    """Registered versions that could not be made anew, one sentence each."""


def rebuild(settings: Settings) -> Rebuilt:
    """Makes the output folder's own database anew.

    Raises:
        InputError: MLflow is elsewhere, a process works on a run, or REGISTERED is damaged.
        Unreachable: the new database cannot be made; the old one is still in its place.
    """
    file = settings.home / database.NAME
    if not database.is_own(settings):
        raise InputError(
            f"--rebuild makes {file} anew, and MLflow is elsewhere by the settings; leave it out"
        )
    for place in (settings.comparisons, settings.runs):
        for path in sorted(place.glob("[!.]*")):
            if (path / PARAMS).exists() and RunFolder(path).status == "running":
                raise InputError(
                    f"--rebuild: a process is working on {path.name}; wait for its end"
                )
    models = registered.read(settings)
    with reaching(), database.lock(file), database.made(settings, file) as temporary:
        elsewhere = replace(settings, tracking=sqlite_address(temporary))
        tracker = Tracker(elsewhere)
        synced = list(send_all(tracker, elsewhere))
        lost = list(_restore(tracker, settings, models))
        is_lost = not file.exists()
        aside = set_aside(file)
        database.put(temporary, file)
    return Rebuilt(synced, None if is_lost else aside, lost)


def _restore(tracker: Tracker, settings: Settings, models: Mapping[str, Any]) -> Iterator[str]:
    """Registers models as they were, with the numbers of their versions, and their aliases."""
    client = tracker.client
    for name, model in models.items():
        client.create_registered_model(name, model["tags"], model["description"])
        restored = set()
        numbers = {int(number): version for number, version in model["versions"].items()}
        for number in range(1, max(numbers, default=0) + 1):
            version = numbers.get(number, {"tags": {}})
            run = RunFolder(settings.runs / version["tags"].get(ID, "-"))
            if run.status != "finished":  # MLflow counts versions; a number is skipped by deleting
                client.create_model_version(name, settings.home.as_uri())
                client.delete_model_version(name, str(number))
                if number in numbers:
                    yield _loss(name, number, version["tags"].get(ID, ""), settings)
                continue
            _register(tracker, name, run, version)
            restored.add(number)
        for alias, number in model["aliases"].items():
            if number in restored:
                client.set_registered_model_alias(name, alias, str(number))


def _register(tracker: Tracker, name: str, run: RunFolder, version: Mapping[str, Any]) -> None:
    mirror = Mirror(tracker, run, None, {})
    model_id = tracker.registry.log(run, mirror.experiment_id, mirror.mlflow_id)
    tracker.client.create_model_version(
        name,
        source=f"models:/{model_id}",
        run_id=mirror.mlflow_id,
        tags=version["tags"],
        description=version["description"],
        model_id=model_id,
    )
    for key, value in version["tags"].items():
        tracker.client.set_tag(mirror.mlflow_id, key, value)


def _loss(name: str, number: int, run_id: str, settings: Settings) -> str:
    why = f"its run {run_id} is not in {settings.runs}" if run_id else "no run of rnnkit made it"
    return f"models:/{name}/{number} could not be made anew: {why}"
