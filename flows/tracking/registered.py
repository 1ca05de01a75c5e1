"""The registered models of an output folder, in a file beside the database that has them.

With it `rnnkit sync --rebuild` makes the versions and aliases of a lost database anew; the models
themselves lie in the run folders.
"""

from collections.abc import Callable, Iterator
from typing import Any

from flows.settings import Settings
from flows.tracking import database
from rnnkit.runtime import files


def record(client: Any, settings: Settings) -> None:
    """Writes what is registered in the output folder's own database to REGISTERED."""
    if not database.is_own(settings):
        return  # of a server others take care
    file = settings.home / database.REGISTERED
    models = {model.name: model for model in _all(client.search_registered_models)}
    if not models:
        file.unlink(missing_ok=True)
        return
    versions: dict[str, dict[int, Any]] = {name: {} for name in models}
    for version in _all(client.search_model_versions):
        versions[version.name][int(version.version)] = version
    entries = {
        name: {
            "description": model.description,
            "tags": dict(model.tags),
            "aliases": {alias: int(version) for alias, version in model.aliases.items()},
            "versions": {
                str(number): {"description": v.description, "tags": dict(v.tags)}
                for number, v in sorted(versions[name].items())
            },
        }
        for name, model in sorted(models.items())
    }
    files.write_json(file, entries)


def read(settings: Settings) -> dict[str, Any]:
    """Name -> description, tags, aliases and versions; empty if no model was registered.

    Raises:
        InputError: the file is damaged.
    """
    file = settings.home / database.REGISTERED
    entries: dict[str, Any] = files.read_json(file) if file.exists() else {}
    return entries


def _all(search: Callable[..., Any]) -> Iterator[Any]:
    """All entries of a search that answers in pages."""
    token = None
    while True:
        page = search(page_token=token)
        yield from page
        token = page.token
        if not token:
            return
