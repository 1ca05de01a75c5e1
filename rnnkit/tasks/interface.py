"""What a task is to everything else: how to fit, build, lose, measure, decode, answer and show."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal

import pandas
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from typing_extensions import TypeVar

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.stored import Stored
from rnnkit.errors import InputError
from rnnkit.metrics import Metrics
from rnnkit.nn.model.network import build
from rnnkit.nn.model.representation import Sizes
from rnnkit.params.data import Characters, Data
from rnnkit.params.model import Model
from rnnkit.tasks.predictions import Predictions
from rnnkit.tasks.streaming import SequenceStream

if TYPE_CHECKING:
    from rnnkit.figures import Figure

F = TypeVar("F", bound=Fitted, default=Any)
Figures = Iterator[tuple[str, "Figure"]]
"""Figures of a run, each with its name."""
Evaluated = Iterable[tuple[Batch, Tensor]]
"""Batches of a split, with the trained network's outputs."""
Baseline = Callable[[Any, Prepared, EncodedSplit], Metrics]
"""(task, prepared data, examples) -> metrics of a simple predictor fitted on the training split;
as `Scored` where it predicts items."""


class Continuation(ABC):
    """A text that goes on."""

    @abstractmethod
    def scores(self) -> Tensor:
        """[vocabulary] logits of the next token."""

    @abstractmethod
    def append(self, token: int) -> None:
        """Goes on with a token."""

    @abstractmethod
    def text(self, tokens: Sequence[int]) -> str:
        """The whole text with the appended tokens, the prompt included where it is a text."""


class Task(ABC, Generic[F]):
    """One task on one prepared data set.

    Args:
        params: the task's block.
        prepared: its data; what the training split decided is `prepared.fitted`.

    Raises:
        InputError: the task's block names a class that is not there.
    """

    fitted_type: ClassVar[type[Any]]
    """What the training split decides."""
    table_type: ClassVar[type[Predictions]]
    """The type of the predictions table, where it is the same for all params."""
    meter_type: ClassVar[type[Any]]
    """The meter, where it takes no arguments."""
    stream_type: ClassVar[type[SequenceStream]] = SequenceStream
    read_at_once: ClassVar[str | None] = None
    """What the network reads at once, for the refusal of a stream; None: it reads step by step."""

    def __init__(self, params: Any, prepared: Prepared[F]) -> None:
        self.params = params
        self.prepared = prepared
        self.fitted = prepared.fitted

    @classmethod
    def fit(cls, frame: pandas.DataFrame, data: Data, params: Any, /) -> Prepared:
        """From a source's frame to prepared data, without their hash."""
        prepared: Prepared = cls.fitted_type.fit(frame, data, params)
        return prepared

    @classmethod
    def load(cls, data: Data, params: Any) -> Callable[[Stored], Fitted]:
        """What reads the task's own record from a folder of prepared data or of a model."""
        return lambda stored: cls.fitted_type.load(stored, data, params)

    # ------------------------------------------------------------------ the network

    @property
    def topology(self) -> str:
        """A name of `rnnkit.nn.model.network.TOPOLOGIES`."""
        return str(self.params.topology)

    @property
    def synced(self) -> bool:
        """Whether the network gives outputs at every step of its inputs."""
        return self.topology == "synced"

    @property
    def loss_at(self) -> Literal["steps", "end"] | None:
        """Where in the inputs the loss is: at every step, or after the last one; None: at no known
        place, as that of an alignment."""
        return "steps" if self.synced else "end"

    @property
    def steps_ahead(self) -> int:
        """Steps at the end of the inputs that lie in the future, with what is known ahead."""
        return 0

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Numbers per read-out."""

    @property
    def sizes(self) -> Sizes:
        """What the data decide of the network."""
        inputs = self.fitted.inputs
        vocabulary, characters = inputs.vocabulary, inputs.characters
        return Sizes(
            None if vocabulary is None else len(vocabulary),
            inputs.features,
            None if characters is None else len(characters),
        )

    @property
    def readout(self) -> str:
        """What the network gives, for the picture of it."""
        return "numbers" if self.fitted.labels is None else f"{len(self.fitted.labels)} labels"

    def network(self, model: Model, generator: torch.Generator) -> nn.Module:
        """The network for this task, its weights drawn from the generator."""
        start, are_words = (
            model.initialization,
            not isinstance(self.fitted.data.tokenizer, Characters),
        )
        if start.embedding is None and are_words:
            start = start.model_copy(update={"embedding": self.params.word_scale})
            model = model.model_copy(update={"initialization": start})
        return build(model, self.topology, self.sizes, self.outputs, generator)

    # ------------------------------------------------------------------ training and evaluation

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, tags or answers, in the order of the outputs."""
        assert self.fitted.labels is not None
        return self.fitted.labels

    @property
    def all_labels(self) -> tuple[str, ...]:
        """The labels, then those without an output, which count as wrong."""
        return self.fitted.all_labels

    @property
    def shown(self) -> tuple[str, ...]:
        """The metrics a person sees first; the first one decides whether a baseline is beaten."""
        return tuple(self.params.shown)

    @property
    @abstractmethod
    def baselines(self) -> Mapping[str, Baseline]:
        """Simple predictors that the network must beat, by their names."""

    def forward(self, network: nn.Module, batch: Batch, progress: float | None = None) -> Tensor:
        """The network's outputs for a batch.

        Args:
            batch: whole; windows of it are run by the trainer.
            progress: in training, how much of it has gone by, 0 to 1; None: it is not training.
        """
        outputs: Tensor = network(batch.inputs, batch.mask)
        return outputs

    def real(self, batch: Batch) -> Bool[Tensor, "batch *time"]:
        """Which outputs mean anything."""
        if not self.synced:
            return torch.ones(len(batch.inputs), dtype=torch.bool)
        if batch.mask is None:
            return torch.ones(batch.inputs.shape[:2], dtype=torch.bool)
        return batch.mask

    def answer_lag(self, batch: Batch) -> Int[Tensor, " batch"] | None:
        """Steps between the answer to each item and what it depends on; None: not known."""
        return None

    def other_future(self, batch: Batch) -> tuple[Batch, slice] | None:
        """The batch with other values from a step on, and the steps whose outputs must not change;
        None: outputs may depend on all steps. The batch is one item, without padding.
        """
        steps = batch.inputs.shape[1]
        if not self.synced or steps < 2:
            return None
        half = steps // 2
        inputs = batch.inputs.clone()
        inputs[:, half:] = inputs[:, half:].flip(1) if steps - half > 1 else inputs[:, :1]
        if inputs.is_floating_point():
            inputs[:, half:] += 1.5
        return replace(batch, inputs=inputs), slice(0, half)

    @abstractmethod
    def loss(self, outputs: Tensor, batch: Batch) -> Float[Tensor, ""]:
        """The mean loss over the batch's real targets."""

    def training_loss(self, outputs: Tensor, batch: Batch) -> Float[Tensor, ""]:
        """What is differentiated: the loss, and what regularises it, if anything does."""
        return self.loss(outputs, batch)

    def weight(self, batch: Batch) -> int | float:
        """How many targets `loss` is the mean of; with class weights their sum."""
        return int(self.real(batch).sum())

    def decode(self, network: nn.Module, batch: Batch, outputs: Tensor, final: bool) -> Any:
        """What is measured: the outputs, or what is decoded with them.

        Args:
            outputs: of `forward` on the batch.
            final: whether it is the final evaluation, whose decoding may take longer.
        """
        return outputs

    def meter(self) -> Any:
        """An empty meter."""
        return self.meter_type()

    @abstractmethod
    def measure(self, meter: Any, outputs: Any, batch: Batch) -> None:
        """Adds a batch, as `decode` gives it, to a meter."""

    # ------------------------------------------------------------------ calibration

    calibration: Any = None
    """What the validation split decided after training, with `to_json`; None: nothing."""

    def calibrate(self, valid: Evaluated, test: Evaluated) -> None:
        """Set `calibration`, of a task that has one.

        Args:
            valid: of the validation split.
            test: of the test split, which may be followed: what is decided for an item may depend
                on the truth of items before it.
        """

    def load_calibration(self, stored: Mapping[str, Any]) -> None:
        """Set `calibration` to what `calibration.to_json()` gave."""
        raise NotImplementedError

    # ------------------------------------------------------------------ predictions

    @classmethod
    def predictions_type(cls, params: Any, data: Data) -> type[Predictions]:
        """The type of the predictions table."""
        return cls.table_type

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

    def figures(self, predictions: Predictions) -> Figures:
        """The task's own figures of a run, from its predictions of the test split."""
        return iter(())

    # ------------------------------------------------------------------ new inputs

    def answers(self, network: nn.Module, batch: Batch) -> list[dict[str, Any]]:
        """What a person wants to know of the inputs of `Fitted.read`, JSON-able, one for each."""
        outputs = network(batch.inputs, batch.mask)
        answers = []
        for i in range(len(batch.inputs)):
            real = slice(None) if batch.mask is None else batch.mask[i]
            own = outputs[i][real] if self.synced else outputs[i]
            answers.append(self.answer(own, batch.inputs[i][real]))
        return answers

    @abstractmethod
    def answer(self, outputs: Any, inputs: Tensor) -> dict[str, Any]:
        """The answer to one input, from its own outputs and steps, without padding."""

    def rows_ahead(
        self, items: Sequence[Any], answers: Sequence[Mapping[str, Any]]
    ) -> pandas.DataFrame:
        """The rows behind a table, of a task that forecasts them.

        Args:
            items: of `Fitted.items_to_answer`.
            answers: to them.
        """
        raise NotImplementedError

    def figure_ahead(self, items: Sequence[Any], answers: Sequence[Mapping[str, Any]]) -> "Figure":
        """Picture of `rows_ahead` behind the rows that the network read."""
        raise NotImplementedError

    def stream(self, network: nn.Module) -> SequenceStream:
        """The network, of one direction, on a sequence that comes step by step.

        Raises:
            InputError: the network reads its inputs at once.
        """
        if self.read_at_once is not None:
            raise InputError(
                f"a {self.params.kind} model reads {self.read_at_once} at once and no stream; "
                "leave --stream out"
            )
        return self.stream_type(self, network)

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        """Prompts of the generated texts in a report; empty where no text is generated."""
        return ()

    @property
    def generates_characters(self) -> bool:
        """Whether the tokens of a continuation are characters."""
        data = self.fitted.data
        return isinstance(data.target_tokenizer or data.tokenizer, Characters)

    def continuation(self, network: nn.Module, prompt: str) -> Continuation:
        """What generates text, token by token.

        Raises:
            InputError: the task generates no text, or the prompt is none.
        """
        raise InputError(
            "only a language model or a captioner generates text, and this run's task is "
            f"{self.params.kind}; rnnkit predict has its answers"
        )
