"""Prepared items as lists, and their tokens."""

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared

TRAIN, VALID, TEST = "train", "valid", "test"


def items(split: EncodedSplit) -> list[tuple[list, list]]:
    """(inputs, targets) of every item."""
    slices = zip(
        split.input_start, split.input_length, split.target_start, split.target_length, strict=True
    )
    return [
        (split.inputs[a : a + n].tolist(), split.targets[b : b + m].tolist())
        for a, n, b, m in slices
    ]


def words(prepared: Prepared, ids: list[int]) -> list[str]:
    assert prepared.fitted.inputs.vocabulary is not None
    return [prepared.fitted.inputs.vocabulary[id] for id in ids]
