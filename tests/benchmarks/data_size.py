"""Memory and CPU time of preparing data, by the size of a file, and of a training's first steps.

Every measurement is a process of its own. Memory is what the process had at its peak beyond the
imported libraries; pages of mapped files count. Text of random words by Zipf's law.

    python tests/benchmarks/data_size.py [MB …]       # 1 10 100 by default; 1000 takes minutes
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

VOCABULARY, LINE_WORDS = 50_000, 14
FORMS: dict[str, dict[str, Any]] = {
    "characters": {
        "task": {"kind": "language_modeling"},
        "data": {
            "source": {"kind": "text"},
            "tokenizer": {"kind": "characters"},
            "max_length": 200,
        },
    },
    "words": {
        "task": {"kind": "language_modeling"},
        "data": {
            "source": {"kind": "text"},
            "tokenizer": {"kind": "words", "vocabulary": 10_000},
            "max_length": 70,
        },
    },
    "rows of CSV": {
        "task": {"kind": "classification"},
        "data": {
            "source": {"kind": "labelled_text", "format": "csv"},
            "tokenizer": {"kind": "words", "vocabulary": 10_000},
            "max_length": 50,
        },
    },
}
STEPS = 20
CHILD = """
import json, resource, sys, time
from pathlib import Path
import pandas, pyarrow, safetensors.torch, tokenizers
from rnnkit import tasks
from rnnkit.params.experiment import Experiment
from rnnkit.runtime import numerics
from rnnkit.training.loop import train
from rnnkit.training.state import Position, State

experiment = Experiment.model_validate(json.loads(sys.argv[1]))
imported = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
began = time.process_time()
prepared = tasks.prepare(experiment.data, experiment.task, Path(sys.argv[2]))
seconds = time.process_time() - began
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - imported
records = train(experiment, prepared, State.start())
positions = (record for record in records if isinstance(record, Position))
for _ in range(int(sys.argv[3])):
    next(positions)
print(json.dumps([seconds, memory, numerics.peak_memory() - imported]))
"""


def lines(megabytes: float) -> Iterator[str]:
    """Lines of random words, with about one million bytes for each megabyte."""
    random = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    shares = 1 / np.arange(1, 27)
    words = [
        "".join(random.choice(letters, random.integers(2, 10), p=shares / shares.sum()))
        for _ in range(VOCABULARY)
    ]
    cumulative = (1 / (np.arange(VOCABULARY) + 2.7)).cumsum()
    left = megabytes * 1e6
    while left > 0:
        drawn = random.random((10_000, LINE_WORDS)) * cumulative[-1]
        for row in np.searchsorted(cumulative, drawn).tolist():
            line = " ".join([words[word] for word in row])
            left -= len(line) + 1
            yield line


def measured(form: str, megabytes: float, folder: Path) -> tuple[float, float, float]:
    """CPU seconds and memory in MiB of preparing, and memory up to the first training steps."""
    path = folder / "data"
    with path.open("w") as file:
        rows = form == "rows of CSV"
        file.write("text,label\n" if rows else "")
        for number, line in enumerate(lines(megabytes)):
            file.write(f"{line},{'abcde'[number % 5]}\n" if rows else f"{line}\n")
    params = {
        "name": "bench",
        "model": {"cell": {"kind": "gru"}, "hidden": 32},
        **json.loads(json.dumps(FORMS[form])),
    }
    params["data"]["source"]["path"] = str(path)
    arguments = [json.dumps(params), str(folder / "home"), str(STEPS)]
    command = [sys.executable, "-c", CHILD, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, preparing, training = json.loads(done.stdout.splitlines()[-1])
    return seconds, preparing, training


def main() -> None:
    """A line for each form and size."""
    sizes = [*map(float, sys.argv[1:])] or [1.0, 10.0, 100.0]
    print(f"{'':12} {'MB':>6} {'CPU s':>7} {'MiB preparing':>14} {'MiB training':>13}")
    for form in FORMS:
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                seconds, preparing, training = measured(form, size, Path(folder))
            print(f"{form:12} {size:6.0f} {seconds:7.1f} {preparing:14.0f} {training:13.0f}")


if __name__ == "__main__":
    main()
