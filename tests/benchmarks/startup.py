"""CPU seconds of short commands, those of Prefect's server among them: medians of several rounds.

Wall time depends on what else runs; CPU time is what a command costs. The output folder is made
before, so that no command makes databases.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

PARAMS = """
name: bench
task: {kind: classification}
data: {source: {kind: labelled_text, path: bench.csv, text: text, label: label}}
model: {hidden: 16}
train: {epochs: 1}
"""
ROUNDS = 5
SERVER = "flows.processes.prefect_server:app"
POLL_SECONDS = 0.05


def cpu_seconds(arguments: Sequence[str], folder: Path, text: str = "") -> tuple[float, float, int]:
    """CPU seconds of a command and of Prefect's server below it, and the command's largest resident
    memory in MiB."""
    process = psutil.Popen(
        [sys.executable, "-m", "flows.cli", *arguments],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdin is not None
    process.stdin.write(text.encode())
    process.stdin.close()
    server = command = 0.0
    resident = 0
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            command = sum(process.cpu_times()[:2])  # user and system
            resident = max(resident, process.memory_info().rss >> 20)
            for child in process.children(recursive=True):
                if SERVER in child.cmdline():
                    server = max(server, sum(child.cpu_times()[:2]))
        time.sleep(POLL_SECONDS)
    if process.returncode:
        raise SystemExit(f"{arguments}: exit status {process.returncode}")
    return command, server, resident


def main() -> None:
    """Prints a line for each command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [f"a {label}{k} film,{label}" for label in "xy" for k in range(50)]
        (folder / "bench.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
        (folder / "bench.yaml").write_text(PARAMS)
        cpu_seconds(["run", "bench.yaml"], folder)
        commands = {
            "--version": (["--version"], ""),
            "check": (["check", "bench.yaml"], ""),
            "predict": (["predict", "last"], "a fine film\n"),
            "evaluate FILE": (["evaluate", "last", "bench.csv"], ""),
            "run": (["run", "bench.yaml", "--again"], ""),
        }
        print("command        CPU s   its server   MiB")
        for command, (arguments, text) in commands.items():
            rounds = [cpu_seconds(arguments, folder, text) for _ in range(ROUNDS)]
            medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
            print("{:<13} {:6.2f} {:12.2f} {:5.0f}".format(command, *medians), flush=True)


if __name__ == "__main__":
    main()
