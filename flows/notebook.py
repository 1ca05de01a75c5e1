"""Whole runs, sweeps and comparisons in a few lines of Python, as in a notebook.

>>> import tempfile
>>> from flows.notebook import compare, load, run, tune
>>> place = tempfile.mkdtemp()
>>> short = {"data.window": 12, "model.hidden": 4, "train.epochs": 1}
>>> done = run("params/sunspots.yaml", short, mlruns=place)
>>> done.result["network"]
'GRU, 1 layer of 4'
>>> sorted(done.curves.columns)[:3]
['epoch', 'gradient/clipped_fraction', 'gradient/norm']
>>> answer = done([[[float(i)] for i in range(12)]])[0]  # a window of 12 rows
>>> len(answer["forecast"])
1
>>> load(done.id, mlruns=place).id == done.id  # the same again, any time later
True
>>> sizes = {"model.hidden": {"choices": [4]}}
>>> search = {"tune.trials": 2, "tune.workers": 1, "tune.search": sizes}
>>> tune("params/sunspots.yaml", {**short, **search}, mlruns=place).result["tuned"]
{'model.hidden': 4}
>>> table = compare("params/sunspots.yaml", {**short, "seeds": [0, 1]}, mlruns=place, workers=1)
>>> table[["variant", "runs"]].to_dict("records")
[{'variant': 'base', 'runs': 2}]

A run is described by a params file, a dict of the same form, or an `Experiment`. In a notebook its
stages are shown while it goes on, and as the last value of a cell it is a table with its verdict.
Prefect's server, where none is up, is started once and ends with the process.
"""

import atexit
import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flows import settings as places
from flows.console import in_notebook
from flows.launcher import (
    WORKERS,
    compare_runs,
    compare_variants,
    prefect,
    refuse_no_comparison,
    run_all,
)
from flows.processes.notes import print_notes_as_lines
from flows.processes.servers import ServerFailed, announced
from rnnkit.errors import InputError
from rnnkit.params import Experiment, build, change
from rnnkit.params import load as load_params
from rnnkit.runs.run_folder import JOURNAL, RunFolder

Params = str | Path | Mapping[str, Any] | Experiment
NO_CHANGES: Mapping[str, Any] = {}
STOPPED = "interrupted; the same call goes on where it stopped"


class Interrupted(KeyboardInterrupt):
    """A run was interrupted, and its call in a notebook goes on with it later."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of a traceback."""
        return [str(self)]


class Run:
    """A finished run."""

    def __init__(self, folder: RunFolder) -> None:
        self.id, self.path = folder.id, folder.path
        self.result: dict[str, Any] = folder.result
        """Scores, baselines, tuned values: result.json."""
        self.experiment: Experiment = folder.experiment
        self.report = folder.path / "report.html"
        self._folder = folder
        self._served: Any = None

    def __call__(self, inputs: Any) -> list[dict[str, Any]]:
        """The model's answer to each input; see `rnnkit.inference.pyfunc.Served.predict`.

        Args:
            inputs: a list, an array, a pandas table with the source's columns, or one text.
        """
        from rnnkit.inference import predict, pyfunc

        if self._served is None:
            self._served = pyfunc.Served(predict.load(self.path))
        answers: list[dict[str, Any]] = self._served.predict(inputs)
        return answers

    @property
    def curves(self) -> Any:
        """A pandas frame with a row for each epoch."""
        import pandas

        self._folder.verified(JOURNAL)
        rows = []
        for line in self._folder.records("epoch"):
            row = {"epoch": line["epoch"], "seconds": line["seconds"]}
            for group in ("train", "valid", "gradient"):
                row |= {f"{group}/{name}": value for name, value in line[group].items()}
            rows.append(row)
        return pandas.DataFrame(rows)

    @property
    def predictions(self) -> Any:
        """A pandas frame: the test split."""
        import pandas

        return pandas.read_parquet(self._folder.verified("predictions.parquet"))

    def __repr__(self) -> str:
        return f"Run({self.id}: {self.result['verdict']})"

    def _repr_html_(self) -> str:
        """The run as the value of a notebook's cell: beside its baselines, with its files."""
        from rnnkit.report.summary import run_summary

        files = {"report": self.report, "predictions": self.path / "predictions.parquet"}
        links = {name: _address(path) for name, path in files.items()}
        servers = announced(places.read(self.path.parent.parent))
        if servers:
            links |= {"MLflow": servers["mlflow"]}
            links |= {"Prefect": servers["prefect"].removesuffix("/api")}
        return run_summary(self.id, self.result, links)


def run(
    params: Params, changes: Mapping[str, Any] = NO_CHANGES, mlruns: str | Path = "mlruns"
) -> Run:
    """An experiment, run or found finished; as `rnnkit run`.

    Args:
        params: a params file, a dict of the same form, or an Experiment.
        changes: params path -> value, as `{"model.cell.kind": "lstm"}`.
        mlruns: the folder for all output.

    Raises:
        InputError: bad params or data.
        Failure: the run failed.
    """
    experiment = _experiment(params, changes)
    if experiment.variants or experiment.seeds:
        raise InputError(f"{experiment.name}: has variants or seeds; compare runs them")
    with _shown() as quiet:
        (folder,) = run_all([experiment], _settings(mlruns), quiet=quiet)
    return Run(folder)


def tune(
    params: Params, changes: Mapping[str, Any] = NO_CHANGES, mlruns: str | Path = "mlruns"
) -> Run:
    """As `run`, with a sweep: over clip and depth, where the params have no `tune` block."""
    experiment = _experiment(params, changes)
    if experiment.tune is None:
        experiment = change(experiment, {"tune": {}})
    return run(experiment, mlruns=mlruns)


def compare(
    what: Params | Sequence[str],
    changes: Mapping[str, Any] = NO_CHANGES,
    mlruns: str | Path = "mlruns",
    workers: int | None = None,
) -> Any:
    """Variants x seeds, or finished runs, as a pandas frame; as `rnnkit compare`.

    Args:
        what: a params file, a dict or an Experiment with variants or seeds; or the ids of runs.
        changes: params path -> value; of params alone.
        mlruns: the folder for all output.
        workers: runs at once, of params alone; None: 2.

    Returns:
        a row for each variant; the folder with its report is in `attrs["folder"]`.

    Raises:
        InputError: bad params or data, or runs that cannot be compared.
        Failure: a run failed.
    """
    import pandas

    if isinstance(what, str | Path | Mapping | Experiment):
        experiment = _experiment(what, changes)
        with _shown() as quiet:
            settings, count = _settings(mlruns), workers or WORKERS
            folder = compare_variants(experiment, settings, count, quiet=quiet)
    else:
        for given, meaning in ((changes, "changes are of"), (workers, "workers are for")):
            if given:
                raise InputError(f"{meaning} params, and these are runs; leave them out")
        refuse_no_comparison(what)
        runs = [load(name, mlruns)._folder for name in what]
        with _shown() as quiet:
            folder = compare_runs(runs, _settings(mlruns), quiet=quiet)
    table = pandas.read_parquet(folder / "comparison.parquet")
    table.attrs["folder"] = str(folder)
    return table


def load(name: str, mlruns: str | Path = "mlruns") -> Run:
    """A finished run by its id, or InputError."""
    folder = RunFolder(places.read(Path(mlruns)).runs / name)
    if folder.status != "finished":
        raise InputError(f"{name}: is no finished run in {folder.path.parent}")
    return Run(folder)


def _experiment(params: Params, changes: Mapping[str, Any]) -> Experiment:
    if isinstance(params, Experiment):
        return change(params, changes) if changes else params
    if isinstance(params, Mapping):
        return build(params, changes)
    return load_params(Path(params), changes=changes)


@contextlib.contextmanager
def _shown() -> Iterator[bool]:
    """Whether a call is to be quiet, as it is outside a notebook. In one, notes and an interrupt
    are single lines."""
    shown = in_notebook()
    if shown:
        print_notes_as_lines()
    try:
        yield not shown
    except KeyboardInterrupt:
        if shown:
            raise Interrupted(STOPPED) from None
        raise


def _address(path: Path) -> str:
    """The address of a file in a link: relative to the working folder where the file is below it,
    so that a notebook's server finds it."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_uri()


def _settings(mlruns: str | Path) -> places.Settings:
    """Where things are; with Prefect's server up, which all flows of a process must share."""
    home = Path(mlruns)
    settings = places.read(home)
    if settings.prefect is None:
        held = prefect(settings)
        server = held.__enter__()
        atexit.register(held.__exit__, None, None, None)
        if server:
            with contextlib.suppress(ServerFailed):  # runs go on without Prefect's pages
                server.wait()
        settings = places.read(home)
        assert settings.prefect == os.environ["PREFECT_API_URL"]
    return settings
