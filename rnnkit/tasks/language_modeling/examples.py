"""Examples of language modelling: the next token at every step of a stream.

A split is one stream, `<eos>` and then each item followed by `<eos>`. Inputs are the stream without
its last token, targets the stream without its first: every token of every item and every item's
end is predicted exactly once. The stream is cut into windows that follow one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnkit.data.inputs.tokens import EndedTexts
from rnnkit.data.prepare.column_items import items_of
from rnnkit.data.prepare.encoded_split import EncodedSplit, begin, stream_windows
from rnnkit.data.prepare.facts import counted, unknown
from rnnkit.data.prepare.fitted import Fitted, Texts, refuse_no_tokens
from rnnkit.data.prepare.flat_steps import smallest_type
from rnnkit.data.prepare.ids import END
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.data.prepare.stored import Stored
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.task import LanguageModeling
from rnnkit.runtime.scratch import ScratchArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class LanguageModelingFitted(Fitted):
    """How texts become tokens."""

    task: LanguageModeling
    inputs: EndedTexts

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> EncodedSplit:
        """Windows of `data.max_length` steps, or one for each item where it is null."""
        tokenizer = self.inputs.tokenizer
        stream = ScratchArray(smallest_type(len(tokenizer.vocabulary)))
        ends, count = ScratchArray(np.int64), 0
        stream.append(np.array([END]))
        texts = items_of(frame[self.inputs.column], rows)
        for ids, text_ends in tokenizer.encode_pieces(texts):
            stream.append(np.insert(ids, text_ends, END))
            ends.append(text_ends + count)
            count += len(ids)
        lengths = np.diff(ends.array(), prepend=0)
        refuse_no_tokens(split, lengths, rows)
        start, length = stream_windows(lengths + 1, self.data.max_length)
        owner = np.searchsorted(np.cumsum(lengths + 1), start, side="right")
        return EncodedSplit.next_steps(stream.array(), start, length, rows[owner])

    def originals(self, frame: pd.DataFrame, rows: np.ndarray, split: EncodedSplit) -> Texts:
        """As `Fitted.originals`; the stream begins with an end."""
        items = items_of(frame[self.inputs.column], rows)
        return self.inputs.originals(items, split.inputs.numpy()[1:], first=1)

    def read(self, values: Sequence[Any], names: Sequence[str]) -> EncodedSplit:
        """Each text after the end of what came before."""
        flat, lengths = self.inputs.read(values, names)
        self.inputs.warn_unknown(flat, lengths, names)
        each = np.arange(len(lengths))
        begun = np.insert(flat, begin(lengths), END)
        return EncodedSplit.of_items((begun, lengths + 1), np.zeros_like(each), each)

    def contents(self, split: EncodedSplit) -> list[tuple[bytes, bool]]:
        """Of the texts between the ends: windows of another file would begin elsewhere."""
        stream = split.inputs.numpy()
        return self._digests(np.split(stream[stream != END], _lengths(stream).cumsum()[:-1]))

    def refuse_other_tokens(self, of: Fitted) -> None:
        raise InputError(
            "their vocabularies differ, and so would the tokens that are predicted; train on the "
            "champion's text, or on characters"
        )

    @classmethod
    def load(cls, stored: Stored, data: Data, task: LanguageModeling) -> LanguageModelingFitted:
        return cls(task, data, EndedTexts.load(stored, data))


def _lengths(stream: np.ndarray) -> np.ndarray:
    """Tokens of each text of a stream that begins with an end and has one after each text."""
    lengths: np.ndarray = np.diff(np.flatnonzero(stream == END)) - 1
    return lengths


def fit(
    frame: pd.DataFrame, data: Data, task: LanguageModeling
) -> Prepared[LanguageModelingFitted]:
    """Splits, tokenises, joins, cuts into windows.

    Args:
        frame: text, in the order of appearance.

    Raises:
        InputError: too little data.
    """
    rows = split_items(frame, "text", data)
    inputs, frame = EndedTexts.fit(frame, rows, data)
    fitted = LanguageModelingFitted(task, data, inputs)
    splits = {split: fitted.encode(frame, own, split) for split, own in rows.items()}
    facts = counted(fitted, splits)
    facts |= {
        "unknown": {split: unknown(own.inputs, ends=True) for split, own in splits.items()},
        "duplicates": duplicates(frame, "text", rows),
        "texts": {split: len(own) for split, own in rows.items()},
    }
    originals = fitted.originals(frame, rows["test"], splits["test"])
    return Prepared("", splits, fitted, facts, originals=originals)
