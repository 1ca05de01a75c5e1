"""Models in MLflow: one for each finished run, and versions under a name with an alias.

A model is a pyfunc without pickle: safetensors, params and JSON, loaded by `served_model`.
"""

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows.processes.servers import tracking_login
from flows.settings import Settings
from flows.tracking import database, registered
from flows.tracking.failures import quieten
from flows.tracking.locations import update_locations
from flows.tracking.model_example import example_of
from rnnkit import __version__
from rnnkit.errors import InputError
from rnnkit.runs.model_folder import WEIGHTS, find_model, model_differences, verify_model
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime.files import sha256_bytes
from rnnkit.runtime.unfinished import remove_unfinished, temporary_folder

ID = "rnnkit.run_id"
"""Our id of a run: a tag in MLflow, a label in Prefect."""
CHAMPION = "champion"
LOADER = "flows.tracking.served_model"
ADDRESSES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
LOGIN = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
_login: str | None = None
"""What `LOGIN` was set to here."""


@dataclass(frozen=True)
class Registered:
    """A version of a registered model."""

    name: str
    version: int
    run_id: str
    """Our id of the run that made it."""
    source: str


class Registry:
    """The models of a tracking store.

    Raises:
        Broken, Unreachable: as `flows.tracking.database.check`.
    """

    def __init__(self, settings: Settings) -> None:
        import mlflow

        quieten()
        self._settings = settings
        database.ensure(settings)
        update_locations(settings)
        _use_login(tracking_login(settings))
        # The registry opens clients of its own at the global addresses. MLflow sets its variables,
        # too, which would stand above the settings of this process's next output folder.
        before = {name: os.environ.pop(name, None) for name in ADDRESSES}
        mlflow.set_tracking_uri(settings.tracking)
        mlflow.set_registry_uri(settings.tracking)
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        self.client: Any = mlflow.MlflowClient(settings.tracking, settings.tracking)

    def log(self, folder: RunFolder, experiment_id: str, mlflow_id: str) -> str:
        """MLflow's id of a finished run's model, which is saved there if it is not yet.

        Raises:
            InputError: the model differs from its manifest.
        """
        from mlflow import pyfunc
        from mlflow.entities import LoggedModelOutput
        from mlflow.models import Model

        models = self.client.search_logged_models(
            [experiment_id], filter_string=f"tags.`{ID}` = '{folder.id}'", max_results=1
        )
        if models and models[0].status == "READY":
            return str(models[0].model_id)
        verify_model(find_model(folder.path))
        model = self.client.create_logged_model(
            experiment_id,
            name=folder.id,
            source_run_id=mlflow_id,
            tags={ID: folder.id},
            model_type="pyfunc",
        )
        model_id = str(model.model_id)
        remove_unfinished(folder.path)  # of a process that was killed
        with (
            temporary_folder(folder.path / "registered") as place,
            warnings.catch_warnings(),
            _without_check_of_requirements(),
        ):
            warnings.simplefilter("ignore")  # hints about inputs of any form, and of integers
            example, signature = _example_and_signature(folder, self._settings.home)
            pyfunc.save_model(
                str(place / "model"),
                loader_module=LOADER,
                data_path=str(folder.path / "model"),
                pip_requirements=[f"rnnkit=={__version__}", f"torch=={version('torch')}"],
                mlflow_model=Model(run_id=mlflow_id, model_id=model_id),
                input_example=example,
                signature=signature,
            )
            self.client.log_model_artifacts(model_id, str(place / "model"))
        self.client.log_outputs(mlflow_id, [LoggedModelOutput(model_id, step=0)])
        self.client.finalize_logged_model(model_id, "READY")
        return model_id

    def register(self, name: str, folder: RunFolder, model_id: str, mlflow_id: str) -> Registered:
        """A run's model as a version under a name; the one there is, if it was registered."""
        from mlflow.exceptions import MlflowException

        try:
            self.client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        for entry in self.client.search_model_versions(f"name = '{name}'"):
            if entry.tags.get(ID) == folder.id:
                break
        else:
            entry = self.client.create_model_version(
                name,
                source=f"models:/{model_id}",
                run_id=mlflow_id,
                tags={ID: folder.id},
                model_id=model_id,
            )
        self.record()
        return _registered(entry)

    def record(self) -> None:
        """Writes what is registered to the output folder, for `rnnkit sync --rebuild`."""
        registered.record(self.client, self._settings)

    def champion(self, name: str) -> Registered | None:
        """The version with the alias `champion`, if there is one."""
        from mlflow.exceptions import MlflowException

        try:
            return _registered(self.client.get_model_version_by_alias(name, CHAMPION))
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise

    def promote(self, model: Registered) -> None:
        """Makes a version the champion of its name."""
        self.client.set_registered_model_alias(model.name, CHAMPION, str(model.version))
        self.record()

    def tag(self, model: Registered, tags: Mapping[str, str]) -> None:
        """Says something of a version, and of the run in MLflow that made it."""
        run = self.client.get_model_version(model.name, str(model.version)).run_id
        assert run is not None
        for key, value in tags.items():
            self.client.set_model_version_tag(model.name, str(model.version), key, value)
            self.client.set_tag(run, key, value)
        self.record()

    def runs(self) -> set[str]:
        """Our ids of all runs that a registered version was made by."""
        versions = self.client.search_model_versions()
        return {entry.tags[ID] for entry in versions if ID in entry.tags}

    def fetch(self, address: str) -> Path:
        """The model folder of `models:/NAME@champion` or `models:/NAME/2`, copied here once.

        A copy that differs from its manifest is made again.

        Raises:
            InputError: there is no such model, or its files are gone or damaged.
        """
        model = self._find(address)
        origin = sha256_bytes(model.source.encode())[:10]  # another MLflow has such a name, too
        place = self._settings.home / "models" / f"{model.name}-{model.version}-{origin}"
        if not (place / WEIGHTS).exists() or model_differences(place):
            self._download(model, address, place)
        return place

    def _download(self, model: Registered, address: str, place: Path) -> None:
        """Copy a registered model's folder from MLflow's artifacts, in the place of one there."""
        import mlflow
        from mlflow.exceptions import MlflowException

        source = self.client.get_model_version_download_uri(model.name, str(model.version))
        place.parent.mkdir(exist_ok=True)
        remove_unfinished(place.parent)  # of a process that was killed
        with temporary_folder(place) as temporary:
            try:
                fetched = mlflow.artifacts.download_artifacts(source, dst_path=str(temporary))
            except (MlflowException, OSError):
                raise InputError(
                    f"{address}: its files are not in {source} any more; bring them back, or "
                    "register another run"
                ) from None
            weights = next(Path(fetched).rglob(WEIGHTS), None)
            if weights is None:
                raise InputError(f"{address}: was not made by rnnkit, it has no weights")
            if differences := model_differences(weights.parent):
                raise InputError(
                    f"{address}: a model must be as it was registered, but in {source} "
                    f"{'; '.join(differences)}; bring the files back, or register another run"
                )
            with suppress(OSError):  # a damaged copy, or none
                place.rename(temporary / "replaced")
            with suppress(OSError):  # another process was first, with the same content
                weights.parent.rename(place)

    def _find(self, address: str) -> Registered:
        from mlflow.exceptions import MlflowException

        name, at, alias = address.removeprefix("models:/").partition("@")
        try:
            if at:
                return _registered(self.client.get_model_version_by_alias(name, alias))
            name, _, number = name.rpartition("/")
            return _registered(self.client.get_model_version(name, number))
        except MlflowException:
            names = sorted(model.name for model in self.client.search_registered_models())
            listed = f"there are {', '.join(names)}" if names else "no model is registered yet"
            raise InputError(
                f"{address}: there is no such model; {listed}, as models:/NAME@champion or "
                "models:/NAME/1"
            ) from None


def _example_and_signature(folder: RunFolder, home: Path) -> tuple[Any, Any]:
    """A list with an input of a model, and the signature of its answer; None twice without one.

    MLflow would make a signature of the input, too, of an example that comes alone.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.models import infer_signature

    with suppress(MlflowException, TypeError):  # an answer in a form that MLflow has no type for
        if (example := example_of(folder, home)) is not None:
            value, answer = example
            return [value], infer_signature(None, answer)
    return None, None


@contextmanager
def _without_check_of_requirements() -> Iterator[None]:
    """MLflow does not check the requirements of a model that it saves: they are the versions in
    use, and it reads the files of all installed packages for it, half a second of CPU."""
    from mlflow.utils import environment

    name = "warn_dependency_requirement_mismatches"
    check = getattr(environment, name)
    setattr(environment, name, lambda requirements: None)
    try:
        yield
    finally:
        setattr(environment, name, check)


def _use_login(login: str | None) -> None:
    """Sets the variables in which MLflow's client looks for the login of its tracking server.

    Without a login those of another output folder are removed, the user's own stay.
    """
    global _login
    if login is not None:
        values = login.partition(":")[::2]
        os.environ.update(zip(LOGIN, values, strict=True))
    elif _login is not None and _login == ":".join(os.environ.get(name, "") for name in LOGIN):
        for name in LOGIN:
            del os.environ[name]
    _login = login


def _registered(entry: Any) -> Registered:
    return Registered(entry.name, int(entry.version), entry.tags.get(ID, ""), entry.source)
