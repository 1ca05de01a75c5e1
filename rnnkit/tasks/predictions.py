"""The table of predictions of a test split, with what is measured and shown of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas

from rnnkit.data.inputs import Inputs
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.ids import END
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.errors import InputError
from rnnkit.metrics import Metrics, bleu_of
from rnnkit.params.task import Direction


def ratio(sums: np.ndarray) -> np.ndarray:
    """Total over weight, of [2, …] sums; 0 of no weight."""
    total, weight = sums
    share: np.ndarray = np.divide(total, weight, out=np.zeros_like(total), where=weight != 0)
    return share


class Measure(NamedTuple):
    """What is compared, as a function of sums over items.

    Args:
        direction: which way it is better.
        of: sums of an item's columns, [columns, …], -> the measure.
        same_weight: whether the weights are those of the truth: two networks have the same.
    """

    direction: Direction
    of: Callable[[np.ndarray], np.ndarray] = ratio
    same_weight: bool = True


MEASURES: Mapping[str, Measure] = {
    "accuracy": Measure("maximize"),
    "loss": Measure("minimize"),
    "mae": Measure("minimize"),
    "sequence_accuracy": Measure("maximize"),
    "wer": Measure("minimize", same_weight=False),
    "f1": Measure("maximize", same_weight=False),
    "bleu": Measure("maximize", bleu_of, same_weight=False),
}
"""By name."""
RISES_WITH: Mapping[str, str] = {"perplexity": "loss", "bits": "loss"}
"""Metric -> the measure that is better exactly where the metric is."""
MAX_MISTAKES = 12
"""Rows of a table of mistakes."""
MAX_CHARACTERS = 300
"""Characters of an item's text that are shown."""
Rows = list[dict[str, Any]]
Measures = Mapping[str, Callable[[], pandas.DataFrame]]
"""Measure -> what gives its `Measured.items`; the first decides between two networks."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What each test item cost or earned.

    Args:
        name: accuracy (right answers or tags), sequence_accuracy, f1 (of entities), loss (nats per
            token or frame), mae (absolute errors in the data's units), wer (edits per word of what
            was to be given) or bleu.
        items: a row for each item with the terms of the measure; for all but bleu `total` and
            `weight`, the sum of totals over the sum of weights. Items that share references have
            the first of them in `source`, and together count as one.
    """

    name: str
    items: pandas.DataFrame


class Predictions(ABC):
    """One kind of table.

    Args:
        table: a row for each item, or for each number that is predicted.
        task: the params' block.

    Raises:
        InputError: a column is missing.
    """

    columns: ClassVar[tuple[str, ...]]
    """What every such table has."""

    def __init__(self, table: pandas.DataFrame, task: Any) -> None:
        self.table, self.task = table, task
        missing = [name for name in self.columns if name not in table]
        if missing:
            raise InputError(
                f"the predictions of {task.kind} must have a column {missing[0]!r}, and have "
                f"{', '.join(map(str, table.columns))}; run the experiment again"
            )

    @property
    @abstractmethod
    def measures(self) -> Measures:
        """What is measured of each item, the deciding measure first."""

    @property
    def compared(self) -> tuple[str, ...]:
        """The measures that networks are compared by, the deciding one first."""
        return tuple(self.measures)[:1]

    def measured(self, measure: str | None = None) -> Measured:
        """What each item cost or earned, by one of `measures`; None: the deciding one."""
        name = measure or self.compared[0]
        return Measured(name, self.measures[name]())

    @property
    def labels(self) -> pandas.DataFrame | None:
        """A row for each predicted label: truth, predicted, and probability of what was predicted
        where it is known; None: no labels are predicted."""
        return None

    def tables(self, items: "Items") -> Iterator[tuple[str, Rows]]:
        """Further tables of the report, each with its heading.

        Args:
            items: the test items' texts.
        """
        return iter(())

    @abstractmethod
    def mistakes(self, items: "Items") -> tuple[str, Rows]:
        """A heading and the rows below it, the worst first; none where nothing went wrong.

        Args:
            items: the test items' texts.
        """


class Scored(Metrics):
    """The metrics of a baseline, with its predictions.

    Args:
        metrics: by name.
        columns: gives the columns of the table of predictions that the measures read, with a row
            for each item, or for each target, in the split's order. It is called for the best
            baseline alone.
    """

    def __init__(self, metrics: Metrics, columns: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__(metrics)
        self.columns = columns


class Items:
    """The texts of test items, with their tokens as the source has them.

    Args:
        prepared: their data.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.split: EncodedSplit = prepared.splits["test"]
        self._inputs: Inputs = prepared.fitted.inputs
        self._originals = prepared.originals
        self._places = {item: i for i, item in enumerate(self.split.item.tolist())}

    def inputs(self, item: int) -> Any:
        """[steps] ids or [steps, features] of an item."""
        i = self._places[item]
        start, length = int(self.split.input_start[i]), int(self.split.input_length[i])
        return self.split.inputs[start : start + length]

    def pieces(self, item: int) -> list[str]:
        """An item's tokens; none where it is made of numbers."""
        if self._inputs.vocabulary is None or item not in self._places:
            return []
        ids, start = self.inputs(item), int(self.split.input_start[self._places[item]])
        words = (ids[:, 0] if ids.ndim == 2 else ids).tolist()  # without their spelling
        pieces = self._inputs.pieces(words)
        return [self._originals.get(start + k, piece) for k, piece in enumerate(pieces)]

    def text(self, item: int) -> str:
        """An item's text, cut where it is long."""
        return _cut(self._inputs.joined(self.pieces(item)))

    def targets(self, begin: int, length: int) -> str:
        """The text of a stretch of a stream's targets, cut where it is long; `⏎` is an end.

        Args:
            begin: of the first target, counted from the stream's first one.
            length: number of targets.
        """
        places = range(begin + 1, begin + 1 + min(length, MAX_CHARACTERS))
        ids = self.split.inputs[places.start : places.stop].tolist()
        pieces = self._inputs.pieces(ids)
        shown = [
            "⏎" if token == END else self._originals.get(place, piece)
            for place, token, piece in zip(places, ids, pieces, strict=True)
        ]
        return _cut(self._inputs.joined(shown))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]} …"


def summed(item: Any, total: object, weight: object) -> pandas.DataFrame:
    """`Measured.items` of rows, of which several may belong to one item."""
    frame = pandas.DataFrame({"total": total, "weight": weight}).astype(float)
    sums: pandas.DataFrame = frame.groupby(item, sort=True).sum()
    return sums


def one_measure(names: Iterable[str]) -> str:
    """The measure that all runs have.

    Raises:
        InputError: they have several.
    """
    different = sorted(set(names))
    if len(different) > 1:
        raise InputError(
            f"the runs are measured by {' and '.join(different)}; compare runs of one form of "
            "data, made by one version"
        )
    return different[0]


def mistake_rows(
    worst: pandas.DataFrame, columns: Sequence[str], items: Items, texts: bool = True
) -> Rows:
    """The first rows of a table, each with its item's text.

    Args:
        worst: with a column `item`, sorted.
        columns: what is shown beside the item.
        texts: whether items' texts are shown.
    """
    rows = []
    for _, row in worst.head(MAX_MISTAKES).iterrows():
        shown = {"item": int(row["item"]), **{name: row[name] for name in columns}}
        text = items.text(shown["item"]) if texts else ""
        if "recording" in row:
            shown["recording"] = row["recording"]
        rows.append({**shown, "text": text} if text else shown)
    return rows
