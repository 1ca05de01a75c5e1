"""Starts flows: Prefect's server is there while they run, and what goes wrong becomes one line.

Nothing heavy is imported before the server is on its way, for both take as long.
"""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rnnkit.errors import InputError
from rnnkit.runtime.files import write_traceback

FAILED, BUSY = 1, 75
PARAMS = (".yaml", ".yml")
"""How the name of a params file ends."""
WORKERS = 2
"""Runs of a comparison at once, where nothing is said."""


class Failure(RuntimeError):
    """What was asked for failed: one line and an exit status."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


def run_all(experiments: Sequence[Any], settings: Any, again: int, quiet: bool) -> list[Any]:
    """The runs of some experiments, one after the other; those that are finished are found.

    Args:
        experiments: each with its params resolved.
        settings: where things are.
        again: how many runs of the same came before.
        quiet: nothing on the screen.

    Returns:
        their folders.

    Raises:
        Failure: one failed, or another process is running it.
    """
    from rnnkit.runs.identity import inputs_sha256
    from rnnkit.runs.run_folder import RunFolder

    folders = [
        RunFolder(settings.runs / RunFolder.identity(each, inputs_sha256(each), "", again))
        for each in experiments
    ]
    waiting = [
        (each, folder)
        for each, folder in zip(experiments, folders, strict=True)
        if folder.status != "finished"
    ]

    if waiting:
        with prefect(settings) as server:
            for each, folder in waiting:
                flow = _experiment(each, settings, "", again)
                _told(flow, settings, server, folder.id, folder.path, quiet, (each,))
    return folders


def go_on(run: Any, settings: Any, quiet: bool) -> None:
    """A run that was begun, to its end, from its folder alone.

    Raises:
        InputError: the files that it was begun with have changed.
        Failure: it failed, or another process is running it.
    """
    from rnnkit.runs.identity import inputs_sha256
    from rnnkit.runs.run_folder import RunFolder
    from rnnkit.runtime.files import read_json

    experiment, facts = run.experiment, read_json(run.path / "fingerprint.json")
    date, again = facts["date"], facts["again"]
    if RunFolder.identity(experiment, inputs_sha256(experiment), date, again) != run.id:
        raise InputError(
            f"{run.id}: its data are not those it was begun with; begin a new one with: "
            f"rnnkit run {run.path / 'params.yaml'}"
        )
    with prefect(settings) as server:
        flow = _experiment(experiment, settings, date, again)
        _told(flow, settings, server, run.id, run.path, quiet, (experiment,))


def compare_variants(experiment: Any, settings: Any, workers: int, quiet: bool) -> Path:
    """The folder of a comparison of variants and seeds, made or found.

    Raises:
        InputError: there is nothing to compare.
        Failure: a run failed, or another process is making this very comparison.
    """
    from flows.compare.folders import comparison_folder, member_folder
    from rnnkit.evaluation.comparison.members import members

    each = members(experiment)
    runs = [member_folder(member, settings) for member in each]
    names = [member.variant for member in each]
    folder = comparison_folder(settings, experiment.name, runs, names)
    if folder.status == "finished":
        return folder.path

    def flow() -> Any:
        from flows.compare.comparison import compare_variants

        return compare_variants(experiment, settings.home, workers)

    with prefect(settings) as server:
        _told(flow, settings, server, folder.id, folder.path, quiet, (experiment,))
    return folder.path


def refuse_no_comparison(names: Sequence[str]) -> None:
    """Raises InputError for names of runs that make no comparison."""
    for name in names:
        if name.endswith(PARAMS):
            raise InputError(
                f"{name}: is a params file, one of {len(names)} names; give one params file, or "
                "runs by their ids"
            )
        if names.count(name) > 1:
            raise InputError(f"{name}: is given {names.count(name)} times; give each run once")
    if len(names) < 2:
        told = f"{names[0]}: is one run" if names else "there is no run"
        raise InputError(
            f"{told}, and nothing to compare it with; give two or more, or a params file with "
            "variants"
        )


def compare_runs(runs: Sequence[Any], settings: Any, quiet: bool) -> Path:
    """The folder of a comparison of finished runs, made or found.

    Raises:
        InputError: they cannot be compared.
        Failure: another process is making this very comparison.
    """
    from flows.compare.folders import comparison_folder

    refuse_no_comparison([run.id for run in runs])  # one run has several names
    folder = comparison_folder(settings, runs[0].experiment.name, runs)
    if folder.status == "finished":
        return folder.path

    def flow() -> Any:
        from flows.compare.comparison import compare_runs

        return compare_runs([str(run.path) for run in runs], settings.home)

    with prefect(settings) as server:
        _told(flow, settings, server, folder.id, folder.path, quiet, ())
    return folder.path


@contextmanager
def prefect(settings: Any, start: Callable[[], Any] | None = None) -> Iterator[Any]:
    """Prefect's server: the one there is, or one of its own, which is yielded and ends with this.

    Prefect reads its address once in a process, so several flows share one server.

    Args:
        settings: where things are.
        start: starts the server; None: one with neither pages nor schedules.
    """
    from flows import settings as places
    from flows.processes import servers
    from rnnkit.runtime import process_settings

    process_settings.settle()
    places.apply(settings)
    address = settings.prefect or servers.announced(settings).get("prefect")
    server = None
    try:
        if address is None:
            server = start() if start else servers.prefect_for_a_command(settings)
            address = server.url
        os.environ["PREFECT_API_URL"] = address
        yield server
    finally:
        if server:
            server.stop()


def _experiment(experiment: Any, settings: Any, date: str, again: int) -> Callable[[], Any]:
    def call() -> Any:
        from flows.experiment import run_experiment

        return run_experiment(experiment, settings.home, date, again)

    return call


def _told(
    flow: Callable[[], Any],
    settings: Any,
    server: Any,
    name: str,
    place: Path,
    quiet: bool,
    prepared: Sequence[Any],
) -> None:
    """Calls a flow; a failure of its own is told in a line, with its traceback in `place`."""
    try:
        _call(flow, settings, server, quiet, prepared)
    except (InputError, KeyboardInterrupt, Failure):
        raise
    except Exception as error:  # the flow's own failure, whatever it was
        where = write_traceback(place)
        raise Failure(f"{name} failed: {type(error).__name__}: {error}{where}") from None


def _call(
    flow: Callable[[], Any], settings: Any, server: Any, quiet: bool, prepared: Sequence[Any]
) -> Any:
    """Bad input, a server that does not start and a busy run are told as what they are.

    Args:
        prepared: experiments whose data are prepared while the server starts; bad data end it.
    """
    from flows.processes import servers
    from rnnkit.runs.run_folder import Busy

    try:
        from flows.console import QUIET, out

        warnings.filterwarnings("ignore", module=QUIET)
        import flows.experiment  # noqa: F401  # Prefect is imported while its server starts
        from rnnkit.data.prepare import prepare

        out.quiet = quiet
        with out.status("starting Prefect and MLflow"):
            for experiment in prepared:
                prepare(experiment.data, experiment.task, settings.home)  # bad data end it here
            if server:
                server.wait()
        return flow()
    except (InputError, KeyboardInterrupt):
        raise
    except servers.ServerFailed as failure:
        raise Failure(str(failure)) from None
    except Busy as busy:
        raise Failure(str(busy), BUSY) from None
    except Exception as error:
        cause = _input_error(error)
        if cause is not None:
            raise cause from None
        raise


def _input_error(error: BaseException | None) -> InputError | None:
    """The bad input that a failure comes from, if it does."""
    while error is not None:
        if isinstance(error, InputError):
            return error
        error = error.__cause__ or error.__context__
    return None
