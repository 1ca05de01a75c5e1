"""Estimate the cost of a training before it is run: parameters, padding and time."""

import time
from typing import Any

import torch
from torch import nn

from rnnkit.data.batches import padding_waste
from rnnkit.data.prepare.encoded_split import SPLITS
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.windows import count_windows, has_targets, training_windows
from rnnkit.nn.kernels.compiled.cache import is_compiled
from rnnkit.nn.model.network import count_parameters
from rnnkit.nn.model.stack import use_kernel
from rnnkit.params import Experiment
from rnnkit.runtime import numerics
from rnnkit.tasks import task_for
from rnnkit.training.evaluate import evaluated_batches, with_monitor
from rnnkit.training.kernel import training_kernel, with_kernel
from rnnkit.training.pretrained import start

TIMED_BATCHES = 4
"""Number of batches to time."""
VALIDATION_SECONDS = 2.0
"""Time after which the measurement of a validation is scaled up."""
NOT_COMPILED = (
    "the first run on this machine compiles numba's kernel, about 12 s; the time is that of torch"
)
HALFWAY = 0.5
"""Training progress while timing; with scheduled sampling the cost depends on it."""


def estimate(experiment: Experiment, prepared: Prepared) -> dict[str, Any]:
    """Compute the cost by name; seconds are processor time, measured on a few batches here.

    Returns:
        data: the source; items: of each split; longest: steps of the longest item;
        padding: fraction of the steps in the training batches; notes: on the data; vocabulary,
        target_vocabulary: tokens; longest_target: tokens; parameters; kernel: of the recurrence,
        numba, torch or steps; steps_per_epoch: updates;
        monitor: the metric of the best epoch;
        seconds_per_epoch, with its validation; vectors, start_from: notes on pretrained weights;
        sweep: trials and epochs; comparison: variants and seeds. Keys that do not apply are absent.
    """
    experiment = with_monitor(experiment, prepared)
    numerics.set_threads(experiment.train.threads)
    task = task_for(experiment.task, prepared)
    network = task.network(experiment.model, numerics.generator(experiment.seed, "weights"))
    experiment, notes = with_kernel(experiment, prepared), list(prepared.notes)
    kernel = training_kernel(experiment)
    if kernel == "numba" and not is_compiled():
        notes.append(NOT_COMPILED)
    else:
        use_kernel(network, experiment.train.kernel)
    pretrained = start(network, experiment, prepared)
    split = prepared.splits["train"]
    windows = training_windows(split, experiment, numerics.generator(experiment.seed, "cost"))
    steps = count_windows(split, experiment, numerics.generator(experiment.seed, "cost"))
    seconds = []
    for _ in range(min(TIMED_BATCHES + 1, steps)):
        began = time.process_time()  # not what other processes take meanwhile
        batch = next(windows).batch
        if has_targets(batch):
            outputs = task.forward(network, batch, HALFWAY)
            task.training_loss(outputs, batch).backward()
        seconds.append(time.process_time() - began)
    per_batch = sum(seconds[1:] or seconds) / len(seconds[1:] or seconds)  # the first is warm-up
    cost: dict[str, Any] = {
        "data": str(prepared.facts["source"]),
        "items": {name: len(prepared.splits[name]) for name in SPLITS},
        "longest": max(int(prepared.splits[name].input_length.max()) for name in SPLITS),
        "padding": padding_waste(split, experiment.train.batch_size),
        "notes": notes,
        **prepared.fitted.described(prepared.facts),
        "parameters": count_parameters(network),
        **({} if kernel is None else {"kernel": kernel}),
        "steps_per_epoch": steps,
        "monitor": experiment.train.monitor,
        "seconds_per_epoch": per_batch * steps + _validation_seconds(network, experiment, prepared),
        **pretrained,
    }
    if experiment.tune is not None:
        cost["sweep"] = {"trials": experiment.tune.trials, "epochs": experiment.train.epochs}
    if experiment.variants or experiment.seeds:
        compared = {"variants": experiment.variants, "seeds": experiment.seeds}
        cost["comparison"] = {what: len(values) for what, values in compared.items() if values}
    return cost


@torch.no_grad()
def _validation_seconds(network: nn.Module, experiment: Experiment, prepared: Prepared) -> float:
    """Processor time of scoring the validation split; a long one is measured in part."""
    task, split = task_for(experiment.task, prepared), prepared.splits["valid"]
    meter, done, began = task.meter(), 0, time.process_time()
    network.eval()
    for batch, outputs in evaluated_batches(network, task, split, experiment):
        task.measure(meter, task.decode(network, batch, outputs, False), batch)
        done += int(batch.inputs.shape[:2].numel() if batch.mask is None else batch.mask.sum())
        if (seconds := time.process_time() - began) > VALIDATION_SECONDS:
            return seconds * max(1.0, int(split.input_length.sum()) / done)
    return time.process_time() - began
