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
from faults.experiments import COMPARISON
from faults.harness import COMMAND_SECONDS, Reference, Twin, copied
from faults.mending import BAD_INPUT
from faults.started import Ended, Starter
from faults.tally import Tally

FLIPS, OTHERS = 60, 8
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
    """An output folder with two finished runs, one of them registered, and the verbs' answers."""

    def __init__(self, reference: Reference, folder: Path, starter: Starter) -> None:
        self.twin = copied(reference.twin, folder)
        runs = {path.name for path in self.twin.home.glob(f"runs/{COMPARISON.name}-*")}
        self.run, self.other = sorted(runs)
        self.data = str(starter.data)
        for verb in (("register", self.run), self.verb("predict registered")):
            ended = call(self.twin, verb)
            assert (ended.status, ended.err) == (0, ""), ended
        self.answers = {
            name: call(copied(self.twin, folder / name), self.verb(name)).out
            for name in ("predict", "evaluate", "compare", "predict registered")
        }
        self.answers["fetch"] = self.answers["predict registered"]
        assert all(self.answers.values()), self.answers

    def verb(self, name: str) -> Verbs:
        """The arguments of a verb by its name here."""
        registered = f"models:/{COMPARISON.name}/1"
        return {
            "predict": ("predict", self.run, self.data),
            "evaluate": ("evaluate", self.run, "--json"),
            "compare": ("compare", self.run, self.other, "--json"),
            "predict registered": ("predict", registered, self.data),
            "fetch": ("predict", registered, self.data),
        }[name]


def call(twin: Twin, verb: Verbs) -> Ended:
    """A verb to its end."""
    return twin.start(verb=verb).wait(COMMAND_SECONDS)


@pytest.fixture(scope="session")
def finished(
    compared: Reference, tmp_path_factory: pytest.TempPathFactory, starter: Starter
) -> Finished:
    """Made once; the tests damage copies."""
    return Finished(compared, tmp_path_factory.mktemp("finished"), starter)


def answer(finished: Finished, twin: Twin, name: str) -> bool:
    """Whether a verb refuses what it reads; its answer must be the right one."""
    if name == "fetch":
        shutil.rmtree(twin.home / "models")
    ended = call(twin, finished.verb(name))
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
    finished: Finished, tmp_path: Path, tally: MakeTally, kind: str, how: str
) -> None:
    counts = tally(f"{how} of {kind}")
    damage(finished, tmp_path, counts, kind, how, FLIPS if how == "flip" else OTHERS)
    counts.check()
