"""What a rule between blocks is, and what it may look at."""

from typing import Any, Protocol

from rnnkit.params.data import Data
from rnnkit.params.model import Model
from rnnkit.params.task import Task
from rnnkit.params.train import Train
from rnnkit.params.tune import Tune

Rule = tuple[str, bool, str]  # params path, whether it is refused, why


class Blocks(Protocol):
    """An experiment, as far as rules look at it."""

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
