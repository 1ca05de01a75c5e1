"""All steps of a split, one item after the other."""

from torch import Tensor

from rnnkit.data.prepare.part import Part, positions


def inputs_of(part: Part) -> Tensor:
    """[steps] all input tokens of a part's items, one item after the other."""
    inputs = part.inputs if part.inputs.ndim == 1 else part.inputs[:, 0]  # without the letters
    return inputs[positions(part.input_start, part.input_length)].long()


def targets_of(part: Part) -> Tensor:
    """[targets] all labels, tags or tokens of a part's items, one item after the other."""
    return part.targets[positions(part.target_start, part.target_length)].long()
