"""Claims in worker processes: each claim's trainings share one, and a killed command goes on."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows.console import Stages
from flows.processes.workers import Parent, run_tasks, settle
from flows.settings import Settings
from rnnkit.claims import measure
from rnnkit.claims.claim import Claim, trainings
from rnnkit.claims.page import Judged, judged
from rnnkit.claims.scores import Scores
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.training.train_into import Stopped

STOP = "stop"
"""A file in the folder of claims: ends the workers."""


class ClaimsFailed(RuntimeError):
    """A worker died."""


def measure_claims(
    claims: Mapping[str, Claim], changes: Mapping[str, Any], settings: Settings, workers: int
) -> list[Judged]:
    """All trainings of some claims, and whether their predictions hold.

    Args:
        changes: of the params of every training, as to make them short.

    Raises:
        InputError: a claim's params do not hold.
        ClaimsFailed: a worker died.
    """
    planned = {name: claim.experiments(name, changes) for name, claim in claims.items()}
    place = settings.home / "claims"
    place.mkdir(exist_ok=True)
    stop = place / STOP
    stop.unlink(missing_ok=True)
    runs = {
        name: measure.places(trainings(experiments), place / name)
        for name, experiments in planned.items()
    }
    parent = Parent.here()
    work: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (
            train_claim,
            {
                "name": name,
                "experiments": experiments,
                "home": settings.home,
                "stop": stop,
                "parent": parent,
            },
        )
        for name, experiments in planned.items()
        if not all(map(measure.is_measured, runs[name]))
    ]
    with Stages() as stages:
        stage = stages.begin("train", total=sum(map(len, runs.values())))

        def show() -> None:
            done = {name: sum(map(measure.is_measured, of)) for name, of in runs.items()}
            whole = sum(count == len(runs[name]) for name, count in done.items())
            stages.show(stage, sum(done.values()), f"{whole}/{len(runs)} claims")

        if work and not run_tasks(
            settings, min(workers, len(work)), work, show, stop, lambda _: None
        ):
            raise ClaimsFailed(
                "a worker died, as processes do that the system kills for memory; the same "
                "command goes on, with --workers 1 perhaps"
            )
        show()
        stages.end(stage, f"{len(runs)}/{len(runs)} claims")
    return [
        judged(name, claim, _scores(planned[name], runs[name])) for name, claim in claims.items()
    ]


def train_claim(
    name: str, experiments: Mapping[str, Experiment], home: Path, stop: Path, parent: Parent
) -> None:
    """The trainings of one claim, in a worker process.

    Args:
        name: the claim's.
        stop: a file; once it is there the training is left off, to go on later.
        parent: waits for the work.
    """
    settle(parent)
    planned = trainings(experiments)
    runs = measure.places(planned, home / "claims" / name)
    with suppress(Stopped):
        for _ in measure.measured(planned, runs, home, stop.exists):
            pass


def _scores(experiments: Mapping[str, Experiment], runs: Sequence[RunFolder]) -> Scores:
    planned = trainings(experiments)
    task = next(iter(experiments.values())).task
    rows = [measure.score_of(*pair) for pair in zip(planned, runs, strict=True)]
    return Scores(rows, dict(task.metrics))
