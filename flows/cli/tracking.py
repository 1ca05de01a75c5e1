"""`rnnkit register`, `rnnkit sync` and `rnnkit up`: models and runs in MLflow, and its pages."""

import re
import shlex
import socket
import sys
import time
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from flows import settings as places
from flows.cli.options import (
    INTERRUPTED,
    MLRUNS,
    TERMINATED,
    Home,
    Json,
    Run,
    mlflow_failures,
    print_aligned,
    print_json,
    print_line,
    short,
)
from flows.cli.runs import find_run
from flows.launcher import Failure
from rnnkit.errors import InputError, as_message
from rnnkit.runtime.files import write_atomic

if TYPE_CHECKING:
    from flows.processes.servers import Interface
    from flows.tracking.sync import Synced

MAX_VIEWS = 5
"""Experiments whose lists of runs `rnnkit up` prints the addresses of."""
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def register(
    run: Run,
    champion: Annotated[
        bool, typer.Option("--champion", help="Make it the champion of its name.")
    ] = False,
    mlruns: Home = MLRUNS,
) -> None:
    """Register a run's model in MLflow, under its experiment's name."""
    settings = places.read(mlruns)
    folder = find_run(settings, run)
    places.apply(settings)
    with mlflow_failures():
        from flows.tracking.mirror import register as register_model
        from flows.tracking.registry import Registry

        model = register_model(folder, settings)
        if champion:
            Registry(settings).promote(model)
    alias = "@champion" if champion else f"/{model.version}"
    suffix = ", the champion" * champion
    print_line(f"{folder.id} is models:/{model.name}/{model.version}{suffix}")
    address = shlex.quote(places.without_secrets(settings.tracking))
    print_aligned(
        {
            "predict": f"rnnkit predict models:/{model.name}{alias}",
            "serve": f"MLFLOW_TRACKING_URI={address} mlflow models serve "
            f"-m models:/{model.name}{alias} --env-manager local",
        }
    )


def sync(
    mlruns: Home = MLRUNS,
    as_json: Json = False,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild", help="Set mlflow.db aside and make it anew from the run folders."
        ),
    ] = False,
) -> None:
    """Send MLflow the runs that it lacks, because it was down or is another one now."""
    settings = places.read(mlruns)
    places.apply(settings)
    with mlflow_failures():
        done = _rebuilt(settings, as_json) if rebuild else _sent(settings, as_json)
    if as_json:
        print_json([asdict(synced) for synced in done])
        return
    sent = sum(synced.sent for synced in done)
    summary = f"{sent} sent to MLflow, {sum(not synced.sent for synced in done)} left as they were"
    for end, why in (("running", "are being worked on"), ("unreadable", "cannot be read")):
        count = sum(synced.end == end for synced in done)
        summary += f"; {count} {why}" if count else ""
    print_line(summary)


def _sent(settings: places.Settings, quiet: bool) -> "list[Synced]":
    from flows.tracking.sync import sync as send_lacking

    done = []
    for synced in send_lacking(settings):
        done.append(synced)
        if synced.sent and not quiet:
            print_line(f"  {synced.run}  {synced.end}")
    return done


def _rebuilt(settings: places.Settings, quiet: bool) -> "list[Synced]":
    from flows.processes import servers
    from flows.tracking.rebuild import rebuild

    if servers.announced(settings):
        raise InputError("--rebuild: rnnkit up has mlflow.db open; end it first")
    rebuilt = rebuild(settings)
    for sentence in rebuilt.lost:
        print(f"rnnkit: {as_message(sentence)}", file=sys.stderr)
    if rebuilt.aside is not None and not quiet:
        print_line(f"the old database is {short(rebuilt.aside)}")
    return rebuilt.synced


def up(
    mlruns: Home = MLRUNS,
    mlflow_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port of MLflow's pages.")
    ] = 5000,
    prefect_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port of Prefect's pages.")
    ] = 4200,
    open_: Annotated[bool, typer.Option("--open", help="Open both pages in the browser.")] = False,
    host: Annotated[
        str,
        typer.Option(help="This machine's address to listen on; 0.0.0.0: all of them."),
    ] = "127.0.0.1",
    name: Annotated[
        list[str] | None,
        typer.Option(help="Name or address by which others reach it; may be repeated."),
    ] = None,
) -> None:
    """Serve MLflow's and Prefect's pages until Ctrl-C, on this machine unless --host says other."""
    from flows.processes import servers
    from flows.tracking.database import check
    from flows.tracking.locations import update_locations

    settings = places.read(mlruns)
    if running := servers.announced(settings):
        _show_pages(settings, running["mlflow"], running["prefect"], open_)
        print_line("They are running already, in another terminal.")
        return
    places.apply(settings)
    if mlflow_port == prefect_port:
        raise InputError(f"each server needs a port of its own, both were given {mlflow_port}")
    at = _interface(host, name or [])
    for port in (mlflow_port, prefect_port):
        if not servers.is_free(port, host):
            raise InputError(
                f"port {port} is taken; choose others with --mlflow-port and --prefect-port"
            )
    with mlflow_failures():
        check(settings)
    update_locations(settings)
    pages = servers.mlflow_pages(settings, mlflow_port, at)
    prefect = servers.prefect_with_pages(settings, prefect_port, at)
    try:
        print_line("starting …")
        pages.wait()
        prefect.wait()
        servers.announce(settings, prefect.url, pages.url)
        _show_pages(settings, pages.url, prefect.url, open_)
        print_line("Ctrl-C ends both.")
        while pages.process.poll() is None and prefect.process.poll() is None:
            time.sleep(1)
        raise Failure(f"a server has ended by itself; its output is in {settings.home}")
    except (KeyboardInterrupt, SystemExit) as end:
        print_line("\nending both …")
        status = TERMINATED if isinstance(end, SystemExit) else INTERRUPTED
        raise Failure("both servers have ended", status) from None
    except servers.ServerFailed as failure:
        raise Failure(str(failure)) from None
    finally:
        servers.withdraw(settings)
        pages.stop()
        prefect.stop()


def _interface(host: str, names: list[str]) -> "Interface":
    """Where servers listen; InputError for what is no name, and for names of a server that only
    this machine reaches."""
    from flows.processes.servers import ANY, HOST, Interface

    for option, text in [("--host", host), *(("--name", text) for text in names)]:
        if not HOST_NAME.fullmatch(text):
            raise InputError(
                f"{option} {text}: must be a name or an IPv4 address, without port, as {ANY}"
            )
    if names and host == HOST:
        raise InputError(f"--name is for other machines, which reach none at {HOST}; give --host")
    if host == ANY and not names:
        names = [socket.gethostname()]
    return Interface(host, tuple(names))


def _show_pages(settings: places.Settings, mlflow: str, prefect: str, open_: bool) -> None:
    """Prints the addresses that open the pages, and opens them."""
    import webbrowser

    from flows.processes.access_token import opening_address
    from flows.tracking.view_links import TRAINING, local_experiments, view_path

    servers = {"MLflow": mlflow, "Prefect": prefect.removesuffix("/api")}
    addresses = {name: opening_address(settings.home, url) for name, url in servers.items()}
    views = {
        f"runs of {name}": addresses["MLflow"] + view_path(number).lstrip("/")
        for name, number in islice(local_experiments(settings).items(), MAX_VIEWS)
    }
    addresses["MLflow"] += f"#/?{TRAINING}"
    print_aligned({**addresses, **views}, indent="")
    if open_:
        for name, address in addresses.items():
            # Every user of the machine sees a browser's arguments, so a file leads to the address.
            page = settings.home / f"open-{name.lower()}.html"
            write_atomic(page, f'<meta http-equiv="refresh" content="0; url={address}">\n')
            webbrowser.open(page.as_uri())
