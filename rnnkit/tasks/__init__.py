"""The tasks, one folder each, and their table.

A folder has `examples` (what the training split decides, and how all examples follow it), `task`
(topology, loss, metrics, decoding, answers, figures), `baselines`, and where the task has its own
kind of table `predictions`. Everything else asks the task.

The door to data is `prepare`: from `<folder>/prepared/<sha256>/`, or built there.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas

from rnnkit.data import sources
from rnnkit.data.prepare import data_sha256, store
from rnnkit.data.prepare.facts import Facts
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.params.data import Data
from rnnkit.params.task import Task as TaskParams
from rnnkit.tasks.captioning.task import Captioning
from rnnkit.tasks.classification.task import Classification
from rnnkit.tasks.forecasting.task import Forecasting
from rnnkit.tasks.interface import Task as Task
from rnnkit.tasks.language_modeling.task import LanguageModeling
from rnnkit.tasks.memory.task import Memory
from rnnkit.tasks.music.task import Music
from rnnkit.tasks.predictions import Predictions
from rnnkit.tasks.regression.task import Regression
from rnnkit.tasks.tagging.task import Tagging
from rnnkit.tasks.transcription.task import Transcription
from rnnkit.tasks.translation.task import Translation
from rnnkit.tasks.vector.task import Vector, VectorOfNumbers

TASKS: Mapping[str, type[Task]] = {
    "classification": Classification,
    "tagging": Tagging,
    "language_modeling": LanguageModeling,
    "forecasting": Forecasting,
    "regression": Regression,
    "memory": Memory,
    "music": Music,
    "vector": Vector,
    "translation": Translation,
    "captioning": Captioning,
    "transcription": Transcription,
}


def task_type(params: TaskParams) -> type[Task]:
    """The task of a params block: its kind's, or that of vectors with numbers as targets."""
    numbers = params.kind == "vector" and params.loss == "squared"
    return VectorOfNumbers if numbers else TASKS[params.kind]


def task_for(params: TaskParams, prepared: Prepared) -> Task:
    """The task of a params block on prepared data."""
    return task_type(params)(params, prepared)


def predictions_of(experiment: Experiment, table: pandas.DataFrame) -> Predictions:
    """A run's table of predictions, with its type."""
    kind = task_type(experiment.task)
    return kind.predictions_type(experiment.task, experiment.data)(table, experiment.task)


def prepare(data: Data, task: TaskParams, folder: Path, sha256: str | None = None) -> Prepared:
    """The prepared data, from `<folder>/prepared/<sha256>/` or built there.

    Args:
        data: the params' block.
        task: the params' block; it decides what inputs and targets are.
        folder: the output folder, `mlruns`.
        sha256: what the data depend on, where it was computed already.

    Raises:
        InputError: bad files or too little data, in one line.

    Warns:
        Note: the stored data differ from their manifest; they are built again.
    """
    kind = task_type(task)

    def build() -> Prepared:
        frame = sources.read(data.source, data.split)
        built = kind.fit(frame, data, task)
        read: Facts = {
            "source": sources.describe(data.source),
            "notes": frame.attrs.get("notes", []),
        }
        return replace(built, facts=read | built.facts)

    place = folder / "prepared" / (sha256 or data_sha256(data, task))
    return store.load_or_build(place, build, kind.load(data, task))


def load_prepared(place: Path, data: Data, task: TaskParams) -> Prepared:
    """The data of a folder of prepared data, which is not verified here."""
    return store.read(place, task_type(task).load(data, task))


def load_fitted(folder: Path, data: Data, task: TaskParams) -> Prepared:
    """What prepared data decided, without examples, from the folder of a model."""
    return store.read(folder, task_type(task).load(data, task), examples=False)
