"""Two workers against one: the same random trials, without pruning, start-up excluded and told.

The time of a sweep is that from its first trial's beginning to its last one's end.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rnnkit.runtime.files import read_lines

PARAMS = """
name: bench
task: {kind: tagging}
data:
  source: {kind: builtin, name: python_tokens}
  tokenizer: {kind: characters}
  limit: 640
model: {hidden: 48, bidirectional: true}
train: {epochs: 10, early_stopping: null, optimizer: {kind: adam, learning_rate: 1e-2}}
tune:
  trials: 6
  sampler: {kind: random}
  pruner: {kind: none}
  search: {train.clip: {low: 0.5, high: 10, log: true}}
"""
ROUNDS = 2


def seconds(home: Path, workers: int) -> tuple[float, float, float]:
    """(the trials together, one trial, everything around them) of a sweep."""
    params = home / "bench.yaml"
    params.write_text(PARAMS)
    command = [sys.executable, "-m", "flows.cli", "tune", str(params), "--again", "--json"]
    began = time.time()
    done = subprocess.run(
        [*command, "--workers", str(workers), "--mlruns", str(home)],
        check=True,
        capture_output=True,
        text=True,
    )
    total = time.time() - began
    folder = Path(json.loads(done.stdout)["folder"])
    lines = [read_lines(path) for path in folder.glob("trials/*/journal.jsonl")]
    each = [(own[-1]["time"] - own[0]["time"]) / 1000 for own in lines]
    trials = (max(own[-1]["time"] for own in lines) - min(own[0]["time"] for own in lines)) / 1000
    return trials, sum(each) / len(each), total - trials


def main() -> None:
    """Prints the ratio of interleaved sweeps."""
    with tempfile.TemporaryDirectory() as home:
        found: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(ROUNDS):
            for workers in (1, 2):
                trials, each, rest = seconds(Path(home), workers)
                found[workers].append(trials)
                print(
                    f"{workers} workers: {trials:.1f} s for 6 trials of {each:.1f} s, "
                    f"{rest:.1f} s around them",
                    flush=True,
                )
        print(f"two workers take {sum(found[2]) / sum(found[1]):.2f} of one worker's time")


if __name__ == "__main__":
    main()
