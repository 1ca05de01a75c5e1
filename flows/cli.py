"""The command `rnnkit`: a verb reads its arguments and calls a function of the house.

Heavy imports stand inside the verbs, so that help and refusals are instant.

Exit status: 0 done, 1 the run failed, 2 bad input, 75 someone else is running this very run,
130 and 143 interrupted: the same command goes on where it stopped.
"""

import json
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from rnnkit.errors import InputError

DONE, FAILED, BAD_INPUT, BUSY, INTERRUPTED, TERMINATED = 0, 1, 2, 75, 130, 143

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Experiments with recurrent neural networks: one params file is one experiment.",
)
data_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Data sets.")
app.add_typer(data_app, name="data")

Params = Annotated[Path, typer.Argument(help="The experiment, a YAML file.", show_default=False)]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="key=value, as model.cell.kind=lstm; may be repeated."),
]


def _folder(path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise InputError(f"--mlruns {path}: is a file; name a folder")
    return path


Home = Annotated[
    Path, typer.Option("--mlruns", help="The folder for all output.", callback=_folder)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
MLRUNS = Path("mlruns")


@app.command()
def run(
    params: Params,
    set_: Set = None,
    again: Annotated[bool, typer.Option("--again", help="Run once more, beside the last.")] = False,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Prepare, tune if asked to, train and evaluate; goes on if it was interrupted."""
    from flows import settings as places
    from rnnkit import launch
    from rnnkit.params import load
    from rnnkit.prepare import data_sha256
    from rnnkit.runfolder import RunFolder

    experiment = load(params, set_ or [])
    settings = places.read(mlruns)
    sha256 = data_sha256(experiment.data, experiment.task)

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
        print(f"{chosen.id} is being run by another process", file=sys.stderr)
        raise SystemExit(BUSY)
    if status in ("interrupted", "failed") and not as_json:
        print(f"{chosen.id} was {status} before; it goes on where it stopped.")
    launch.settle()
    places.apply(settings)
    _run(experiment, settings, chosen, count, quiet=as_json)
    _show(chosen, as_json, fresh=True)


def _run(experiment: Any, settings: Any, folder: Any, again: int, quiet: bool) -> None:
    """The flow, with Prefect's server started before anything heavy is imported."""
    import os
    import warnings

    from flows import servers

    up = servers.announced(settings)
    address = settings.prefect or up.get("prefect")
    server = None if address else servers.prefect_for_a_command(settings)
    try:
        os.environ["PREFECT_API_URL"] = address or server.url  # type: ignore[union-attr]
        from flows.console import QUIET, out

        warnings.filterwarnings("ignore", module=QUIET)
        from flows.experiment import run_experiment
        from rnnkit.prepare import prepare
        from rnnkit.runfolder import Busy

        out.quiet = quiet
        with out.status("starting Prefect and MLflow"):
            prepare(experiment.data, experiment.task, settings.home)  # bad data end it here
            if server:
                server.wait("/health")
        try:
            run_experiment(experiment, settings.home, "", again)
        except Busy as busy:
            print(busy, file=sys.stderr)
            raise SystemExit(BUSY) from None
    except servers.ServerFailed as failure:
        raise _Failure(str(failure)) from None
    except KeyboardInterrupt:
        print("rnnkit: interrupted; the same command goes on where it stopped", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except (InputError, SystemExit):
        raise
    except Exception as error:  # the flow's own failure, whatever it was
        cause = _input_error(error)
        if cause is not None:
            raise cause from None
        _write_traceback(folder.path)
        raise _Failure(
            f"{folder.id} failed: {type(error).__name__}: {error}; "
            f"the traceback is in {folder.path / 'traceback.txt'}"
        ) from None
    finally:
        if server:
            server.stop()


def _show(folder: Any, as_json: bool, fresh: bool = False) -> None:
    from rnnkit.files import read_json
    from rnnkit.params import load

    result = read_json(folder.path / "result.json")
    if as_json:
        print(json.dumps({"run": folder.id, "folder": str(folder.path), **result}))
        return
    from flows import console

    experiment = load(folder.path / "params.yaml")
    if not fresh:
        print(f"{folder.id} is finished already; nothing is computed again.\n")
    console.closing(folder.id, experiment, result)
    figures = folder.path / "figures"
    console.next_steps(
        [
            ("figures", str(_short(figures))),
            ("predictions", str(_short(folder.path / "predictions.parquet"))),
            ("in MLflow and Prefect", "rnnkit up"),
            ("all runs", "rnnkit runs"),
        ]
    )


def _short(path: Path) -> Path:
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


@app.command()
def check(params: Params, set_: Set = None, mlruns: Home = MLRUNS, as_json: Json = False) -> None:
    """Validate; tell parameters, cost per epoch and padding before anything runs."""
    from rnnkit.params import load

    experiment = load(params, set_ or [])
    from flows import settings as places
    from rnnkit import launch
    from rnnkit.prepare import prepare

    launch.settle()
    settings = places.read(mlruns)
    from rnnkit.cost import estimate

    prepared = prepare(experiment.data, experiment.task, settings.home)
    facts = estimate(experiment, prepared)
    if as_json:
        print(json.dumps(facts))
        return
    print(f"{params}: valid")
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"  {name:<{width}}  {value}")
    print(f"\nNext: rnnkit run {params}")


@app.command()
def runs(mlruns: Home = MLRUNS, as_json: Json = False) -> None:
    """List the runs, newest last."""
    from flows import settings as places
    from rnnkit.runfolder import RunFolder

    settings = places.read(mlruns)
    found = [RunFolder(p) for p in settings.runs.glob("*") if (p / "params.yaml").exists()]
    found.sort(key=lambda f: (f.path / "params.yaml").stat().st_mtime)
    rows = [_row(folder) for folder in found]
    if as_json:
        print(json.dumps(rows))
        return
    if not rows:
        print(f"no runs in {settings.runs} yet; begin with: rnnkit run params/demo.yaml")
        return
    from rich.table import Column, Table

    from flows.console import number, out

    table = Table(Column("run", no_wrap=True), "status", "network", "metric", "best baseline")
    for row in rows:
        metric = f"{row['metric']} {number(row['value'])}" if row["value"] is not None else ""
        beside = number(row["baseline"])
        table.add_row(row["run"], row["status"], row["network"], metric, beside)
    out.print(table)
    print(f"Each run's folder is {_short(settings.runs)}/RUN.")


def _row(folder: Any) -> dict[str, Any]:
    from rnnkit.params import load

    row: dict[str, Any] = {"run": folder.id, "status": folder.status, "network": ""}
    row |= {"metric": "", "value": None, "baseline": None, "folder": str(_short(folder.path))}
    if row["status"] == "finished":
        result, task = folder.result, load(folder.path / "params.yaml").task
        name = task.shown[0]
        best = max if task.metrics[name] == "maximize" else min
        row |= {"network": result["network"], "metric": name, "value": result["test"][name]}
        row["baseline"] = best(metrics[name] for metrics in result["baselines"].values())
    return row


@app.command()
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
    from flows import servers
    from flows import settings as places

    settings = places.read(mlruns)
    if running := servers.announced(settings):
        _say_up(running["mlflow"], running["prefect"])
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
        pages.wait("/health")
        prefect.wait("/health")
        servers.announce(settings, prefect.url, pages.url)
        _say_up(pages.url, prefect.url)
        print("Ctrl-C ends both.", flush=True)
        while pages.process.poll() is None and prefect.process.poll() is None:
            time.sleep(1)
        raise _Failure(f"a server has ended by itself; its output is in {settings.home}")
    except KeyboardInterrupt:
        print("\nending both …", flush=True)
        raise SystemExit(INTERRUPTED) from None
    except servers.ServerFailed as failure:
        raise _Failure(str(failure)) from None
    finally:
        servers.withdraw(settings)
        pages.stop()
        prefect.stop()


def _say_up(mlflow: str, prefect: str) -> None:
    print(f"MLflow   {mlflow}\nPrefect  {prefect.removesuffix('/api')}", flush=True)


@data_app.command("list")
def data_list(as_json: Json = False) -> None:
    """Tell which data sets come built in, and which files can be read."""
    from rnnkit.params.data import LabelledText, Table, Text, Tokens
    from rnnkit.sources.builtin import BUILTINS

    builtin = {name: module.DESCRIPTION for name, module in BUILTINS.items()}
    readers = {
        block.model_fields["kind"].get_default(): " ".join((block.__doc__ or "").split())
        for block in (LabelledText, Tokens, Text, Table)
    }
    if as_json:
        print(json.dumps({"builtin": builtin, "readers": readers}))
        return
    for title, notes in (("Built in, no download", builtin), ("Your own files", readers)):
        print(f"{title}:")
        width = max(map(len, notes))
        for name, note in notes.items():
            print(f"  {name:<{width}}  {note}")


class _Failure(RuntimeError):
    """The run failed: one line, status 1."""


def _input_error(error: BaseException | None) -> InputError | None:
    while error is not None:
        if isinstance(error, InputError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _write_traceback(folder: Path) -> None:
    import traceback

    (folder / "traceback.txt").write_text(traceback.format_exc())


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(TERMINATED)


def _one_line(error: Exception) -> str:
    """A message that quotes a name or a value with a line break in it stays one line."""
    return " ".join(str(error).splitlines())


def main() -> None:
    """The entry point: what went wrong becomes one line and an exit status."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except InputError as error:
        print(f"rnnkit: {_one_line(error)}", file=sys.stderr)
        raise SystemExit(BAD_INPUT) from None
    except _Failure as error:
        print(f"rnnkit: {_one_line(error)}", file=sys.stderr)
        raise SystemExit(FAILED) from None
    except KeyboardInterrupt:
        print("rnnkit: interrupted; the same command goes on where it stopped", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main()
