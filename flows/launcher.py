"""Starts flows, beside Prefect's server which shows them; a failure becomes one line.

Bad input raises InputError, and Failure a run that failed or that another process is running.
Nothing heavy is imported before the server is on its way, for both take as long.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows import settings as places
from rnnkit.errors import InputError, as_message, input_error
from rnnkit.runtime.disk import disk_error
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

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of a traceback, which lies in the run's folder."""
        return [f"{type(self).__name__}: {as_message(str(self))}"]


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
    from rnnkit.runs.growth import lacking
    from rnnkit.runs.identity import identify
    from rnnkit.runs.run_folder import RunFolder

    identities = identities or identify(experiments, runs=settings.runs)
    runs = [
        (experiment, identity, RunFolder(settings.runs / identity.run))
        for experiment, identity in zip(experiments, identities, strict=True)
    ]
    if waiting := [run for run in runs if run[2].status != "finished" or lacking(run[2], run[0])]:
        with _pages(settings, quiet) as pages:
            from flows.experiment import FLOW, parameters_of, run_experiment

            for experiment, identity, folder in waiting:
                parameters = parameters_of(experiment, settings, date, again, identity)
                with (
                    _failures(folder),
                    _prepared(settings, experiment, identity.data),
                    pages.flow_run(FLOW, folder.id, parameters) as flow_run,
                ):
                    run_experiment(experiment, settings, flow_run, date, again, identity)
    return [folder for *_, folder in runs]


def resume_run(run: Any, settings: Any, quiet: bool) -> None:
    """A run that was begun, to its end, from its folder and the same files as before."""
    from rnnkit.runs.identity import identify

    experiment, facts = run.params, read_json(run.path / "fingerprint.json")
    date, again = facts["date"], facts["again"]
    (identity,) = identify([experiment], date, again, settings.runs)
    if identity.run != run.id:
        raise InputError(
            f"{run.id}: its params or data are not those it was begun with; begin a new one with: "
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
        with _pages(settings, quiet) as pages:
            from flows.compare import comparison

            parameters = comparison.parameters_of(experiment, settings, workers, identities)
            with (
                _failures(folder),
                _prepared(settings, experiment, base.data),
                pages.flow_run("compare", folder.id, parameters) as flow_run,
            ):
                comparison.compare_variants(experiment, settings, flow_run, workers, identities)
    return Path(folder.path)


def compare_runs(runs: Sequence[Any], settings: Any, quiet: bool) -> Path:
    """The folder of a comparison of finished runs, made or found."""
    from flows.compare import comparison_folder

    ids = [run.id for run in runs]
    refuse_no_comparison(ids)  # one run has several names
    folder = comparison_folder(settings, runs[0].experiment.name, ids)
    if folder.status != "finished":
        with _pages(settings, quiet) as pages:
            from flows.compare import comparison

            folders = [str(run.path) for run in runs]
            parameters = {"runs": folders, "home": str(settings.home)}
            with (
                _failures(folder),
                pages.flow_run("compare runs", folder.id, parameters) as flow_run,
            ):
                comparison.compare_runs(folders, settings, flow_run)
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
def _pages(settings: Any, quiet: bool) -> Iterator[Any]:
    """Prefect's pages, with a server where there is none. Nothing waits until it has started."""
    with prefect(settings) as server:
        from flows.console import QUIET, out

        warnings.filterwarnings("ignore", module=QUIET)
        out.quiet = quiet
        with out.status("starting Prefect and MLflow"):
            import flows.experiment  # noqa: F401  # while the server starts
            from flows.pages import Pages
        with Pages(server) as pages:
            yield pages


@contextmanager
def _failures(folder: Any) -> Iterator[None]:
    """Where a flow is called: bad input, a busy run and the flow's own failure get their line and
    exit status, the last one's traceback lies in the folder."""
    from rnnkit.runs.run_folder import Busy

    try:
        yield
    except Busy as busy:
        raise Failure(str(busy), BUSY) from None
    except Exception as error:  # whatever it was
        if cause := input_error(error) or disk_error(error, folder.path):
            raise cause from None
        where = write_traceback(folder.path)
        raise Failure(f"{folder.id} failed: {type(error).__name__}: {error}{where}") from None


@contextmanager
def _prepared(settings: Any, experiment: Any, sha256: str) -> Iterator[None]:
    """Before a flow run begins its data are prepared, unless they are stored: bad data begin none.

    Args:
        sha256: of the data.
    """
    from flows.pipeline.steps import load_data

    if not (settings.home / "prepared" / sha256).exists():
        load_data(experiment, sha256, settings.home)
    yield
