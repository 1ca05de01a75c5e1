"""The kernel of a training: `train.kernel`, and what `auto` means for an experiment."""

from collections.abc import Mapping

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.errors import InputError
from rnnkit.nn.kernels.compiled.eligibility import is_installed
from rnnkit.params.experiment import Experiment
from rnnkit.params.model import RNN, Model
from rnnkit.params.train import Kernel

GAIN_SECONDS = 3.0
"""Processor time that a training must gain for `auto` to choose numba. Loading the compiled code
takes .7 s; compiling it, once on a machine, about 12 s, which one short run need not wait for."""
GAINS: Mapping[str, float] = {"rnn": 1.0e-6, "sigmoid": 3.4e-6, "lstm": 0.4e-6, "gru": 4.6e-6}
GAINS_WITH_DROPOUT: Mapping[str, float] = {
    "rnn": 3.4e-6, "sigmoid": 3.9e-6, "lstm": 8.5e-6, "gru": 8.9e-6
}  # fmt: skip
"""Seconds that one step of a sequence through 64 units gains over torch, by cell, and with
recurrent dropout, which torch's layers lack: tests/benchmarks/recurrence.py. They grow with the
units."""
UNITS = 64
LARGE_LSTM = 512
"""Units of an LSTM from which torch's layer is as fast."""


def with_kernel(experiment: Experiment, prepared: Prepared) -> Experiment:
    """The experiment with `train.kernel` numba where it is auto and the training is long enough.

    The choice depends on the params and the data alone, so that a training that is resumed or run
    again has the same bits.

    Raises:
        InputError: numba is asked for and not installed.
    """
    kernel = experiment.train.kernel
    if kernel == "numba" and not is_installed():
        raise InputError(
            "train.kernel: numba is not installed; run pip install numba, or write auto"
        )
    if kernel != "auto" or gained_seconds(experiment, prepared) < GAIN_SECONDS:
        return experiment
    return experiment.replace({"train.kernel": "numba"})


def training_kernel(experiment: Experiment) -> Kernel | None:
    """The kernel that training steps run on, after `with_kernel`; None: nothing recurs."""
    kernel, model = experiment.train.kernel, experiment.model
    if "train.kernel" in experiment.task.unused:
        return None
    if kernel in ("numba", "steps"):
        return kernel
    is_fused = _kind(model) in ("rnn", "lstm", "gru") and not model.recurrent_dropout
    return "torch" if is_fused else "steps"


def gained_seconds(experiment: Experiment, prepared: Prepared) -> float:
    """Processor time that numba's kernel is expected to save over all epochs of a training."""
    train, model = experiment.train, experiment.model
    if train.threads > 1 or not is_installed() or "train.kernel" in experiment.task.unused:
        return 0.0
    steps = int(prepared.splits["train"].input_length.sum()) / experiment.data.segment
    layers = model.depth * (2 if model.bidirectional else 1)
    return train.epochs * steps * layers * _gain(model) * model.hidden / UNITS


def _gain(model: Model) -> float:
    kind = _kind(model)
    if model.recurrent_dropout:
        return GAINS_WITH_DROPOUT.get(kind, 0.0)
    if kind == "lstm" and model.hidden >= LARGE_LSTM:
        return 0.0
    return GAINS.get(kind, 0.0)  # none for a user's own cell


def _kind(model: Model) -> str:
    is_sigmoid = isinstance(model.cell, RNN) and model.cell.activation == "sigmoid"
    return "sigmoid" if is_sigmoid else model.cell.kind
