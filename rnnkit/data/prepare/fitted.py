"""Interface of a task's fit: tokenizer, labels and scaler, and the encoding of examples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rnnkit.data.inputs.interface import Inputs
from rnnkit.data.prepare.column_items import items_of
from rnnkit.data.prepare.encoded_split import EncodedSplit, Flat, positions, widened
from rnnkit.data.prepare.ids import UNKNOWN
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.errors import InputError
from rnnkit.params.data import Data

Texts = Mapping[int, str]
"""Row of the source's frame -> text."""


@dataclass(frozen=True, eq=False)
class Fitted(ABC):
    """A task's tokenizer, labels and scaler, fitted on the training split.

    Args:
        task: the task's params.
        data: the data params.
        inputs: encodes inputs.
    """

    split_by_time: ClassVar[bool] = False
    """Whether the training data are identified by times, not by items."""

    task: Any
    data: Data
    inputs: Inputs

    @abstractmethod
    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> EncodedSplit:
        """Encode rows of a source with their targets. Applies `data.max_length`.

        Args:
            frame: of the source.
            rows: rows to encode; they become the examples' `item`.
            split: for messages: train, valid, test, or `new` for another source, whose labels
                must be among `all_labels`.

        Raises:
            InputError: an invalid input.
        """

    def texts(self, frame: pd.DataFrame, rows: np.ndarray) -> tuple[Texts, Texts]:
        """Targets as text, and source texts or recordings' names; empty if there are none."""
        return {}, {}

    def originals(self, frame: pd.DataFrame, rows: np.ndarray, split: EncodedSplit) -> Texts:
        """Place in the inputs of a split -> the token as the source has it, where that is another
        text than the vocabulary's.

        Args:
            frame: of the source.
            rows: those that the split was encoded from.
            split: the encoded rows.
        """
        items = items_of(frame[self.inputs.column], rows)
        return self.inputs.originals(items, split.inputs.numpy())

    def read(self, values: Sequence[Any], names: Sequence[str]) -> EncodedSplit:
        """Encode a user's inputs, with dummy targets.

        Args:
            values: as documented in `Predictor`.
            names: their names in messages.

        Raises:
            InputError: an input is invalid.
        """
        read = self.inputs.read(values, names)
        self.inputs.warn_unknown(*read, names)
        item = np.arange(len(values))
        return EncodedSplit.of_items(read, np.zeros_like(item), item, self.longest_read)

    def encode_inputs(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> Flat:
        """Encode the inputs of rows; arguments as in `encode`."""
        flat, lengths = self.inputs.encode_rows(frame[self.inputs.column], rows)
        refuse_no_tokens(split, lengths, rows)
        return flat, lengths

    def cut(self, split: EncodedSplit) -> tuple[int, int]:
        """Number of items of a split truncated at `data.max_length`, and of their missing steps."""
        if self.data.max_length is None or split.is_sequence_to_sequence:
            return 0, 0
        whole = torch.diff(split.input_start, append=torch.tensor([len(split.inputs)]))
        given = 1 if split.inputs is split.targets else 0  # the first step, which is no target
        missing = (whole - given - split.input_length).clamp(min=0)
        return int((missing > 0).sum()), int(missing.sum())

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Names of the feature columns of numeric inputs; None for other inputs."""
        scaler = self.inputs.scaler
        return None if scaler is None else scaler.columns[: self.inputs.features]

    @property
    def longest_read(self) -> int | None:
        """Maximum steps of an item, as in training; None: no limit."""
        return None

    @property
    def labels(self) -> tuple[str, ...] | None:
        """Classes, tags or symbols, in output order; None for other tasks."""
        return None

    @property
    def all_labels(self) -> tuple[str, ...]:
        """The labels, then those that only other data have. The network has no output for the
        latter: they count as wrong."""
        return self.labels or ()

    @property
    def notes(self) -> list[str]:
        """Notes on how the data are scored."""
        return []

    def including_labels(self, labels: Iterable[str]) -> Self:
        """A copy that also numbers the labels of other data."""
        return self

    def labels_of(self, frame: pd.DataFrame) -> list[str]:
        """All labels of a frame; empty for tasks without labels."""
        return []

    def unseen(self, split: EncodedSplit, of: Fitted | None = None) -> dict[str, int]:
        """Label that the training split lacks -> number of targets of a split that have it.

        Args:
            split: encoded by this fit.
            of: another model's fit, whose training split is meant.
        """
        known = set((of or self).labels or ())
        if known.issuperset(self.all_labels):
            return {}
        counts = torch.bincount(split.all_targets, minlength=len(self.all_labels)).tolist()
        named = zip(self.all_labels, counts, strict=True)
        return {label: count for label, count in named if count and label not in known}

    @property
    def target(self) -> FittedTokenizer | None:
        """Tokenizer of target texts; None for other tasks."""
        return None

    def unknown(
        self, splits: Mapping[str, EncodedSplit], facts: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Fractions of unknown tokens: kind of token -> split -> fraction."""
        return {"tokens": dict(facts.get("unknown") or {})}

    def undefined(self, train: EncodedSplit, split: EncodedSplit) -> Mapping[str, str]:
        """Metrics that do not exist for a split: name -> why."""
        return {}

    def metric_notes(self, train: EncodedSplit, scored: Mapping[str, EncodedSplit]) -> list[str]:
        """Notes on metrics that do not exist for splits, by name, or that leave something out."""
        absent: dict[tuple[str, str], list[str]] = {}
        for name, split in scored.items():
            for metric, why in self.undefined(train, split).items():
                absent.setdefault((metric, why), []).append(name)
        return [
            f"{metric} does not exist for {' and '.join(names)}: {why}"
            for (metric, why), names in absent.items()
        ]

    def described(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Facts on vocabulary and targets, by the names in `facts.WORDS`."""
        vocabulary = self.inputs.vocabulary
        return {} if vocabulary is None else {"vocabulary": len(vocabulary) - 1}

    # ------------------------------------------------------------------ examples of another fit

    def align(self, split: EncodedSplit, of: Fitted) -> EncodedSplit:
        """Convert another fit's examples to this fit's labels and scales; tokens must be equal.

        The labels of the other fit must be among `all_labels`.

        Raises:
            InputError: this fit reads another form of data.
        """
        if of.form != self.form:
            raise InputError(
                "the older model reads other columns or another form of data, or scales where the "
                "run does not"
            )
        if of.all_labels != self.all_labels:
            numbers = [self.all_labels.index(label) for label in of.all_labels]
            split = replace(split, targets=torch.tensor(numbers)[widened(split.targets)])
        scaler, own = of.inputs.scaler, self.inputs.scaler
        if scaler is not None and own is not None and scaler != own:
            split = _rescaled(split, scaler, own)
        return split

    @property
    def form(self) -> tuple[Any, ...]:
        """Form of the data; must be equal to align examples."""
        inputs = self.inputs
        fields = (inputs.vocabulary, self.labels, inputs.scaler, inputs.characters)
        return (inputs.features, *(field is None for field in fields))

    @property
    def tokens(self) -> tuple[Any, ...]:
        """Vocabularies of inputs, their characters, and targets."""
        target = None if self.target is None else self.target.vocabulary
        return self.inputs.vocabulary, self.inputs.characters, target

    def refuse_seen_times(self, older: Fitted) -> None:
        """Data split by time: raise InputError if the older fit's training or validation times
        overlap this fit's test split."""
        return

    def refuse_other_tokens(self, of: Fitted) -> None:
        """Raise InputError if encoding another fit's items with this fit's tokens would change
        what the metrics measure."""
        return

    def with_series_of(self, of: Fitted) -> Self:
        """A copy that finds the series of rows in another fit's frame."""
        return self

    def items_to_score(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        """Items to score from a file, built like those of the test split, and notes."""
        return frame, []

    def items_to_answer(self, frame: pd.DataFrame) -> list[Any]:
        """Inputs of a file that is read like the run's source, as `Predictor` takes them."""
        items: list[Any] = frame[self.inputs.column].tolist()
        return items

    @property
    def table_columns(self) -> tuple[str, ...]:
        """Columns of a table that the model reads to forecast its next rows; empty: it forecasts
        none."""
        return ()

    @property
    def forecast_columns(self) -> tuple[str, ...]:
        """Those of `table_columns` that it forecasts: a table's last rows may lack them."""
        return ()

    def contents(self, split: EncodedSplit) -> list[tuple[bytes, bool]]:
        """A digest of what the network reads of each item, and whether equal digests mean equal
        items: of those with an unknown token they do not, because different texts have its id.
        """
        starts, lengths = split.input_start.tolist(), split.input_length.tolist()
        items = (split.inputs[s : s + n].numpy() for s, n in zip(starts, lengths, strict=True))
        return self._digests(items)

    def _digests(self, items: Iterable[np.ndarray]) -> list[tuple[bytes, bool]]:
        tokens = self.inputs.vocabulary is not None

        def content_of(item: np.ndarray) -> np.ndarray:
            return item.astype(np.int64, copy=False) if tokens else item  # stored in any type

        return [
            (
                blake2b(content_of(item).tobytes(), digest_size=16).digest(),
                not (tokens and bool((item == UNKNOWN).any())),
            )
            for item in items
        ]

    # ------------------------------------------------------------------ on disk

    def stored(self) -> dict[str, Any]:
        """Fields of `prepared.json`."""
        vocabulary = None if self.target is None else self.target.vocabulary
        unseen = self.all_labels[len(self.labels or ()) :]
        return {
            **self.inputs.stored(),
            "labels": self.labels,
            **({"unseen_labels": unseen} if unseen else {}),
            "target_vocabulary": vocabulary,
        }

    def files(self) -> dict[str, str]:
        """Further files: name -> content."""
        return self.inputs.files()

    @classmethod
    @abstractmethod
    def load(cls, stored: Stored, data: Data, task: Any) -> Self:
        """Load from the contents of `stored` and `files`."""


def refuse_no_tokens(split: str, lengths: np.ndarray, rows: np.ndarray) -> None:
    """Raise InputError for items without a token."""
    if (lengths == 0).any():
        raise InputError(
            f"data.source: every item needs at least one token, but {int((lengths == 0).sum())} of "
            f"the {split} split has none, the first is row {int(rows[lengths.argmin()]) + 1}; "
            "leave them out or choose another tokenizer"
        )


def _rescaled(split: EncodedSplit, scaler: Scaler, own: Scaler) -> EncodedSplit:
    """Convert inputs and targets through their units to an older model's own scale."""
    if (scaler.columns, scaler.known) != (own.columns, own.known):
        raise InputError("the older model reads other columns or other known-future covariates")
    if scaler.targets != own.targets:
        raise InputError(
            f"the older model predicts {', '.join(own.targets)} and the run "
            f"{', '.join(scaler.targets)}"
        )
    if scaler.log != own.log:
        raise InputError("one of the two models has data.scaling: log, and the other has not")
    if scaler.series != own.series:
        raise InputError("the older model was trained on other series")
    series = scaler.which(split.item) if len(scaler.begin) > 1 else torch.zeros_like(split.item)

    def converted(values: Tensor, start: Tensor, length: Tensor, columns: list[int]) -> Tensor:
        rows = torch.zeros(len(values), dtype=torch.int64)
        rows[positions(start, length)] = series.repeat_interleave(length)
        offset, scale = (table[:, columns][rows] for table in scaler.tables)
        own_offset, own_scale = (table[:, columns][rows] for table in own.tables)
        return ((values.double() * scale + offset - own_offset) / own_scale).float()

    read = split.input_length + (split.target_length if split.known else 0)
    columns = list(range(split.inputs.shape[-1]))
    inputs, targets = converted(split.inputs, split.input_start, read, columns), split.targets
    if targets.is_floating_point() and scaler.targets:
        wanted = scaler.target_columns
        targets = converted(targets, split.target_start, split.target_length, wanted)
    return replace(split, inputs=inputs, targets=targets)
