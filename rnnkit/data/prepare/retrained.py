"""The data of a last training, without a judge: train and valid are one part."""

from __future__ import annotations

from dataclasses import replace

from rnnkit.data.prepare.prepared import Prepared, joined
from rnnkit.data.prepare.writing import short
from rnnkit.params.data import Data


def train_and_valid(prepared: Prepared, data: Data) -> Prepared:
    """Train and valid as one part, and no valid part.

    What is too long to be trained on is left out of both.
    """
    whole = joined(prepared.parts["train"], prepared.parts["valid"])
    if whole.unaligned and data.max_length is not None:
        whole, _ = short(whole, data.max_length)
    return replace(prepared, parts={"train": whole, "test": prepared.parts["test"]})
