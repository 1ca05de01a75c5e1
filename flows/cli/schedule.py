"""`rnnkit schedule`: an experiment again and again, by itself."""

import os
import re
import warnings
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from flows import settings as places
from flows.cli.options import (
    MLRUNS,
    Home,
    Params,
    Set,
    load_params,
    mlflow_failures,
    print_aligned,
)
from flows.launcher import BUSY, Failure, prefect
from rnnkit.errors import InputError

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
MAX_DAYS = 36_500  # days; neither Prefect nor timedelta can count to any number


def schedule(
    params: Params,
    set_: Set = None,
    cron: Annotated[str | None, typer.Option(help='When, as "0 3 * * *": at three.')] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Of --cron, as Europe/Berlin; this machine's where left out.")
    ] = None,
    every: Annotated[str | None, typer.Option(help="How often, as 30m, 6h or 1d.")] = None,
    from_champion: Annotated[
        bool, typer.Option("--from-champion", help="Start from the champion's weights.")
    ] = False,
    retries: Annotated[int, typer.Option(min=0, help="Further tries of a run that fails.")] = 2,
    timeout: Annotated[str | None, typer.Option(help="The longest a try may take, as 6h.")] = None,
    on_failure: Annotated[
        str | None,
        typer.Option(
            help="A command to run, or an address to POST to, on a failure; with $VARIABLES."
        ),
    ] = None,
    prefect_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Of Prefect's pages, where none are up.")
    ] = 4200,
    mlruns: Home = MLRUNS,
) -> None:
    """Run an experiment by the clock until Ctrl-C; a better model becomes the champion."""
    if (cron is None) == (every is None):
        raise InputError('give one of --cron "0 3 * * *" and --every 6h')
    experiment = load_params(params, set_)
    if experiment.variants or experiment.seeds:
        raise InputError(f"{experiment.name}: a schedule runs one network; leave variants out")
    if timezone is not None and cron is None:
        raise InputError("--timezone is for --cron; --every counts from now, leave it out")
    interval = None if every is None else duration(every, "--every")
    limit = None if timeout is None else duration(timeout, "--timeout").total_seconds()
    if cron is not None:
        _check_cron(cron)
        timezone = _zone(timezone)
    from rnnkit.runs.identity import identify

    identify([experiment])  # a missing file is refused before anything is started
    settings = places.read(mlruns)
    from flows.tracking.database import check

    with mlflow_failures():
        check(settings)
    options: dict[str, Any] = {
        "home": str(settings.home),
        "from_champion": from_champion,
        "retries": retries,
        "timeout": limit,
        "on_failure": on_failure,
    }
    from rnnkit.runs.run_folder import Busy, RunFolder

    try:
        with RunFolder(settings.home / "schedules" / experiment.name).lock():
            _serve(experiment, settings, options, cron, timezone, interval, prefect_port)
    except Busy:
        raise Failure(f"{experiment.name} is scheduled by another process", BUSY) from None


def duration(text: str, option: str) -> timedelta:
    """A span of time, or InputError.

    >>> duration("6h", "--every")
    datetime.timedelta(seconds=21600)
    """
    match = re.fullmatch(r"(\d{1,12})([smhd])", text)
    seconds = int(match[1]) * SECONDS[match[2]] if match else 0
    if not 0 < seconds <= MAX_DAYS * SECONDS["d"]:
        raise InputError(
            f"{option} {text}: write a number and s, m, h or d, as 6h, of at most {MAX_DAYS}d"
        )
    return timedelta(seconds=seconds)


def _check_cron(cron: str) -> None:
    from cronsim import CronSim, CronSimError

    try:
        CronSim(cron, datetime.now())
    except CronSimError:
        raise InputError(
            f'--cron {cron}: write minute, hour, day, month and weekday, as "0 3 * * *"'
        ) from None


def _zone(name: str | None) -> str:
    """A time zone that is known by its name: this machine's for None; else InputError.

    Prefect takes names alone, and TZ may hold a rule such as CET-1CEST, which has none.
    """
    from zoneinfo import ZoneInfo

    from tzlocal import get_localzone_name

    given = f"--timezone {name}" if name is not None else "the time zone of this machine"
    try:
        if name is None:
            name = os.environ.get("TZ", "").removeprefix(":") or get_localzone_name() or "UTC"
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise InputError(
            f"{given}: has no name that is known; write --timezone Europe/Berlin"
        ) from None
    return name


def _serve(
    experiment: Any,
    settings: Any,
    options: dict[str, Any],
    cron: str | None,
    timezone: str | None,
    every: timedelta | None,
    port: int,
) -> None:
    from flows.processes import servers
    from flows.processes.access_token import opening_address

    def with_pages() -> servers.Server:
        if not servers.is_free(port):
            raise InputError(f"port {port} is taken; choose another with --prefect-port")
        return servers.prefect_with_pages(settings, port)

    try:
        with prefect(settings, with_pages) as server:
            from flows.console import QUIET, out

            warnings.filterwarnings("ignore", module=QUIET)
            from rnnkit.tasks import prepare

            prepare(experiment.data, experiment.task, settings.home)  # bad data end it here
            from flows.schedule.serving import serve

            if server:
                server.wait()

            address = os.environ["PREFECT_API_URL"].removesuffix("/api")
            if server:
                address = opening_address(settings.home, address)
            when = f"by cron {cron} in {timezone}" if cron else f"every {every}"
            out.print(f"{experiment.name} runs {when}; Ctrl-C ends the schedule.", markup=False)
            champion = f"models:/{experiment.name}@champion"
            print_aligned({"runs and their form": address, "the champion": champion})
            number, interrupted = serve(experiment, options, cron, timezone, every)
            amid = "; rnnkit resume goes on with the run it was in" if interrupted else ""
            raise Failure(f"the schedule has ended{amid}", 128 + number)
    except servers.ServerFailed as failure:
        raise Failure(str(failure)) from None
