"""Types of a rule between params blocks."""

from typing import Any, Protocol

from rnnkit.params.data import Data
from rnnkit.params.model import Model
from rnnkit.params.task import Task
from rnnkit.params.train import Train
from rnnkit.params.tune import Tune

Rule = tuple[str, bool, str]  # params path, whether it is violated, message


class Blocks(Protocol):
    """The parts of an experiment that rules read."""

    @property
    def task(self) -> Task: ...
    @property
    def data(self) -> Data: ...
    @property
    def model(self) -> Model: ...
    @property
    def train(self) -> Train: ...
    @property
    def tune(self) -> Tune | None: ...

    def value(self, path: str) -> Any: ...
    def default(self, path: str) -> Any: ...
