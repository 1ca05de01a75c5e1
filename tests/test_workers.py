"""Work in other processes, when a worker dies at the worst moment."""

import subprocess
import sys
from pathlib import Path

from command import ROOT, environment

PROGRAM = """
import gc, multiprocessing.queues, os, signal, sys, time
from pathlib import Path
from prefect import task
from flows import settings
from flows.workers import run_tasks

@task
def die_while_telling(seconds):
    time.sleep(seconds)
    for found in gc.get_objects():
        if type(found) is multiprocessing.queues.Queue:
            found._wlock.acquire()
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    work = [(die_while_telling, {"seconds": seconds}) for seconds in (0, 30)]
    home = Path(sys.argv[1])
    print(run_tasks(settings.read(home), 2, work, lambda: None, home / "stop"))
"""


def test_a_worker_that_dies_with_a_lock_in_its_hands_keeps_nobody(
    tmp_path: Path, prefect_api: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path)],
        cwd=ROOT,
        env=environment(PREFECT_API_URL=prefect_api, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
