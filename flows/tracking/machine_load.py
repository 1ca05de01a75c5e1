"""CPU, memory and GPU of the machine while a run goes on, measured by a thread of its own.

The values lie in the run's folder, a line each, from where MLflow gets them under the names of its
own system metrics (`system/...`): the step of a value is the number of its line.
"""

import importlib.util
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psutil

from rnnkit.runs.run_folder import LOAD, RunFolder
from rnnkit.runtime import files

SAMPLE_SECONDS = 10.0
"""Between two values; MLflow's own default."""
FIRST_SECONDS = 1.0
"""Until the first value: a shorter run has none."""
MEGABYTE = 1e6  # bytes


def rows_of_load(folder: RunFolder) -> Iterator[tuple[str, int, float, int]]:
    """(metric, step, value, time in ms) of all values that lie in a run's folder."""
    lines, _ = files.read_whole_lines(folder.path / LOAD)
    for step, line in enumerate(lines):
        for name, value in line.items():
            if name != "time":
                yield f"system/{name}", step, float(value), line["time"]


class LoadMeter:
    """The thread that measures, from `start` to `stop`."""

    def __init__(self, folder: RunFolder) -> None:
        self._file, self._over = folder.path / LOAD, threading.Event()
        self._thread = threading.Thread(target=self._measure, name="load", daemon=True)

    def start(self) -> None:
        """Begins to measure; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ends it; afterwards no line is written."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _measure(self) -> None:
        psutil.cpu_percent()  # the next call measures since this one
        pause, gpus = FIRST_SECONDS, None
        with suppress(OSError):  # a full disk ends the run itself
            while not self._over.wait(pause):
                gpus = _gpus() if gpus is None else gpus
                line = {"time": int(time.time() * 1000), **_machine(), **_of_gpus(gpus)}
                files.append_line(self._file, line)
                pause = SAMPLE_SECONDS


def _machine() -> dict[str, float]:
    memory = psutil.virtual_memory()
    return {
        "cpu_utilization_percentage": psutil.cpu_percent(),
        "system_memory_usage_megabytes": round(memory.used / MEGABYTE, 1),
        "system_memory_usage_percentage": memory.percent,
    }


def _gpus() -> list[Any]:
    """MLflow's monitor of the GPUs; nothing without a GPU, or without the package that reads it."""
    with suppress(Exception):  # whatever the driver says, the training goes on
        if importlib.util.find_spec("pynvml"):
            from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor

            return [GPUMonitor()]
    return []


def _of_gpus(monitors: list[Any]) -> dict[str, float]:
    values: dict[str, float] = {}
    for monitor in monitors:
        monitor.collect_metrics()
        values |= monitor.aggregate_metrics()
        monitor.clear_metrics()
    return values
