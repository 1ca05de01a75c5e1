"""`rnnkit up`: MLflow's and Prefect's pages."""

import time
from typing import Annotated

import typer

from flows.cli.options import INTERRUPTED, MLRUNS, TERMINATED, Home
from flows.launcher import Failure
from rnnkit.errors import InputError


def up(
    mlruns: Home = MLRUNS,
    mlflow_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port of MLflow's pages.")
    ] = 5000,
    prefect_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port of Prefect's pages.")
    ] = 4200,
) -> None:
    """Serve MLflow's and Prefect's pages on this machine until Ctrl-C."""
    from flows import settings as places
    from flows.processes import servers

    settings = places.read(mlruns)
    if running := servers.announced(settings):
        _print_addresses(running["mlflow"], running["prefect"])
        print("They are running already, in another terminal.")
        return
    places.apply(settings)
    if mlflow_port == prefect_port:
        raise InputError(f"each server needs a port of its own, both were given {mlflow_port}")
    for port in (mlflow_port, prefect_port):
        if not servers.is_free(port):
            raise InputError(
                f"port {port} is taken; choose others with --mlflow-port and --prefect-port"
            )
    pages = servers.mlflow_pages(settings, mlflow_port)
    prefect = servers.prefect_with_pages(settings, prefect_port)
    try:
        print("starting …", flush=True)
        pages.wait()
        prefect.wait()
        servers.announce(settings, prefect.url, pages.url)
        _print_addresses(pages.url, prefect.url)
        print("Ctrl-C ends both.", flush=True)
        while pages.process.poll() is None and prefect.process.poll() is None:
            time.sleep(1)
        raise Failure(f"a server has ended by itself; its output is in {settings.home}")
    except (KeyboardInterrupt, SystemExit) as end:
        print("\nending both …", flush=True)
        status = TERMINATED if isinstance(end, SystemExit) else INTERRUPTED
        raise Failure("both servers have ended", status) from None
    except servers.ServerFailed as failure:
        raise Failure(str(failure)) from None
    finally:
        servers.withdraw(settings)
        pages.stop()
        prefect.stop()


def _print_addresses(mlflow: str, prefect: str) -> None:
    print(f"MLflow   {mlflow}\nPrefect  {prefect.removesuffix('/api')}", flush=True)
