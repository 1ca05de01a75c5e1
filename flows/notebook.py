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

Prefect's server, where none is up, is started once and ends with the process.
"""

import atexit
import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flows import settings as places
from flows.launcher import (
    WORKERS,
    compare_runs,
    compare_variants,
    prefect,
    refuse_no_comparison,
    run_all,
)
from flows.processes.servers import ServerFailed
from rnnkit.errors import InputError
from rnnkit.params import Experiment, change
from rnnkit.params import load as load_params
from rnnkit.runs.run_folder import JOURNAL, RunFolder

Params = str | Path | Experiment
NO_CHANGES: Mapping[str, Any] = {}


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


def run(
    params: Params, changes: Mapping[str, Any] = NO_CHANGES, mlruns: str | Path = "mlruns"
) -> Run:
    """An experiment, run or found finished; as `rnnkit run`.

    Args:
        params: a params file, or an Experiment.
        changes: params path -> value, as `{"model.cell.kind": "lstm"}`.
        mlruns: the folder for all output.

    Raises:
        InputError: bad params or data.
        Failure: the run failed.
    """
    experiment = _experiment(params, changes)
    if experiment.variants or experiment.seeds:
        raise InputError(f"{experiment.name}: has variants or seeds; compare runs them")
    (folder,) = run_all([experiment], _settings(mlruns), quiet=True)
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
        what: a params file or an Experiment with variants or seeds; or the ids of runs.
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

    if isinstance(what, str | Path | Experiment):
        experiment = _experiment(what, changes)
        folder = compare_variants(experiment, _settings(mlruns), workers or WORKERS, quiet=True)
    else:
        for given, meaning in ((changes, "changes are of"), (workers, "workers are for")):
            if given:
                raise InputError(f"{meaning} params, and these are runs; leave them out")
        refuse_no_comparison(what)
        runs = [load(name, mlruns)._folder for name in what]
        folder = compare_runs(runs, _settings(mlruns), quiet=True)
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
    return load_params(Path(params), changes=changes)


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
