"""Starts flows: Prefect's server is there while they run, and a failure becomes one line.

Bad input raises InputError, and Failure a run that failed or that another process is running.
Nothing heavy is imported before the server is on its way, for both take as long.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows import settings as places
from rnnkit.errors import InputError
from rnnkit.runtime.files import read_json, write_traceback

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
    quiet: bool,
    identities: Sequence[Any] = (),
    date: str = "",
    again: int = 0,
) -> list[Any]:
    """The folders of some experiments' runs, made one after the other or found finished.

    Args:
        quiet: nothing on the screen.
        identities: of the runs; empty: they are found here.
        again: how many runs of the same came before.
    """
    from rnnkit.runs.identity import identify
    from rnnkit.runs.run_folder import RunFolder

    identities = identities or identify(experiments)
    runs = [
        (experiment, identity, RunFolder(settings.runs / identity.run))
        for experiment, identity in zip(experiments, identities, strict=True)
    ]
    if waiting := [run for run in runs if run[2].status != "finished"]:
        with prefect(settings) as server:
            for experiment, identity, folder in waiting:
                with _flow(settings, server, folder, quiet, (experiment, identity.data)):
                    from flows.experiment import run_experiment

                    run_experiment(experiment, settings.home, date, again, identity)
    return [folder for *_, folder in runs]


def resume_run(run: Any, settings: Any, quiet: bool) -> None:
    """A run that was begun, to its end, from its folder and the same files as before."""
    from rnnkit.runs.identity import identify

    experiment, facts = run.experiment, read_json(run.path / "fingerprint.json")
    date, again = facts["date"], facts["again"]
    (identity,) = identify([experiment], date, again)
    if identity.run != run.id:
        raise InputError(
            f"{run.id}: its data are not those it was begun with; begin a new one with: "
            f"rnnkit run {run.path / 'params.yaml'}"
        )
    run_all([experiment], settings, quiet, [identity], date, again)


def compare_variants(experiment: Any, settings: Any, workers: int, quiet: bool) -> Path:
    """The folder of a comparison of variants and seeds, made or found."""
    from flows.compare import comparison_folder
    from rnnkit.evaluation.comparison.members import members
    from rnnkit.runs.identity import identify

    of_params = members(experiment)
    base, *identities = identify([experiment, *(member.experiment for member in of_params)])
    ids, names = [identity.run for identity in identities], [m.variant for m in of_params]
    folder = comparison_folder(settings, experiment.name, ids, names)
    if folder.status != "finished":
        with (
            prefect(settings) as server,
            _flow(settings, server, folder, quiet, (experiment, base.data)),
        ):
            from flows.compare import comparison

            comparison.compare_variants(experiment, settings.home, workers, identities)
    return Path(folder.path)


def compare_runs(runs: Sequence[Any], settings: Any, quiet: bool) -> Path:
    """The folder of a comparison of finished runs, made or found."""
    from flows.compare import comparison_folder

    ids = [run.id for run in runs]
    refuse_no_comparison(ids)  # one run has several names
    folder = comparison_folder(settings, runs[0].experiment.name, ids)
    if folder.status != "finished":
        with prefect(settings) as server, _flow(settings, server, folder, quiet, None):
            from flows.compare import comparison

            comparison.compare_runs([str(run.path) for run in runs], settings.home)
    return Path(folder.path)


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


@contextmanager
def prefect(settings: Any, start: Callable[[], Any] | None = None) -> Iterator[Any]:
    """Prefect's server: the one there is, or one of its own, which is yielded and ends with this.

    Prefect reads its address once in a process, so several flows share one server.

    Args:
        start: starts the server; None: one with neither pages nor schedules.
    """
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
        servers.use_prefect(address, settings)
        yield server
    finally:
        if server:
            server.stop()


@contextmanager
def _flow(
    settings: Any, server: Any, folder: Any, quiet: bool, data: tuple[Any, str] | None
) -> Iterator[None]:
    """Where a flow is called: bad input, a server that does not start, a busy run and the flow's
    own failure get their line and exit status, the last one's traceback lies in the folder.

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
        yield
    except servers.ServerFailed as failure:
        raise Failure(str(failure)) from None
    except Busy as busy:
        raise Failure(str(busy), BUSY) from None
    except Exception as error:  # whatever it was
        if cause := _input_error(error):
            raise cause from None
        where = write_traceback(folder.path)
        raise Failure(f"{folder.id} failed: {type(error).__name__}: {error}{where}") from None


def _input_error(error: BaseException | None) -> InputError | None:
    """The bad input that a failure comes from, if it does."""
    while error is not None:
        if isinstance(error, InputError):
            return error
        error = error.__cause__ or error.__context__
    return None
