"""`rnnkit run`: the whole flow, from a params file to the table against the baselines."""

import json
import os
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.options import BUSY, MLRUNS, Failure, Home, Json, Params, Set, short
from rnnkit.errors import InputError


def run(
    params: Params,
    set_: Set = None,
    again: Annotated[bool, typer.Option("--again", help="Run once more, beside the last.")] = False,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Prepare, tune if asked to, train and evaluate; goes on if it was interrupted."""
    from rnnkit.params import load

    run_one(load(params, set_ or []), mlruns, again, as_json)


def run_one(experiment: Any, mlruns: Path, again: bool, as_json: bool) -> None:
    """An experiment from wherever it stands to its closing table.

    Raises:
        Failure: it failed, or another process is running it.
    """
    from flows import settings as places
    from rnnkit import launch
    from rnnkit.runfolder import RunFolder

    if experiment.variants or experiment.seeds:
        raise InputError(
            f"{experiment.name}: has {'variants' if experiment.variants else 'seeds'} to compare; "
            "rnnkit compare runs them"
        )
    settings = places.read(mlruns)
    from rnnkit.identity import inputs_sha256

    sha256 = inputs_sha256(experiment)

    def folder(count: int) -> RunFolder:
        return RunFolder(settings.runs / RunFolder.identity(experiment, sha256, "", count))

    count = 0
    while again and folder(count).status == "finished":
        count += 1
    chosen = folder(count)
    status = chosen.status
    if status == "finished":
        _show(chosen, as_json)
        return
    if status == "running":
        raise Failure(f"{chosen.id} is being run by another process", BUSY)
    if status in ("interrupted", "failed") and not as_json:
        print(f"{chosen.id} was {status} before; it goes on where it stopped.")
    launch.settle()
    places.apply(settings)
    _run(experiment, settings, chosen, count, quiet=as_json)
    _show(chosen, as_json, fresh=True)


def run_all(experiments: Sequence[Any], settings: Any, quiet: bool) -> list[Any]:
    """The runs of some experiments, one after the other; those that are finished are found.

    Raises:
        Failure: one failed, or another process is running it.
    """
    from flows import settings as places
    from rnnkit import launch
    from rnnkit.identity import inputs_sha256
    from rnnkit.runfolder import RunFolder

    folders = [
        RunFolder(settings.runs / RunFolder.identity(each, inputs_sha256(each), "", 0))
        for each in experiments
    ]
    waiting = [
        (each, folder)
        for each, folder in zip(experiments, folders, strict=True)
        if folder.status != "finished"
    ]
    if waiting:
        launch.settle()
        places.apply(settings)
        with _prefect(settings) as server:
            for each, folder in waiting:
                _flow(each, settings, folder, 0, server, quiet)
    return folders


def _run(experiment: Any, settings: Any, folder: Any, again: int, quiet: bool) -> None:
    """The flow, with Prefect's server started before anything heavy is imported."""
    with _prefect(settings) as server:
        _flow(experiment, settings, folder, again, server, quiet)


@contextmanager
def _prefect(settings: Any) -> Iterator[Any]:
    """Prefect's server: the one there is, or one of its own, which is yielded and ends with this.

    Prefect reads its address once in a process, so several flows share one server.
    """
    from flows import servers

    address = settings.prefect or servers.announced(settings).get("prefect")
    server = None
    try:
        if address is None:
            server = servers.prefect_for_a_command(settings)
            address = server.url
        os.environ["PREFECT_API_URL"] = address
        yield server
    finally:
        if server:
            server.stop()


def _flow(
    experiment: Any, settings: Any, folder: Any, again: int, server: Any, quiet: bool
) -> None:
    def flow() -> Any:
        from flows.experiment import run_experiment

        return run_experiment(experiment, settings.home, "", again)

    try:
        _call(flow, settings, server, quiet, (experiment,))
    except (InputError, KeyboardInterrupt, Failure):
        raise
    except Exception as error:  # the flow's own failure, whatever it was
        folder.path.mkdir(parents=True, exist_ok=True)
        (folder.path / "traceback.txt").write_text(traceback.format_exc())
        raise Failure(
            f"{folder.id} failed: {type(error).__name__}: {error}; "
            f"the traceback is in {folder.path / 'traceback.txt'}"
        ) from None


def in_prefect(
    flow: Callable[[], Any], settings: Any, name: str, quiet: bool, prepared: Sequence[Any]
) -> Any:
    """What a flow returns, called with Prefect's server there.

    Args:
        flow: imports the flow and calls it.
        name: for the message where it fails.
        prepared: experiments whose data are prepared while the server starts; bad data end it.

    Raises:
        Failure: it failed, or another process is at it.
    """
    from flows import settings as places
    from rnnkit import launch

    launch.settle()
    places.apply(settings)
    with _prefect(settings) as server:
        try:
            return _call(flow, settings, server, quiet, prepared)
        except (InputError, KeyboardInterrupt, Failure):
            raise
        except Exception as error:  # the flow's own failure, whatever it was
            place = settings.home / "traceback.txt"
            place.write_text(traceback.format_exc())
            raise Failure(
                f"{name} failed: {type(error).__name__}: {error}; the traceback is in {place}"
            ) from None


def _call(
    flow: Callable[[], Any], settings: Any, server: Any, quiet: bool, prepared: Sequence[Any]
) -> Any:
    """Bad input, a server that does not start and a busy run are told as what they are."""
    from flows import servers
    from rnnkit.runfolder import Busy

    try:
        from flows.console import QUIET, out

        warnings.filterwarnings("ignore", module=QUIET)
        import flows.experiment  # noqa: F401  # Prefect is imported while its server starts
        from rnnkit.prepare import prepare

        out.quiet = quiet
        with out.status("starting Prefect and MLflow"):
            for experiment in prepared:
                prepare(experiment.data, experiment.task, settings.home)  # bad data end it here
            if server:
                server.wait("/health")
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


def _show(folder: Any, as_json: bool, fresh: bool = False) -> None:
    from rnnkit.files import read_json

    result = read_json(folder.path / "result.json")
    if as_json:
        print(json.dumps({"run": folder.id, "folder": str(folder.path), **result}))
        return
    from flows import console

    if not fresh:
        print(f"{folder.id} is finished already; nothing is computed again.\n")
    console.closing(folder.id, result)
    steps = [
        ("report", str(short(folder.path / "report.html"))),
        ("predictions", str(short(folder.path / "predictions.parquet"))),
        ("in MLflow and Prefect", "rnnkit up"),
        ("all runs", "rnnkit runs"),
    ]
    if (folder.path / "study.db").exists():
        study = f"sqlite:///{short(folder.path / 'study.db')}"
        steps.insert(2, ("the search's trials", f"optuna-dashboard {study}"))
    console.next_steps(steps)
