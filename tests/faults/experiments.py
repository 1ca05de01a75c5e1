"""The experiments that the faults hit: seconds long, and the same to the bit however often.

A sweep's points depend on the trials' numbers alone (sampler `random`, no pruner), so that two
workers that finish in another order change nothing.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

DATA = "DATA"  # in params: the path of the file that `write_data` wrote
SENTENCES = 100
WORDS = {"the": "D", "a": "D", "cat": "N", "dog": "N", "house": "N", "sees": "V", "is": "V"}
NETWORK = f"""
task: {{kind: tagging}}
data:
  source: {{kind: tokens, path: {DATA}}}
  split: {{kind: fractions, valid: 0.2, test: 0.2}}
model:
  representation: {{kind: embedding, size: 4}}
  hidden: 6
  dropout: 0.3
train:
  epochs: EPOCHS
  batch_size: 12
  optimizer: {{kind: adam, learning_rate: 0.8}}
"""
"""The learning rate is so high that of five epochs the 1st, 3rd and 4th are the best so far."""
_STAGES = ("evaluate", "draw", "report")


@dataclass(frozen=True)
class Tiny:
    """A params file, the verb that runs it, and the stages in the run's journal."""

    name: str
    verb: str
    params: str
    stages: tuple[str, ...]


def _params(name: str, epochs: int, more: str = "") -> str:
    return f"name: {name}{NETWORK.replace('EPOCHS', str(epochs))}{more}"


BEFORE = Tiny("before", "run", _params("before", 1), ("prepare", "train", *_STAGES))
"""Finished in every output folder before a fault: it must stay as it is."""
PLAIN = Tiny("plain", "run", _params("plain", 5), ("prepare", "train", *_STAGES))


def sweep(name: str, trials: int, epochs: int) -> Tiny:
    """A sweep with two workers."""
    search = "{train.clip: {low: 0.5, high: 10, log: true}, model.depth: {low: 1, high: 2}}"
    tune = (
        f"tune:\n  trials: {trials}\n  workers: 2\n  sampler: {{kind: random}}\n"
        f"  pruner: {{kind: none}}\n  search: {search}\n"
    )
    return Tiny(name, "run", _params(name, epochs, tune), ("prepare", "tune", *_STAGES))


SWEEP = sweep("sweep", 4, 8)
VARIANTS = "variants: {gru: {}, rnn: {model.cell.kind: rnn}}\nseeds: [0]\n"
LONG = Tiny(
    "long",
    "run",
    _params("long", 3_500, "  early_stopping: null\n")
    .replace("hidden: 6", "hidden: 96")
    .replace("batch_size: 12", "batch_size: 2")
    .replace("learning_rate: 0.8", "learning_rate: 0.01"),
    (),
)
"""Two minutes on one core."""
COMPARISON = Tiny("compared", "compare", _params("compared", 2, VARIANTS), ())


def write_data(file: Path) -> None:
    """Sentences of a few words, with a class for each word and now and then a wrong one."""
    draw = random.Random(0)
    rows = []
    for _ in range(SENTENCES):
        tokens = draw.choices(list(WORDS), k=draw.randint(2, 9))
        tags = [WORDS[token] if draw.random() < 0.9 else "N" for token in tokens]
        rows.append({"tokens": tokens, "tags": tags})
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
