"""Trainings in processes of their own that get a real signal in the middle of a step.

    python tests/killed_training.py FOLDER CASES

CASES is a JSON list of [signal, step, changes of the experiment]. Case k trains in FOLDER/k and
gets its signal between the backward pass and the update of its step. Printed is a JSON list of exit
statuses, negative for a signal.
"""

import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from small_training import experiment_of, prepared_of, train_whole

from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics
from rnnkit.training import train_into
from rnnkit.training.gradients import FlatParameters


def killed(folder: Path, name: str, step: int, changes: dict[str, Any]) -> int:
    """Exit status of a process that trains and gets a signal in that step."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    usual, steps = FlatParameters.gradient_norm, 0

    def gradient_norm(flat: FlatParameters) -> float:
        nonlocal steps
        steps += 1
        if steps == step:
            os.kill(os.getpid(), signal.Signals[name])
        return usual(flat)

    FlatParameters.gradient_norm = gradient_norm  # type: ignore[method-assign]
    numerics.reset_peak_memory = lambda: None  # it collects garbage
    train_into.CHECKPOINT_FRACTION = 1e9  # so that each interval is as the params say
    status = 0
    try:
        experiment = experiment_of(changes)
        train_whole(RunFolder(folder), experiment, prepared_of(experiment))
    except KeyboardInterrupt:
        status = 130
    finally:
        os._exit(status)


if __name__ == "__main__":
    gc.freeze()  # children copy fewer pages
    place = Path(sys.argv[1])
    cases = enumerate(json.loads(sys.argv[2]))
    print(json.dumps([killed(place / str(number), *case) for number, case in cases]))
