"""MLflow's server as `uvicorn --factory flows.tracking.mlflow_server:app` starts it.

`mlflow server` starts uvicorn in a process of its own and cannot put anything before its app.
"""

import os
from pathlib import Path

from starlette.types import ASGIApp

from flows import settings as places
from flows.processes.access_token import HOME_VARIABLE, read_token
from flows.processes.protection import protected


def app() -> ASGIApp:
    """MLflow's own app for the output folder that the environment names, protected."""
    settings = places.read(Path(os.environ[HOME_VARIABLE]))
    artifacts = str(settings.artifacts)
    from mlflow.server import constants

    os.environ |= {
        constants.BACKEND_STORE_URI_ENV_VAR: settings.tracking,
        constants.REGISTRY_STORE_URI_ENV_VAR: settings.tracking,
        constants.ARTIFACT_ROOT_ENV_VAR: artifacts,
        constants.ARTIFACTS_DESTINATION_ENV_VAR: artifacts,
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
    }
    from mlflow.server.handlers import initialize_backend_stores

    # The first requests would otherwise make the tables, several at once.
    initialize_backend_stores(settings.tracking, settings.tracking, artifacts)
    from mlflow.server.fastapi_app import app as pages

    return protected(pages, read_token(settings.home))
