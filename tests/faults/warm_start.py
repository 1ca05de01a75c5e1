"""Starts commands by fork from a process that has imported everything: a second each, not ten.

A program: reads requests, one JSON line each, from standard input until it is closed. A request
names the job's folder, arguments, environment and working folder; the job's folder gets `pid`,
`stdout`, `stderr` and, at its end, `status`. A command that is forked differs from one that is
started in the time of its imports only; worker processes are started as always.
"""

import json
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.005


def prepare(home: Path, params: Path) -> None:
    """Imports everything, and runs an experiment without Prefect, so that all is in use once.

    Args:
        home: an output folder, where the run is finished and sent to MLflow.
        params: of that experiment.
    """
    from flows import settings as places
    from rnnkit.runtime import process_settings

    process_settings.settle()  # before torch, as a command does
    settings = places.read(home)
    places.apply(settings)
    from trained_runs import train_in

    import rnnkit.inference.predict  # noqa: F401
    from flows.pipeline import steps
    from flows.tracking.sync import sync
    from rnnkit.params import load
    from rnnkit.runs.identity import identify

    experiment = load(params)
    (identity,) = identify([experiment])
    place = settings.runs / identity.run
    trained = train_in(place, experiment, home)
    run = steps.Run(experiment, trained.folder, home, identity.data)
    steps.draw(run, trained.prepared, steps.Search())
    steps.report(run, trained.prepared, dict(trained.result), steps.Search())
    trained.folder.finish(dict(trained.result))
    list(sync(settings))
    others = [thread.name for thread in threading.enumerate()][1:]
    if others:
        raise SystemExit(f"threads {others} run, and a fork would lose them")


def requests(children: dict[int, Path]) -> Iterator[dict[str, Any]]:
    """Requests as they come; ends of children are written down meanwhile."""
    text = b""
    while True:
        if select.select([0], [], [], POLL_SECONDS)[0]:
            read = os.read(0, 1 << 16)
            if not read:
                return
            *lines, text = (text + read).split(b"\n")
            yield from map(json.loads, lines)
        for pid in list(children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                write(children.pop(pid) / "status", os.waitstatus_to_exitcode(status))


def write(file: Path, value: int) -> None:
    """A number into a file, whole."""
    temporary = file.with_suffix(".new")
    temporary.write_text(str(value))
    temporary.replace(file)


def become(request: dict[str, Any]) -> None:
    """Makes this process, a fork, the command that is asked for."""
    job = Path(request["job"])
    os.setsid()
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(job / name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(file, descriptor)
        os.close(file)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    sys.argv = ["rnnkit", *request["arguments"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)


def serve() -> bool:
    """Forks a child per request. Whether this process is such a child, and not the starter."""
    children: dict[int, Path] = {}
    for request in requests(children):
        job, pid = Path(request["job"]), os.fork()
        if not pid:
            become(request)
            return True
        children[pid] = job
        write(job / "pid", pid)
    return False


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
    print("ready", flush=True)
    if serve():
        from faults import injection

        from flows.cli import main

        injection.install()
        main()
