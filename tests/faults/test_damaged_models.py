"""Damaged files of a finished run and of a registered model.

Each verb that reads them gives the same answer as before, or ends with one line and status 2: an
answer that differs is never given.
"""

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.damage import KINDS
from faults.harness import COMMAND_SECONDS, Reference, Twin, copied
from faults.mending import BAD_INPUT
from faults.started import Ended, Starter
from faults.tally import Tally

FLIPS, OTHERS = 55, 8
Verbs = tuple[str, ...]
"""Names of verbs in `verbs_of`."""
FILES: dict[str, tuple[str, Verbs]] = {
    "weights": ("runs/RUN/model/weights.safetensors", ("predict",)),
    "model's params": ("runs/RUN/model/params.yaml", ("predict",)),
    "model's data record": ("runs/RUN/model/prepared.json", ("predict",)),
    "tokenizer": ("runs/RUN/model/tokenizer.json", ("predict",)),
    "result": ("runs/RUN/result.json", ("evaluate", "compare")),
    "manifest": ("runs/RUN/manifest.json", ("predict", "evaluate")),
    "predictions": ("runs/RUN/predictions.parquet", ("compare",)),
    "finished run's params": ("runs/RUN/params.yaml", ("evaluate", "compare")),
    "registered weights": ("models/*/weights.safetensors", ("predict registered",)),
    "registered model": ("models/*/*", ("predict registered",)),
    "artifact of a registered model": ("artifacts/compared/**/weights.safetensors", ("fetch",)),
}
"""Kind of file -> where it lies, and the verbs that read it."""
SHORT = [("weights", "flip", 3), ("weights", "truncate", 1), ("result", "flip", 2)]

MakeTally = Callable[[str], Tally]


class Finished:
    """An output folder with finished runs, and the answers of verbs that read them.

    Args:
        before: verbs that are called before: they make what the others read.
        verbs: those that answer.
    """

    def __init__(
        self, reference: Reference, folder: Path, data: Path, before: Verbs, verbs: Verbs
    ) -> None:
        self.twin, name = copied(reference.twin, folder), reference.twin.tiny.name
        runs = sorted(path.name for path in self.twin.home.glob(f"runs/{name}-*"))
        self.run = runs[0]
        self._verbs: dict[str, Verbs] = {
            "predict": ("predict", self.run, str(data)),
            "evaluate": ("evaluate", self.run, "--json"),
            "compare": ("compare", *runs, "--json"),
            "register": ("register", self.run),
            "predict registered": ("predict", f"models:/{name}/1", str(data)),
            "fetch": ("predict", f"models:/{name}/1", str(data)),
        }
        for verb in before:
            assert self.call(self.twin, verb).status == 0
        self.answers = {
            verb: self.call(copied(self.twin, folder / verb), verb).out for verb in verbs
        }
        assert all(self.answers.values()), self.answers

    def call(self, twin: Twin, name: str) -> Ended:
        """A verb in a copy of the output folder, to its end."""
        return twin.start(verb=self._verbs[name]).wait(COMMAND_SECONDS)


@pytest.fixture(scope="session")
def finished(
    plain: Reference, tmp_path_factory: pytest.TempPathFactory, starter: Starter
) -> Finished:
    """One finished run; the tests damage copies."""
    folder = tmp_path_factory.mktemp("finished")
    return Finished(plain, folder, starter.data, (), ("predict", "evaluate"))


@pytest.fixture(scope="session")
def registered(
    compared: Reference, tmp_path_factory: pytest.TempPathFactory, starter: Starter
) -> Finished:
    """Two finished runs, the first of them registered."""
    folder, verbs = tmp_path_factory.mktemp("registered"), ("register", "fetch")
    answering = ("predict", "evaluate", "compare", "predict registered", "fetch")
    return Finished(compared, folder, starter.data, verbs, answering)


def answer(finished: Finished, twin: Twin, name: str) -> bool:
    """Whether a verb refuses what it reads; its answer must be the right one."""
    if name == "fetch":
        shutil.rmtree(twin.home / "models")
    ended = finished.call(twin, name)
    assert ended.untidy == [], f"{name}: more than lines of ours: {ended.err[-1000:]}"
    if ended.status == 0:
        assert _plain(ended.out) == _plain(finished.answers[name]), f"{name} answers otherwise"
        return False
    assert ended.status == BAD_INPUT, f"{name}: status {ended.status}: {ended.err}"
    assert ended.err.count("\n") == 1, f"{name}: {ended.err}"
    return True


def _plain(answer: str) -> str:
    """Without the folder of the comparison, which differs in each copy."""
    return re.sub(r'"folder": "[^"]*"', "", answer)


def damage(
    finished: Finished, folder: Path, counts: Tally, kind: str, how: str, count: int
) -> None:
    """Damages copies, and calls what reads them."""
    place, verbs = FILES[kind]
    for seed in range(count):
        chance = random.Random(f"{kind} {how} {seed}")
        twin = copied(finished.twin, folder / f"{seed}")
        files = sorted(twin.home.glob(place.replace("RUN", finished.run)))
        file = chance.choice([path for path in files if path.is_file()])
        done = KINDS[how](file, chance)

        def outcome(twin: Twin = twin) -> tuple[list[str], bool]:
            refused = [answer(finished, twin, name) for name in verbs]
            return [], any(refused)

        counts.attempt(f"{file.relative_to(twin.home)}: {done}", outcome)
        shutil.rmtree(twin.folder)


@pytest.mark.parametrize(("kind", "how", "count"), SHORT)
def test_a_damaged_file_of_a_finished_run_is_not_used(
    finished: Finished, tmp_path: Path, tally: MakeTally, kind: str, how: str, count: int
) -> None:
    counts = tally(f"{how} of {kind}")
    damage(finished, tmp_path, counts, kind, how, count)
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("kind", FILES)
def test_no_damaged_file_of_a_finished_run_or_model_is_used(
    registered: Finished, tmp_path: Path, tally: MakeTally, kind: str, how: str
) -> None:
    counts = tally(f"{how} of {kind}")
    damage(registered, tmp_path, counts, kind, how, FLIPS if how == "flip" else OTHERS)
    counts.check()
