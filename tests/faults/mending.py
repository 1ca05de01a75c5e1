"""Does what a refusal says, as a person would: deletes the file it names, or calls the verb."""

import re
import shutil
from pathlib import Path

from faults.harness import COMMAND_SECONDS, TRIES, DeadEnd, Reference, Twin, compare
from faults.home_state import MLFLOW
from faults.started import Ended

REBUILD = ("sync", "--rebuild")
BAD_INPUT = 2


def resume_mending(twin: Twin) -> bool:
    """The same command until it ends well, with what each refusal says in between.

    Returns:
        whether something was told.

    Raises:
        DeadEnd: a refusal says nothing that can be done, or it does not help.
    """
    told = False
    for _ in range(TRIES):
        ended = twin.start().wait(COMMAND_SECONDS)
        assert ended.untidy == [], f"more than lines of ours: {ended.err[-1000:]}"
        if ended.status == 0:
            return _sync(twin, ended) or told
        mend(twin.home, ended, twin)
        told = True
    raise DeadEnd(f"ended {TRIES} times with {ended.status}: {ended.err.strip()[-500:]}")


def _sync(twin: Twin, ended: Ended) -> bool:
    """Sends MLflow what the command says that it lacks."""
    said = ended.out + ended.err
    if "rnnkit sync" not in said:
        return False
    verb = REBUILD if "rnnkit sync --rebuild" in said else REBUILD[:1]
    _call(twin, verb)
    return True


def _call(twin: Twin, verb: tuple[str, ...]) -> None:
    ended = twin.start(verb=verb).wait(COMMAND_SECONDS)
    assert (ended.status, ended.untidy) == (0, []), f"rnnkit {' '.join(verb)}: {ended.err[-500:]}"


def mend(home: Path, ended: Ended, twin: Twin) -> None:
    """What one refusal says."""
    lines = ended.err.strip().splitlines()
    assert ended.status == BAD_INPUT, f"status {ended.status}: {lines}"
    assert lines, "nothing is said"
    if "rnnkit sync --rebuild" in lines[-1]:
        _call(twin, REBUILD)
        return
    named = [
        path for path in map(Path, re.findall(r"/[^\s:,;]+", lines[-1])) if home in path.parents
    ]
    there = [path for path in named if path.exists()]
    own = there and there[0].name == "settings.yaml"  # a person's, who knows what was in it
    if not there or not (own or "delete" in lines[-1]):
        raise DeadEnd(f"names nothing in the output folder that could be mended: {lines[-1]}")
    if there[0].is_dir():
        shutil.rmtree(there[0])
    elif "delete its folder" in lines[-1]:
        shutil.rmtree(there[0].parent)
    else:
        there[0].unlink()


def mended(reference: Reference, twin: Twin, damaged: Path) -> tuple[list[str], bool]:
    """What is wrong after a twin with a damaged file was resumed, and whether something was told.

    SQLite has no checksums: a number in MLflow's database that changed is not noticed, and
    `rnnkit sync --rebuild` must bring it back from the folders.
    """
    told = resume_mending(twin)
    if damaged.name == "settings.yaml" and damaged.exists():
        damaged.unlink()  # a person's own file: another valid value cannot be noticed
        _call(twin, REBUILD[:1])
    wrong = compare(reference, twin)
    if damaged.name == "mlflow.db" and all(line.startswith(MLFLOW) for line in wrong):
        _call(twin, REBUILD)
        wrong = compare(reference, twin)
    if not wrong:
        shutil.rmtree(twin.folder)
    return wrong, told
