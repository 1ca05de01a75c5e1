"""What a training will cost, told before it is run: parameters, padding, time and memory."""

import time
from typing import Any

from rnnkit.data.batches import padding_waste
from rnnkit.data.prepare.part import PARTS
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.windows import count_windows, has_targets, training_windows
from rnnkit.nn.model.network import count_parameters
from rnnkit.params import Experiment
from rnnkit.runtime import numerics
from rnnkit.tasks import task_for
from rnnkit.training.pretrained import start

SAMPLE = 4
"""Batches that are timed."""
HALFWAY = 0.5
"""How much of a training has gone by: with scheduled sampling a network reads its own tokens."""


def estimate(experiment: Experiment, prepared: Prepared) -> dict[str, Any]:
    """Numbers by name; the seconds are measured on a few batches, on this machine, as it is now.

    Returns:
        data: the source; items: of each split; longest: steps of the longest training item;
        padding: fraction of the steps in the training batches; notes: on the data; vocabulary,
        target_vocabulary: tokens; longest_target: tokens; parameters; steps_per_epoch: updates;
        seconds_per_epoch; vectors, start_from: what pretrained weights gave; sweep: trials and
        epochs; comparison: variants and seeds. What does not apply is left out.
    """
    numerics.set_threads(experiment.train.threads)
    task = task_for(experiment.task, prepared)
    network = task.network(experiment.model, numerics.generator(experiment.seed, "weights"))
    begun = start(network, experiment, prepared)
    part = prepared.parts["train"]
    windows = training_windows(part, experiment, numerics.generator(experiment.seed, "cost"))
    steps = count_windows(part, experiment, numerics.generator(experiment.seed, "cost"))
    taken = []
    for _ in range(min(SAMPLE + 1, steps)):
        began = time.perf_counter()
        batch = next(windows).batch
        if has_targets(batch):
            outputs = task.forward(network, batch, HALFWAY)
            task.training_loss(outputs, batch).backward()
        taken.append(time.perf_counter() - began)
    per_batch = sum(taken[1:] or taken) / len(taken[1:] or taken)  # the first one warms up
    cost: dict[str, Any] = {
        "data": str(prepared.facts["source"]),
        "items": {name: len(prepared.parts[name]) for name in PARTS},
        "longest": int(part.input_length.max()),
        "padding": padding_waste(part, experiment.train.batch_size),
        "notes": list(prepared.notes),
    }
    cost |= prepared.described
    cost |= {
        "parameters": count_parameters(network),
        "steps_per_epoch": steps,
        "seconds_per_epoch": per_batch * steps,
    }
    cost |= begun
    if experiment.tune is not None:
        cost["sweep"] = {"trials": experiment.tune.trials, "epochs": experiment.train.epochs}
    if experiment.variants or experiment.seeds:
        several = {"variants": experiment.variants, "seeds": experiment.seeds}
        cost["comparison"] = {what: len(each) for what, each in several.items() if each}
    return cost
