"""Prepared items as lists, and their tokens."""

from rnnkit.data.prepare.part import Part
from rnnkit.data.prepare.prepared import Prepared

TRAIN, VALID, TEST = "train", "valid", "test"


def items(part: Part) -> list[tuple[list, list]]:
    """(inputs, targets) of every item."""
    slices = zip(
        part.input_start, part.input_length, part.target_start, part.target_length, strict=True
    )
    return [
        (part.inputs[a : a + n].tolist(), part.targets[b : b + m].tolist()) for a, n, b, m in slices
    ]


def words(prepared: Prepared, ids: list[int]) -> list[str]:
    assert prepared.fitted.inputs.vocabulary is not None
    return [prepared.fitted.inputs.vocabulary[id] for id in ids]
