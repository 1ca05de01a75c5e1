"""The tasks, one per file: topology, loss, metrics and how to decode."""

from collections.abc import Mapping

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params.task import Task as TaskParams
from rnnkit.tasks.classification import Classification
from rnnkit.tasks.forecasting import Forecasting
from rnnkit.tasks.interface import Task as Task
from rnnkit.tasks.language_modeling import LanguageModeling
from rnnkit.tasks.memory import Memory
from rnnkit.tasks.music import Music
from rnnkit.tasks.tagging import Tagging
from rnnkit.tasks.transcription import Transcription
from rnnkit.tasks.vector import Vector
from rnnkit.tasks.written import Captioning, Translation

TASKS: Mapping[str, type[Task]] = {
    "classification": Classification,
    "tagging": Tagging,
    "language_modeling": LanguageModeling,
    "forecasting": Forecasting,
    "memory": Memory,
    "music": Music,
    "vector": Vector,
    "translation": Translation,
    "captioning": Captioning,
    "transcription": Transcription,
}


def task_for(params: TaskParams, prepared: Prepared) -> Task:
    """The task of a params block on prepared data."""
    return TASKS[params.kind](params, prepared)
