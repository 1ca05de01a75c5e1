"""The connection to Prefect's API: to the server of this command, or to another one.

Importing Prefect's client takes three quarters of a second of CPU. A server that the command itself
has started is on loopback and asks for the token alone, so plain requests do. Another API may want
what Prefect's settings say (keys, certificates, headers), so it gets Prefect's own client.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import httpx

from flows.processes.servers import Server

REQUEST_SECONDS = 60.0
"""Seconds a request may take; one that is sent twice may be carried out twice."""


class Api(Protocol):
    """Prefect's API."""

    def request(self, method: str, path: str, *, json: Any) -> httpx.Response:
        """The answer to a request.

        Raises:
            httpx.HTTPStatusError: its status is 400 or more.
            httpx.TransportError: there was none.
        """


class OwnServer:
    """The API of a server that this command has started.

    Args:
        address: with its login.
    """

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=REQUEST_SECONDS, trust_env=False)

    def request(self, method: str, path: str, *, json: Any) -> httpx.Response:
        """As `Api`."""
        return self._client.request(method, path, json=json).raise_for_status()

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()


@contextmanager
def connection(server: Server | None) -> Iterator[Api]:
    """Prefect's API for as long as the context lasts.

    Args:
        server: one that this command has started; None: the one of Prefect's settings.
    """
    if server is None:
        with _prefects_client() as client:
            yield client
    else:
        api = OwnServer(server.url_with_login)
        try:
            yield api
        finally:
            api.close()


@contextmanager
def _prefects_client() -> Iterator[Any]:
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    timeout = {"timeout": REQUEST_SECONDS}
    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),  # requests are sent again here
        get_client(httpx_settings=timeout, sync_client=True) as client,
    ):
        yield client
