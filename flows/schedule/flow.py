"""A scheduled run: the experiment of its date, and whether its model becomes the champion."""

import json
import multiprocessing
import os
import socket
import subprocess
import time
import urllib.request
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.flow_engine import FlowRunTimeoutError
from prefect.runtime import flow_run as this_run
from prefect.utilities.timeout import timeout as time_limit

from flows import console
from flows import settings as places
from flows.experiment import FLOW, parameters_of, run_experiment
from flows.pages import FlowRun, Pages, TaskRun, key_of
from flows.processes.lost_exceptions import resending, unwrapping
from flows.processes.workers import Parent, settle
from flows.settings import Settings
from flows.tracking.mirror import register
from flows.tracking.registry import Registered, Registry
from rnnkit.errors import InputError, as_message, input_error
from rnnkit.evaluation.champion import Verdict, compare_with_champion, incomparable
from rnnkit.params import Experiment, load
from rnnkit.runs.run_folder import RunFolder

VERDICT = "rnnkit.evaluation.champion"
"""The tag of a model's version, and of its run, with the result of its challenge."""
RETRY_SECONDS = 30  # seconds before another try
NOTIFY_SECONDS = 60  # seconds a command or an address of --on-failure may take


def report_crash(flow: Any, flow_run: Any, state: Any) -> None:
    """For a run whose process was killed; Prefect calls it in the one that starts the runs.

    In the run's own process it would be called where a signal ends the run, which is no failure.
    """
    if multiprocessing.parent_process() is not None:
        return
    date, given = date_of(flow_run.expected_start_time), flow_run.parameters
    reason, _ = _notify_failure(
        given["experiment"]["name"], date, state.message, given["on_failure"]
    )
    _print_end(date, given["experiment"]["name"], f"failed: {reason}")


@flow(name="scheduled", flow_run_name="{experiment.name}", log_prints=False)
def run_scheduled(
    experiment: Experiment,
    home: Path = Path("mlruns"),
    from_champion: bool = False,
    retries: int = 2,
    timeout: float | None = None,
    on_failure: str | None = None,
) -> dict[str, Any]:
    """The experiment of this date; the better of its model and the champion is the champion.

    Args:
        experiment: what to run.
        home: the output folder.
        from_champion: start from the champion's weights, if there is a champion.
        retries: how often a failed run is tried again; it goes on where it stopped.
        timeout: seconds one try may take; None: any.
        on_failure: a shell command, or an address that gets a POST request.

    Returns:
        run (its id), promoted, reason.
    """
    places.apply(places.read(home))
    console.out.quiet = True
    warnings.filterwarnings("ignore", module=console.QUIET)
    schedule = multiprocessing.parent_process()
    if schedule is not None and schedule.pid is not None:  # a killed schedule leaves no run behind
        settle(Parent(socket.gethostname(), schedule.pid))
    date = date_of(this_run.scheduled_start_time)
    try:
        settings = places.read(home)
        registry = Registry(settings)
        champion = registry.champion(experiment.name)
        if from_champion and champion is not None:
            start = registry.fetch(f"models:/{champion.name}/{champion.version}")
            experiment = experiment.replace({"train.start_from": str(start)})
        with Pages() as pages:
            scheduled = FlowRun(pages, UUID(this_run.id) if this_run.id else None)
            with (
                resending(),
                pages.flow_run(
                    FLOW, experiment.name, parameters_of(experiment, settings, date, 0), scheduled
                ) as flow_run,
            ):
                run = _attempts(experiment, settings, date, retries, timeout, flow_run)
            with scheduled.task("challenge") as task:
                outcome = challenge_champion(run, settings, task)
    except Exception as error:
        reason, mishap = _notify_failure(experiment.name, date, f"{error}", on_failure)
        if mishap is not None:  # it must not hide why the run failed
            error.add_note(f"{on_failure} was not notified: {mishap}")
        _print_end(date, experiment.name, f"failed: {type(error).__name__}: {reason}")
        raise
    _print_end(date, outcome["run"], _outcome(outcome["promoted"], outcome["reason"]))
    return outcome


@flow(name="scheduled file", flow_run_name="{params}", log_prints=False)
def run_scheduled_file(
    params: str,
    home: Path = Path("mlruns"),
    from_champion: bool = False,
    retries: int = 2,
    timeout: float | None = None,
    on_failure: str | None = None,
) -> dict[str, Any]:
    """As `run_scheduled`, of a params file as it stands when the run begins."""
    outcome: dict[str, Any] = run_scheduled(
        load(Path(params)), home, from_champion, retries, timeout, on_failure
    )
    return outcome


def _attempts(
    experiment: Experiment,
    settings: Settings,
    date: str,
    retries: int,
    timeout: float | None,
    flow_run: FlowRun,
) -> RunFolder:
    """The finished run of a date; one that fails goes on after a pause, as often as `retries`, but
    not for bad input."""
    for left in range(retries, -1, -1):
        try:
            with time_limit(timeout, FlowRunTimeoutError), unwrapping():
                done = run_experiment(experiment, settings, flow_run, date)
            break
        except Exception as error:
            if not left or input_error(error):  # bad input stays bad
                raise
            flow_run.retry(error, RETRY_SECONDS)
        time.sleep(RETRY_SECONDS)
        flow_run.retrying()
    return RunFolder(settings.runs / done["run"])


def challenge_champion(run: RunFolder, settings: Settings, task: TaskRun) -> dict[str, Any]:
    """Registers a finished run's model, and promotes it if it is better than the champion.

    It is better where the paired bootstrap on the run's own test items says so. The first model of
    a name is its champion; where it is not shown to beat its best baseline, the outcome says so.

    Args:
        task: shows the outcome in Prefect's pages.
    """
    registry = Registry(settings)
    name = run.experiment.name
    model = register(run, settings)
    champion = registry.champion(name)
    if champion is not None and champion.version == model.version:
        return {"run": run.id, "promoted": True, "reason": "it is the champion already"}
    if champion is None:
        verdict = Verdict(None, f"there was no champion before it{_not_better(run)}")
    else:
        try:
            place = registry.fetch(f"models:/{name}/{champion.version}")
            verdict = compare_with_champion(run, place, settings.home)
        except InputError as error:  # its files are gone or damaged
            verdict = Verdict(None, incomparable(run, error))
    promoted = champion is None or verdict.is_better
    outcome = _outcome(promoted, verdict.reason)
    registry.tag(model, {VERDICT: outcome})
    _show_outcome(run, model, champion, outcome, task)
    if promoted:  # last: where it is killed before, the challenge is repeated
        registry.promote(model)
    return {"run": run.id, "promoted": promoted, "reason": verdict.reason}


def _not_better(run: RunFolder) -> str:
    """Behind a first champion's outcome: how it does against its best baseline, unless better."""
    change, sentence = run.result.get("difference"), run.result["verdict"]
    if change is None:  # no interval, or no baseline
        return f"; {sentence}" if sentence else ""
    if change["verdict"] == "better":
        return ""
    return f", but it does not beat its best baseline: {sentence}"


def date_of(moment: datetime | None) -> str:
    """When a run was to begin, as its identity has it.

    >>> date_of(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC))
    '2026-01-02T03:04:05Z'
    """
    utc = (moment or datetime.now(UTC)).astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def _outcome(promoted: bool, reason: str) -> str:
    return f"{'promoted' if promoted else 'declined'}: {reason}"


def _notify_failure(
    name: str, date: str, error: str, on_failure: str | None
) -> tuple[str, Exception | None]:
    """Calls --on-failure; returns the failure as it is printed, and the error of the call."""
    error = places.without_secrets(error)
    if not on_failure:
        return error, None
    try:
        notify(on_failure, {"name": name, "date": date, "error": error})
    except Exception as mishap:
        return f"{error}; --on-failure failed, too: {mishap}", mishap
    return error, None


def _print_end(date: str, name: str, outcome: str) -> None:
    """A line on the screen of the schedule, whose process this one's output is."""
    print(f"{date}  {name}  {as_message(outcome)}", flush=True)


def _show_outcome(
    run: RunFolder, model: Registered, champion: Registered | None, outcome: str, task: TaskRun
) -> None:
    before = f"version {champion.version} ({champion.run_id})" if champion else "none"
    task.markdown(
        key_of(run.experiment.name, "champion"),
        f"## {run.experiment.name}, version {model.version}\n\n**{outcome}**\n\n"
        f"- run: `{run.id}`\n- champion before: {before}\n- {run.result['verdict']}\n",
        outcome,
    )


def notify(to: str, facts: Mapping[str, str]) -> None:
    """Notifies of a failed run.

    Args:
        to: an address that begins with http:// or https://, which gets the facts as JSON; anything
            else is a shell's command line, which gets them as variables RNNKIT_NAME and so on.
            $VARIABLE and ${VARIABLE} stand for what they are now, so that a secret is kept nowhere.

    Raises OSError or subprocess.SubprocessError where that fails.
    """
    address = os.path.expandvars(to)
    if address.startswith(("http://", "https://")):
        request = urllib.request.Request(
            address,
            data=json.dumps(facts).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=NOTIFY_SECONDS):
            return
    environment = os.environ | {f"RNNKIT_{name.upper()}": value for name, value in facts.items()}
    subprocess.run(to, shell=True, check=True, timeout=NOTIFY_SECONDS, env=environment)
