"""What the platform costs: `rnnkit run` against the bare training of the same experiment.

Several rounds of: the bare training, the command without servers, the command with those of
`rnnkit up`; imports, figures and report are in it. Then what the record of a training costs: the
seconds inside the calls that write its journal, its checkpoints, MLflow and Prefect's progress.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows import settings
from flows.processes import servers
from rnnkit.runtime import process_settings

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
EPOCHS, ROUNDS = 19, 3


def bare(params: Path, home: Path) -> float:
    """Seconds of the training loop alone, in a process that has imported everything."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from rnnkit.runtime import process_settings; process_settings.settle()\n"
        "from rnnkit.params import load; from rnnkit.tasks import prepare\n"
        "from rnnkit.training.loop import train\n"
        "from rnnkit.training.state import State\n"
        "it = load(Path(sys.argv[1]))\n"
        "prepared = prepare(it.data, it.task, Path(sys.argv[2]))\n"
        "began = time.perf_counter()\n"
        "for _ in train(it, prepared, State.start()): pass\n"
        "print(time.perf_counter() - began)"
    )
    command = [sys.executable, "-c", code, str(params), str(home)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def run(params: Path, home: Path) -> tuple[float, dict[str, float]]:
    """Seconds of the whole command, and where they went."""
    command = [sys.executable, "-m", "flows.cli", "run", str(params), "--again", "--json"]
    began = time.perf_counter()
    done = subprocess.run(
        [*command, "--mlruns", str(home)], check=True, capture_output=True, text=True
    )
    return time.perf_counter() - began, json.loads(done.stdout)["seconds"]


@contextmanager
def up(home: Path) -> Iterator[None]:
    """The servers of `rnnkit up`."""
    ports = [servers.free_port(), servers.free_port()]
    chosen = [f"--mlflow-port={ports[0]}", f"--prefect-port={ports[1]}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "up", "--mlruns", str(home), *chosen],
        stdout=subprocess.DEVNULL,
    )
    try:
        while not (home / "servers.json").exists():
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait()


def record(params: Path, home: Path) -> tuple[dict[str, float], float]:
    """Seconds of each way of recording a training, and of the whole training."""
    where = settings.read(home)
    spent: dict[str, float] = {}
    seconds = 0.0

    def flow() -> dict[str, Any]:
        from flows.experiment import run_experiment
        from flows.pages import Pages
        from flows.tracking.mirror import Mirror
        from rnnkit.params import load
        from rnnkit.runs.run_folder import RunFolder

        for owner, name in (
            (RunFolder, "append"),
            (RunFolder, "save_checkpoint"),
            (Mirror, "advance"),
            (Pages, "queue"),
        ):
            setattr(owner, name, _timed(getattr(owner, name), f"{owner.__name__}.{name}", spent))
        with Pages() as pages, pages.flow_run("experiment", "bench", {}) as flow_run:
            return run_experiment(load(params), where, flow_run, "", 99)

    from flows.launcher import prefect

    with prefect(where) as server:
        if server:
            server.wait()
        seconds = flow()["seconds"]["train"]
    return spent, seconds


def _timed(call: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any, **more: Any) -> Any:
        began = time.perf_counter()
        try:
            return call(*args, **more)
        finally:
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - began

    return timed


def main() -> None:
    """Prints the times."""
    process_settings.settle()
    with tempfile.TemporaryDirectory() as folder:
        home, params = Path(folder) / "mlruns", Path(folder) / "bench.yaml"
        params.write_text(PARAMS.replace("EPOCHS", str(EPOCHS)))
        run(params, home)  # makes the databases, and the cache of what is compiled
        more: dict[str, list[float]] = {"no servers": [], "servers up": []}
        for _ in range(ROUNDS):
            alone = bare(params, home)
            print(f"bare training           {alone:.1f} s", flush=True)
            total, splits = run(params, home)
            more["no servers"].append(total - alone)
            print(f"rnnkit run, no servers  {total:.1f} s: {splits}", flush=True)
            with up(home):
                total, splits = run(params, home)
            more["servers up"].append(total - alone)
            print(f"rnnkit run, servers up  {total:.1f} s: {splits}", flush=True)
        for name, values in more.items():
            told = ", ".join(f"{value:+.1f}" for value in sorted(values))
            print(f"{name}: {told} s; median {statistics.median(values):+.1f} s")
        spent, training = record(params, home)
        for name, seconds in spent.items():
            print(f"{name:<28} {seconds:.2f} s, {seconds / training:.2%} of {training:.1f} s")
        print(f"{'all of it':<28} {sum(spent.values()) / training:.2%}")


if __name__ == "__main__":
    main()
