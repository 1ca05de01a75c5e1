"""Hidden states of a test item over time, by layer and direction."""

from collections.abc import Mapping
from typing import Any

import torch

from rnnkit.data.batches import gather
from rnnkit.diagnose.recording import REVERSE, Recorder, recording
from rnnkit.diagnose.subject import Subject
from rnnkit.tasks.predictions import Items

HIDDEN_STATES = "hidden_states"
"""Name of the measurement."""
MAX_STEPS, MAX_UNITS, MAX_LAYERS = 60, 24, 4
"""What is kept of an item: its first steps, the units that vary most, the first series."""
MIN_STEPS = 2


@torch.no_grad()
def measure(subject: Subject) -> Mapping[str, Any]:
    """The hidden states of the test item of median length.

    Returns: item: row of the source's frame; tokens: of its steps, empty for numbers; layers:
        name of a series -> [units, steps] h, in the order of the inputs. Empty where items have
        one step.
    """
    split = subject.prepared.splits["test"]
    median = split.input_length.argsort(stable=True)[len(split) // 2]
    if int(split.input_length[median]) < MIN_STEPS:
        return {}
    batch = gather(split, median[None], "post", torch.float32)
    with recording(subject.network) as recorders:
        subject.task.forward(subject.network, batch)
    layers = {
        name: states_of(name, recorder)
        for name, recorder in list(recorders.items())[:MAX_LAYERS]
        if len(recorder.after) >= MIN_STEPS
    }
    item = int(batch.item[0])
    tokens = Items(subject.prepared).pieces(item)[:MAX_STEPS]
    return {"item": item, "tokens": tokens, "layers": layers} if layers else {}


def states_of(name: str, recorder: Recorder) -> list[list[float]]:
    """[units, steps] h of the first row, of the units whose h varies most, in their order."""
    states = torch.stack([state.h[0] for state in recorder.after])
    if name.endswith(REVERSE):
        states = states.flip(0)
    states = states[:MAX_STEPS]
    units = states.var(0).argsort(descending=True, stable=True)[:MAX_UNITS].sort().values
    return [[round(value, 2) for value in row] for row in states[:, units].T.tolist()]
