"""What a task is to the trainer and the evaluator: how to build, lose, measure and decode."""

from abc import ABC, abstractmethod
from typing import Any, Protocol

import pandas
import torch
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.scale import Scaler
from rnnkit.errors import InputError
from rnnkit.metrics import Metrics
from rnnkit.nn.model.network import build
from rnnkit.nn.model.representation import Sizes
from rnnkit.params.model import Model


class Meter(Protocol):
    """Gives the metrics of everything it was updated with."""

    def compute(self) -> Metrics: ...


class Task(ABC):
    """One task on one prepared data set.

    Args:
        params: the task's block.
        prepared: sizes, vocabulary, labels and scaler, which are known only after the data.

    Raises:
        InputError: the task's block names a class that is not there.
    """

    def __init__(self, params: Any, prepared: Prepared) -> None:
        self.params = params
        self.prepared = prepared
        self.class_weights = class_weights(params, prepared)

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Numbers per read-out."""

    def network(self, model: Model, generator: torch.Generator) -> nn.Module:
        """The network for this task, its weights drawn from the generator."""
        return build(model, self.params.topology, self.sizes, self.outputs, generator)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, tags or answers, in the order of the outputs."""
        assert self.prepared.labels is not None
        return self.prepared.labels

    @property
    def scaler(self) -> Scaler:
        """Turns scaled numbers into their units."""
        assert self.prepared.scaler is not None
        return self.prepared.scaler

    @property
    def sizes(self) -> Sizes:
        """What the data decide of the network."""
        vocabulary, letters = self.prepared.vocabulary, self.prepared.letters
        return Sizes(
            None if vocabulary is None else len(vocabulary),
            self.prepared.features,
            None if letters is None else len(letters),
        )

    @property
    def shown(self) -> tuple[str, ...]:
        """The metrics a person sees first; the first one decides whether a baseline is beaten."""
        shown: tuple[str, ...] = self.params.shown
        return shown

    def forward(self, network: nn.Module, batch: Batch, progress: float | None = None) -> Tensor:
        """The network's outputs for a batch.

        Args:
            network: what `network` built.
            batch: whole; windows of it are run by the trainer.
            progress: in training, how much of it has gone by, 0 to 1; None: it is not training.
        """
        outputs: Tensor = network(batch.inputs, batch.mask)
        return outputs

    @abstractmethod
    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The mean loss over the batch's real targets."""

    def training_loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """What is differentiated: the loss, and what regularises it, if anything does."""
        return self.loss(outputs, batch)

    @abstractmethod
    def weight(self, batch: Batch) -> float:
        """How many targets `loss` is the mean of; with class weights their sum."""

    def decode(self, network: nn.Module, batch: Batch, outputs: Tensor, final: bool) -> Any:
        """What is measured: the outputs, or what is decoded with them.

        Args:
            network: in evaluation mode.
            batch: what it was run on.
            outputs: of `forward`.
            final: whether it is the last word, which may take longer to find.
        """
        return outputs

    @abstractmethod
    def meter(self) -> Meter:
        """An empty meter."""

    @abstractmethod
    def measure(self, meter: Any, outputs: Any, batch: Batch) -> None:
        """Adds a batch, as `decode` gives it, to a meter."""

    @abstractmethod
    def predictions(self, outputs: Any, batch: Batch) -> dict[str, list[Any]]:
        """Columns of the predictions table, a row for each item of the batch."""

    def recordings(self, batch: Batch) -> dict[str, list[str]]:
        """A column of the recordings' names, where items are recordings."""
        names = self.prepared.sources
        return {"recording": [names[row] for row in batch.item.tolist()]} if names else {}

    def whole(self, predictions: pandas.DataFrame) -> pandas.DataFrame:
        """The predictions table of all items, where a column needs more than its own batch."""
        return predictions

    @abstractmethod
    def answer(self, outputs: Any, inputs: Tensor) -> dict[str, Any]:
        """What a person wants to know of one new item, JSON-able.

        Args:
            outputs: of the network for this item alone, without padding.
            inputs: the item's own steps, as the network read them.
        """


def class_weights(params: Any, prepared: Prepared) -> Tensor | None:
    """[labels] what each counts in the loss, where the task's block says it; None: the same."""
    chosen, labels = getattr(params, "class_weights", None), prepared.labels or ()
    if chosen is None:
        return None
    counts = prepared.facts["labels"]["train"]
    if chosen == "balanced":
        total = sum(counts.values())
        return torch.tensor([total / (len(labels) * counts[label]) for label in labels])
    unknown = sorted(set(chosen) - set(labels))
    if unknown:
        raise InputError(
            f"task.class_weights: there is no class {unknown[0]!r}; "
            f"the classes are {', '.join(labels)}"
        )
    return torch.tensor([chosen.get(label, 1.0) for label in labels])


def real_steps(batch: Batch) -> int:
    """How many steps of a batch are no padding."""
    if batch.mask is None:
        return batch.inputs.shape[0] * batch.inputs.shape[1]
    return int(batch.mask.sum())
