"""Why a network learns or does not: measurements of a training, and verdicts with what to try.

verdict    a sentence with its evidence and params to try; at most three are shown
rules      the table of rules: weight, thresholds and meaning of every verdict
subject    what is measured, and what is judged
judging    the tables of all measurements and judges
recording  every step of a network's recurrent cells
gradient   the gradient through time
spectrum   recurrent weights, gates and activations
probe      the items on which both are measured during training

watch      measures a training as it goes on
not_finite where numbers went wrong
dynamics   judges the gradient, the gates and the activations
diagnosis  of a run, or of params before a training
tables     the numbers as pandas frames

memory_span    how far back the inputs lie that a trained network uses
dependence     how far back the data themselves depend on their past
truncation     both beside each other and beside `train.bptt`
clip           what the clip threshold did to the steps of a training
fit            classes that are never predicted, calibration, errors by length
neighbours     nearest neighbours of embeddings
hidden_states  of an item over time
linear_probe   how well the targets can be read from each layer
learning       overfitting, underfitting, and the learning rate, by the loss curves

Measurements use copies of the weights and change no training.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pandas


def frames(run: "str | Path") -> "dict[str, pandas.DataFrame]":
    """The diagnosis of a run as pandas frames by name: gradient, decay, gates, units, memory_span,
    dependence, clip, classes, calibration, linear_probe, neighbours and verdicts.

    Their columns are those of `rnnkit.diagnose.tables.frames`.

    Args:
        run: its folder, as `mlruns/runs/demo-0123456789`.
    """
    from rnnkit.diagnose import tables

    return tables.frames(run)
