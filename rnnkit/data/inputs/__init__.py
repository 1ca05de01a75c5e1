"""Encoding of inputs, one class per form: texts, token lists, numbers, recordings.

An `Inputs` is fitted on the training split, stored with the model, and encodes other splits, files,
single inputs and streams. Tasks encode the targets.
"""

from rnnkit.data.inputs.interface import Inputs as Inputs
