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
    """Facts by name; the seconds are measured on a few batches, on this machine, as it is now."""
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
    facts: dict[str, Any] = {
        "data": str(prepared.facts["source"]),
        "items": ", ".join(f"{name} {len(prepared.parts[name]):,}" for name in PARTS),
        "longest": f"{int(part.input_length.max()):,} steps",
        "padding": f"{padding_waste(part, experiment.train.batch_size):.1%} of the steps",
    }
    if prepared.notes:
        facts["notes"] = "; ".join(prepared.notes)
    facts |= prepared.described
    facts |= {
        "parameters": f"{count_parameters(network):,}",
        "steps": f"{steps:,} per epoch",
        "time": f"about {per_batch * steps:.1f} s per epoch on one of these cores",
    }
    facts |= begun
    if experiment.tune is not None:
        facts["sweep"] = f"{experiment.tune.trials} trials of {experiment.train.epochs} epochs"
    if experiment.variants or experiment.seeds:
        several = [(experiment.variants, "variants"), (experiment.seeds, "seeds")]
        facts["comparison"] = " x ".join(f"{len(each)} {what}" for each, what in several if each)
    return facts
