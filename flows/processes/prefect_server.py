"""Prefect's server as `uvicorn --factory flows.processes.prefect_server:app` starts it."""

import os
from pathlib import Path

from starlette.types import ASGIApp

from flows.processes.access_token import HOME_VARIABLE, read_token
from flows.processes.protection import protected
from rnnkit.runtime.process_settings import collect_garbage_rarely


def app() -> ASGIApp:
    """Prefect's own app for the output folder that the environment names, protected."""
    collect_garbage_rarely()
    from prefect.server.api.server import create_app

    return protected(create_app(), read_token(Path(os.environ[HOME_VARIABLE])))
