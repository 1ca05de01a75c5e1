"""The process behind a schedule: it asks Prefect for runs that are due, and starts them."""

import asyncio
import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.runner import Runner
from prefect.schedules import Cron, Interval
from prefect.states import Crashed
from prefect.types.entrypoint import EntrypointType

from flows.console import out
from flows.processes.terminal import leave_terminal
from flows.schedule import pause
from flows.schedule.flow import report_crash, run_scheduled
from flows.schedule.pause import Pause
from rnnkit.params import Experiment

GRACE_SECONDS = 20  # seconds a run in progress gets to leave off
POLL_SECONDS = 0.1  # seconds between two looks at it


def serve(
    experiment: Experiment,
    options: dict[str, Any],
    cron: str | None,
    timezone: str | None,
    every: timedelta | None,
) -> tuple[int, bool]:
    """Starts the schedule's runs, one at a time, until a signal ends it.

    Args:
        options: further parameters of `run_scheduled`.
        timezone: of `cron`.

    Returns:
        the signal's number, and whether it interrupted a run.
    """
    folder = Path(options["home"]) / "schedules" / experiment.name
    paused = clear_previous(experiment.name, folder)
    run_scheduled.on_crashed(report_crash)
    # A limit of the deployment's own would count a run for ever that died with its server.
    runner = _Runner(name=experiment.name, limit=1)
    runner.folder = folder
    active = not paused.schedule
    if cron is not None:
        schedule = Cron(cron, timezone=timezone, active=active)
    else:
        assert every is not None
        schedule = Interval(every, active=active)
    runner.add_flow(
        run_scheduled,
        name=experiment.name,
        schedules=[schedule],
        paused=paused.deployment,
        parameters={"experiment": experiment.model_dump(mode="json"), **options},
        description=f"{experiment.name}, {f'{cron} {timezone}' if cron else f'every {every}'}",
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    if paused:
        out.print("It was paused on its page and stays so; switch it on there.", markup=False)
    pause.forget(folder)
    with _own_signals():
        try:
            asyncio.run(runner.start())
        except (asyncio.CancelledError, Exception):
            if runner.ended_by is None:
                raise  # else it ends, whatever goes wrong on the way: a server may be gone, too
    assert runner.ended_by is not None
    return runner.ended_by, runner.interrupted


def clear_previous(name: str, folder: Path) -> Pause:
    """Clears up after an earlier schedule of an experiment's name; there is one at a time.

    Runs that have not begun are deleted: they have the params of their own time. Those that are
    in state RUNNING have crashed, as they end with their schedule.

    Args:
        folder: of the schedule.

    Returns:
        whether a person paused it on its page.
    """
    with get_client(sync_client=True) as client:
        try:
            deployment = client.read_deployment_by_name(f"{run_scheduled.name}/{name}")
        except ObjectNotFound:
            return pause.NONE
        paused = pause.chosen(deployment, folder)
        pause.keep(paused, folder)
        client.pause_deployment(deployment.id)  # until it is served, Prefect adds none
        while runs := client.read_flow_runs(  # it gives 200 at once
            flow_run_filter=_runs_of(deployment.id, StateType.SCHEDULED, StateType.PENDING)
        ):
            for run in runs:
                client.delete_flow_run(run.id)
        gone: State[Any] = Crashed(message="its schedule was killed")
        for run in client.read_flow_runs(
            flow_run_filter=_runs_of(deployment.id, StateType.RUNNING)
        ):
            client.set_flow_run_state(run.id, gone, force=True)
    return paused


def _runs_of(deployment: UUID, *types: StateType) -> FlowRunFilter:
    return FlowRunFilter.model_validate(
        {"deployment_id": {"any_": [deployment]}, "state": {"type": {"any_": [*types]}}}
    )


class _Runner(Runner):
    """Prefect's own, which SIGTERM and a closed terminal end as Ctrl-C does, and its run with it.

    Prefect's answer to Ctrl-C waits for the run to come to its end, and the one to SIGTERM ends
    in the middle of itself.
    """

    ended_by: int | None = None
    interrupted = False
    folder: Path
    """Of the schedule."""

    async def start(self, run_once: bool = False, webserver: bool | None = None) -> None:
        """Serves until a signal cancels it."""
        self._serving = asyncio.current_task()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._end, signal.SIGINT)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
            loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        await super().start(run_once, webserver)

    def handle_sigterm(self, *_: Any) -> None:
        """What Prefect installs for SIGTERM."""
        self._end(signal.SIGTERM)

    def _hang_up(self) -> None:
        leave_terminal()
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self.ended_by is None and self._serving is not None:
            self.ended_by = number
            run_scheduled.on_crashed_hooks.clear()  # a run that is ended here has not crashed
            self._serving.cancel()

    async def __aexit__(self, *error: Any) -> None:
        """What waits for the run in progress cannot be cancelled, so the run is ended itself."""
        ending = asyncio.create_task(self._end_runs())
        async with asyncio.timeout(2 * GRACE_SECONDS):  # a server that is gone is asked for minutes
            await self._keep_pause()
            await super().__aexit__(*error)
        ending.cancel()

    async def _keep_pause(self) -> None:
        """Writes whether a person paused it: Prefect pauses it when its process ends."""
        with suppress(PrefectHTTPStatusError, httpx.TransportError):
            for deployment_id in self._deployment_registry.get_deployment_ids():
                deployment = await self._client.read_deployment(deployment_id)
                pause.keep(pause.chosen(deployment, self.folder), self.folder)

    async def _end_runs(self) -> None:
        asked: dict[int | None, float] = {}
        while True:
            for child in multiprocessing.active_children():
                if child.pid not in asked:
                    asked[child.pid], self.interrupted = time.monotonic(), True
                    child.terminate()
                elif time.monotonic() > asked[child.pid] + GRACE_SECONDS:
                    child.kill()
            await asyncio.sleep(POLL_SECONDS)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ctrl-C goes to the whole terminal, as its end does, but not to the runs: this process ends
    them.

    They inherit from its main thread that the signals are blocked; another thread takes them here.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    over = threading.Event()
    threading.Thread(target=over.wait, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGHUP})
        for number, handler in before.items():
            signal.signal(number, handler)
        over.set()
