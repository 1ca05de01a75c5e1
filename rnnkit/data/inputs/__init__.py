"""How inputs become tensors, one form in each class: texts, token lists, numbers, recordings.

An `Inputs` is fitted on the training split, stored beside the model, and encodes all inputs that
come later: other splits, files, single inputs, streams. What the targets are is for the tasks.
"""

from rnnkit.data.inputs.interface import Feed, Inputs

__all__ = ["Feed", "Inputs"]
