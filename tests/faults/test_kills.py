"""SIGKILL to a command and its workers: at random instants of each stage, and at chosen ones.

The same command goes on, and all that is compared is as in the undisturbed run.
"""

import random
from collections.abc import Callable

import pytest
from faults.every_operation import every
from faults.experiments import COMPARISON, PLAIN, SWEEP
from faults.harness import Reference, Twin, interrupted, recovered, survived
from faults.injection import Fault
from faults.kills import START, kill_in
from faults.tally import Tally

IN_A_ROW = 5
CHAINS = 4
"""Chains of five kills for each stage: 20 kills a stage."""
ATTEMPTS = 20
"""Runs, and commands of a run, until five were killed in a stage that is over in an instant."""

AIMS = {
    "between a best checkpoint and what follows it": ("kill after", "epoch-000004.*"),
    "before the prepared data have their name": ("kill before", "????????*"),
    "before the result": ("kill before", "result.json"),
    "between the manifest and MLflow's end": ("kill after", "manifest.json"),
}
"""Instant -> (action, name that a file is renamed to)."""
SHORT_AIMS = (*AIMS,)[0], (*AIMS,)[-1]

MakeTwin = Callable[[Reference], Twin]
MakeTally = Callable[[str], Tally]


def test_a_kill_in_each_stage_in_a_row(plain: Reference, twin: MakeTwin, tally: MakeTally) -> None:
    killed, chance = twin(plain), random.Random(15)
    counts = tally("kill -9, one in each stage")
    kills = [kill_in(killed, plain, stage, chance) for stage in (START, *PLAIN.stages)]
    assert None not in kills[:-1], f"the run ended among its kills, {kills}"
    counts.add(recovered(plain, killed), "one in each stage")
    counts.check()


@pytest.mark.parametrize("aim", SHORT_AIMS)
def test_a_kill_at_a_chosen_instant(
    plain: Reference, twin: MakeTwin, tally: MakeTally, aim: str
) -> None:
    action, names = AIMS[aim]
    killed, counts = twin(plain), tally("kill -9 at a rename")
    fault = killed.fault(action=action, operations=("rename",), names=names)
    counts.add(survived(plain, killed, fault), aim)
    counts.check()


def chain(
    reference: Reference, make: MakeTwin, stage: str, chance: random.Random, counts: Tally
) -> None:
    """Five kills in one stage, in a row but where a command ended before it was killed; then each
    run goes on to its end."""
    kills = 0
    for _ in range(ATTEMPTS):
        killed, row = make(reference), 0
        for _ in range(ATTEMPTS):
            hit = kill_in(killed, reference, stage, chance)
            row += hit == stage
            if hit is None or kills + row == IN_A_ROW:
                break
        wrong = recovered(reference, killed)
        for _ in range(row):
            counts.add(wrong, f"{stage}, {row} kills in a row")
        kills += row
        if kills == IN_A_ROW:
            return
    raise AssertionError(f"{stage} was over before it could be killed {IN_A_ROW} times")


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(CHAINS))
@pytest.mark.parametrize("stage", [START, *PLAIN.stages])
def test_kills_at_random_instants_of_a_training(
    plain: Reference, twin: MakeTwin, tally: MakeTally, stage: str, seed: int
) -> None:
    counts = tally(f"kill -9 in {stage}")
    chain(plain, twin, stage, random.Random(f"{stage} {seed}"), counts)
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(CHAINS))
def test_kills_at_random_instants_of_a_sweep(
    sweep: Reference, twin: MakeTwin, tally: MakeTally, seed: int
) -> None:
    assert "tune" in SWEEP.stages
    counts = tally("kill -9 in tune")
    chain(sweep, twin, "tune", random.Random(seed), counts)
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(CHAINS))
def test_kills_at_random_instants_of_a_comparison(
    compared: Reference, twin: MakeTwin, tally: MakeTally, seed: int
) -> None:
    assert COMPARISON.stages == (), "its own journal has no stages: it is one"
    counts = tally("kill -9 in a comparison")
    chain(compared, twin, START, random.Random(seed), counts)
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("aim", [aim for aim in AIMS if aim not in SHORT_AIMS])
def test_kills_at_further_chosen_instants(
    plain: Reference, twin: MakeTwin, tally: MakeTally, aim: str
) -> None:
    test_a_kill_at_a_chosen_instant(plain, twin, tally, aim)


@pytest.mark.faults
def test_a_kill_while_records_behind_the_checkpoint_are_removed(
    plain: Reference, twin: MakeTwin, tally: MakeTally
) -> None:
    counts = tally("kill -9 at a rename")
    killed = interrupted(plain, twin(plain), "epoch-000002", records=2)
    fault = killed.fault(action="kill before", operations=("rename",), names="journal.jsonl")
    counts.add(survived(plain, killed, fault), "before the journal is rewritten")
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("action", ["kill before", "kill after", "tear"])
def test_kills_at_every_operation(
    plain: Reference, twin: MakeTwin, tally: MakeTally, action: str
) -> None:
    """Before and after the Nth rename, after half of the Nth write, until a run passes clean."""
    operation = "write" if action == "tear" else "rename"
    counts = tally(f"{action} a {operation}" if action != "tear" else "kill -9 after a torn write")

    def fault_of(killed: Twin, number: int) -> Fault:
        return killed.fault(action=action, operations=(operation,), number=number)

    every(plain, twin, counts, fault_of)
    counts.check()
