"""Starts flows: Prefect's server is there while they run, and a failure becomes one line.

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
"""Runs of a comparison at once, by default."""


class Failure(RuntimeError):
    """A command failed: one line and an exit status."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


def run_all(
    experiments: Sequence[Any],
    settings: Any,
    again: int,
    quiet: bool,
    identities: Sequence[Any] = (),
) -> list[Any]:
    """The runs of some experiments, one after the other; those that are finished are found.

    Args:
        experiments: each with its params resolved.
        settings: where things are.
        again: how many runs of the same came before.
        quiet: nothing on the screen.
        identities: of the runs; empty: they are found here.

    Returns:
        their folders.

    Raises:
        Failure: one failed, or another process is running it.
    """
    from rnnkit.runs.identity import identify
    from rnnkit.runs.run_folder import RunFolder

    identities = identities or identify(experiments, again=again)
    folders = [RunFolder(settings.runs / identity.run) for identity in identities]
    waiting = [k for k, folder in enumerate(folders) if folder.status != "finished"]
    if waiting:
        with prefect(settings) as server:
            for k in waiting:
                flow = _experiment(experiments[k], settings, "", again, identities[k])
                data = experiments[k], identities[k].data
                _run_flow(flow, settings, server, folders[k], quiet, data)
    return folders


def go_on(run: Any, settings: Any, quiet: bool) -> None:
    """A run that was begun, to its end, from its folder alone.

    Raises:
        InputError: the files that it was begun with have changed.
        Failure: it failed, or another process is running it.
    """
    from rnnkit.runs.identity import identify
    from rnnkit.runtime.files import read_json

    experiment, facts = run.experiment, read_json(run.path / "fingerprint.json")
    date, again = facts["date"], facts["again"]
    (identity,) = identify([experiment], date, again)
    if identity.run != run.id:
        raise InputError(
            f"{run.id}: its data are not those it was begun with; begin a new one with: "
            f"rnnkit run {run.path / 'params.yaml'}"
        )
    with prefect(settings) as server:
        flow = _experiment(experiment, settings, date, again, identity)
        _run_flow(flow, settings, server, run, quiet, (experiment, identity.data))


def compare_variants(experiment: Any, settings: Any, workers: int, quiet: bool) -> Path:
    """The folder of a comparison of variants and seeds, made or found.

    Raises:
        InputError: there is nothing to compare.
        Failure: a run failed, or another process is making this very comparison.
    """
    from flows.compare.folders import comparison_folder
    from rnnkit.evaluation.comparison.members import members
    from rnnkit.runs.identity import identify
    from rnnkit.runs.run_folder import RunFolder

    of_params = members(experiment)
    base, *identities = identify([experiment, *(member.experiment for member in of_params)])
    runs = [RunFolder(settings.runs / identity.run) for identity in identities]
    names = [member.variant for member in of_params]
    folder = comparison_folder(settings, experiment.name, runs, names)
    if folder.status == "finished":
        return folder.path

    def flow() -> Any:
        from flows.compare.comparison import compare_variants

        return compare_variants(experiment, settings.home, workers, identities)

    with prefect(settings) as server:
        _run_flow(flow, settings, server, folder, quiet, (experiment, base.data))
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
        fact = f"{names[0]}: is one run" if names else "there is no run"
        raise InputError(
            f"{fact}, and nothing to compare it with; give two or more, or a params file with "
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
        _run_flow(flow, settings, server, folder, quiet, None)
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


def _experiment(
    experiment: Any, settings: Any, date: str, again: int, identity: Any
) -> Callable[[], Any]:
    def call() -> Any:
        from flows.experiment import run_experiment

        return run_experiment(experiment, settings.home, date, again, identity)

    return call


def _run_flow(
    flow: Callable[[], Any],
    settings: Any,
    server: Any,
    folder: Any,
    quiet: bool,
    data: tuple[Any, str] | None,
) -> None:
    """Calls a flow; its own failure becomes a line, and its traceback lies in the folder."""
    try:
        _call(flow, settings, server, quiet, data)
    except (InputError, KeyboardInterrupt, Failure):
        raise
    except Exception as error:  # the flow's own failure, whatever it was
        where = write_traceback(folder.path)
        raise Failure(f"{folder.id} failed: {type(error).__name__}: {error}{where}") from None


def _call(
    flow: Callable[[], Any],
    settings: Any,
    server: Any,
    quiet: bool,
    data: tuple[Any, str] | None,
) -> Any:
    """Calls a flow; bad input, a server that does not start and a busy run get their exit status.

    Args:
        data: an experiment whose data are prepared while the server starts, and their sha256; bad
            data end it here. Data that are stored already are read by the flow alone.
    """
    from flows.processes import servers
    from rnnkit.runs.run_folder import Busy

    try:
        from flows.console import QUIET, out

        warnings.filterwarnings("ignore", module=QUIET)
        import flows.experiment  # noqa: F401  # Prefect is imported while its server starts
        from flows.pipeline.steps import load_data

        out.quiet = quiet
        with out.status("starting Prefect and MLflow"):
            if data is not None and not (settings.home / "prepared" / data[1]).exists():
                load_data(*data, settings.home)
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
