"""What the platform costs: `rnnkit run` against the bare training of the same experiment.

Once with the servers of `rnnkit up`, once without; imports, figures and report are in it.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flows import servers
from rnnkit import launch

PARAMS = """
name: bench
task: {kind: tagging}
data:
  source: {kind: builtin, name: python_tokens}
  tokenizer: {kind: characters}
  limit: 1200
model: {hidden: 64, bidirectional: true}
train: {epochs: EPOCHS, early_stopping: null, optimizer: {kind: adam, learning_rate: 1e-2}}
"""
EPOCHS = 15


def bare(params: Path, home: Path) -> float:
    """Seconds of the training loop alone, in a process that has imported everything."""
    launch.settle()
    from rnnkit.params import load
    from rnnkit.prepare import prepare
    from rnnkit.train import State, train

    experiment = load(params)
    prepared = prepare(experiment.data, experiment.task, home)
    began = time.perf_counter()
    for _ in train(experiment, prepared, State.start()):
        pass
    return time.perf_counter() - began


def run(params: Path, home: Path) -> tuple[float, dict[str, float]]:
    """Seconds of the whole command, and where they went."""
    command = [sys.executable, "-m", "flows.cli", "run", str(params), "--again", "--json"]
    began = time.perf_counter()
    done = subprocess.run(
        [*command, "--mlruns", str(home)], check=True, capture_output=True, text=True
    )
    return time.perf_counter() - began, json.loads(done.stdout)["seconds"]


def main() -> None:
    """Prints the times."""
    with tempfile.TemporaryDirectory() as folder:
        home, params = Path(folder) / "mlruns", Path(folder) / "bench.yaml"
        params.write_text(PARAMS.replace("EPOCHS", str(EPOCHS)))
        alone = bare(params, home)
        print(f"bare training           {alone:.1f} s", flush=True)
        total, parts = run(params, home)
        print(f"rnnkit run, no servers  {total:.1f} s, {total - alone:+.1f} s: {parts}", flush=True)
        ports = [servers.free_port(), servers.free_port()]
        chosen = [f"--mlflow-port={ports[0]}", f"--prefect-port={ports[1]}"]
        up = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "up", "--mlruns", str(home), *chosen],
            stdout=subprocess.DEVNULL,
        )
        try:
            while not (home / "servers.json").exists():
                time.sleep(0.2)
            total, parts = run(params, home)
        finally:
            up.terminate()
            up.wait()
        print(f"rnnkit run, servers up  {total:.1f} s, {total - alone:+.1f} s: {parts}")
        print(f"training in it          {parts['train'] / alone - 1:+.1%} of the bare one")


if __name__ == "__main__":
    main()
