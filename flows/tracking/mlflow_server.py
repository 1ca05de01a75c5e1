"""MLflow's server as `uvicorn --factory flows.tracking.mlflow_server:app` starts it.

`mlflow server` starts uvicorn in a process of its own and cannot put anything before its app.
"""

import os
from pathlib import Path

from starlette.types import ASGIApp

from flows import settings as places
from flows.processes.access_token import HOME_VARIABLE, read_token
from flows.processes.protection import protected
from flows.processes.servers import PROXIED_VARIABLE

DESTINATION_VARIABLE = "MLFLOW_ARTIFACTS_DESTINATION"
"""MLflow's own: an address such as `s3://bucket/folder`."""


def artifact_places(settings: places.Settings) -> tuple[str, str]:
    """The root of the artifacts of new experiments, and where the server stores what it is sent.

    Clients write into a folder of this machine themselves. Those of other machines cannot: they
    send artifacts to the server, as do all where the store is not a folder.
    """
    folder = str(settings.artifacts)
    destination = os.environ.get(DESTINATION_VARIABLE) or folder
    is_sent = os.environ.get(PROXIED_VARIABLE) or destination != folder
    return "mlflow-artifacts:/" if is_sent else folder, destination


def app() -> ASGIApp:
    """MLflow's own app for the output folder that the environment names, protected."""
    settings = places.read(Path(os.environ[HOME_VARIABLE]))
    root, destination = artifact_places(settings)
    from mlflow.server import constants

    os.environ |= {
        constants.BACKEND_STORE_URI_ENV_VAR: settings.tracking,
        constants.REGISTRY_STORE_URI_ENV_VAR: settings.tracking,
        constants.ARTIFACT_ROOT_ENV_VAR: root,
        constants.ARTIFACTS_DESTINATION_ENV_VAR: destination,
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
    }
    from mlflow.server.handlers import initialize_backend_stores

    # The first requests would otherwise make the tables, several at once.
    initialize_backend_stores(settings.tracking, settings.tracking, root)
    from mlflow.server.fastapi_app import app as pages

    return protected(pages, read_token(settings.home))
