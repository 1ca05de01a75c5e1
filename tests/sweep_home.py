"""A sweep whose workers run in the test's own process, one after the other, without MLflow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import optuna
import pytest

from flows import settings as places
from flows.console import Stages
from flows.pipeline.monitor import Monitor
from flows.pipeline.steps import Run
from flows.tune import confirm, worker
from flows.tune import study as studies
from flows.tune import sweep as sweeps
from flows.tune.recorded import RecordedTrials
from rnnkit.params import Experiment
from rnnkit.runs.growth import changes_of
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics
from rnnkit.tasks import prepare

EXPERIMENT = Experiment.model_validate(
    {
        "name": "x",
        "task": {"kind": "tagging"},
        "data": {
            "source": {"kind": "builtin", "name": "python_tokens"},
            "tokenizer": {"kind": "characters"},
            "limit": 30,
        },
        "model": {"hidden": 4, "representation": {"kind": "embedding", "size": 4}},
        "train": {"epochs": 3, "batch_size": 16, "monitor": "valid/loss"},
        "tune": {
            "trials": 5,
            "workers": 1,
            "search": {
                "train.clip": {"low": 1, "high": 10, "log": True},
                "train.optimizer.learning_rate": {"low": 1e-4, "high": 0.1, "log": True},
            },
        },
    }
)


class Home:
    """An output folder with a sweep, whose worker runs in this process."""

    def __init__(self, path: Path, experiment: Experiment = EXPERIMENT) -> None:
        self.path, self.experiment = path, experiment
        path.mkdir(exist_ok=True)
        self.run = RunFolder(path / "run")
        self.file = self.run.path / "study.db"

    def sweep(self, end: Callable[[], None] = lambda: None) -> Any:
        """Run the sweep; `end` is called after its worker."""

        def run_tasks(_settings: Any, _workers: int, work: Any, *_: Any) -> bool:
            for task, parameters in work:
                task(**parameters)
            end()
            return True

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sweeps, "run_tasks", run_tasks)
            patch.setattr(confirm, "run_tasks", run_tasks)
            for module in (worker, confirm):
                patch.setattr(module, "settle", lambda _: None)
            patch.setattr(numerics, "reset_peak_memory", lambda: None)  # it collects garbage
            patch.setattr(Monitor, "send_children", lambda *_: None)  # no MLflow
            settings, data = places.read(self.path), Mock()
            run = Run(self.experiment, self.run, self.path, "")
            if changes := changes_of(self.run, self.experiment):
                self.run.reopen(changes)
            self.run.create(self.experiment, {})
            monitor = Monitor(settings, self.run, Stages())
            return sweeps.sweep(run, data, settings, monitor, Mock())

    def open(self) -> optuna.Study:
        return studies.open_study(self.experiment, self.run, places.read(self.path))

    @property
    def recorded(self) -> RecordedTrials:
        return RecordedTrials(self.run, self.experiment)

    def content(self) -> list[dict[str, Any]]:
        """What the study says of its trials, but for the times."""
        study = studies.load_study(self.experiment, self.run, places.read(self.path))
        return list(map(content_of, study.get_trials()))


def content_of(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": trial.state.name,
        "value": trial.value,
        "params": trial.params,
        "distributions": trial.distributions,
        "reported": trial.intermediate_values,
        "attributes": trial.system_attrs,
    }


@contextmanager
def data_prepared_once(folder: Path) -> Iterator[None]:
    """Workers get the data of the sweep from memory."""
    prepared = prepare(EXPERIMENT.data, EXPERIMENT.task, folder)
    with pytest.MonkeyPatch.context() as patch:
        for module in (worker, confirm):
            patch.setattr(module, "prepare", lambda *_: prepared)
        yield
