"""What `tune.reproducible` costs: simulated sweeps with the real sampler and pruner.

Time is counted in epochs of a network of depth 1. The learning curves are formulas with noise; an
epoch takes its depth, give or take 10 %. Nothing is trained, so the figures depend on no machine.
"""

import heapq
import math
import random
import statistics
from typing import Any, NamedTuple

import optuna
from optuna.trial import TrialState

from flows.tune.earlier import has_ended
from flows.tune.sampler import PerTrial, suggest
from flows.tune.study import pruner
from rnnkit.params import Experiment

TRIALS, EPOCHS, SWEEPS = 40, 9, 5
EXPERIMENT = Experiment.model_validate(
    {
        "name": "bench",
        "task": {"kind": "tagging"},
        "data": {
            "source": {"kind": "builtin", "name": "python_tokens"},
            "tokenizer": {"kind": "characters"},
        },
        "train": {"epochs": EPOCHS, "early_stopping": None, "monitor": "valid/loss"},
        "tune": {
            "trials": TRIALS,
            "search": {
                "train.clip": {"low": 0.5, "high": 10, "log": True},
                "train.optimizer.learning_rate": {"low": 1e-4, "high": 0.1, "log": True},
                "model.depth": {"low": 1, "high": 4},
            },
        },
    }
)


class Training(NamedTuple):
    """A trial in the middle; ordered by the time at which its epoch ends."""

    time: float
    number: int
    trial: optuna.Trial
    epoch: int
    draw: random.Random
    best: float


class Cost(NamedTuple):
    """Of a sweep: the time it takes, the epochs it trains, the best value, and the fraction of the
    time that its workers are busy."""

    time: float
    epochs: float
    best: float
    busy: float


def loss(values: dict[str, Any], epoch: int, draw: random.Random) -> float:
    """The loss after an epoch."""
    rate = math.log10(values["train.optimizer.learning_rate"]) + 2
    depth, clip = values["model.depth"] - 2, math.log(values["train.clip"])
    reached = 0.3 * rate**2 + 0.05 * depth**2 + 0.02 * clip**2
    return reached + 1.5 * math.exp(-3 * epoch / EPOCHS) + draw.gauss(0, 0.01)


def sweep(experiment: Experiment) -> Cost:
    """Simulate a sweep."""
    tune = experiment.tune
    assert tune is not None
    study = optuna.create_study(
        study_name=f"bench-{experiment.seed}",
        sampler=PerTrial(experiment),
        pruner=pruner(experiment),
    )
    training: list[Training] = []
    now, begun, epochs, busy = 0.0, 0, 0, 0.0
    while True:
        while (
            len(training) < tune.workers
            and begun < TRIALS
            and (not tune.reproducible or has_ended(study, begun, tune.workers))
        ):
            trial = study.ask()
            values = suggest(trial, experiment)
            draw = random.Random(f"{experiment.seed} {values}")
            seconds = values["model.depth"] * (0.9 + 0.2 * draw.random())
            heapq.heappush(training, Training(now + seconds, begun, trial, 1, draw, math.inf))
            begun += 1
        if not training:
            return Cost(now, epochs, study.best_value, busy / (tune.workers * now))
        now, number, trial, epoch, draw, best = heapq.heappop(training)
        value = loss(trial.params, epoch, draw)
        trial.report(value, epoch)
        best, epochs = min(best, value), epochs + 1
        seconds = trial.params["model.depth"] * (0.9 + 0.2 * draw.random())
        busy += seconds
        if epoch == EPOCHS:
            study.tell(trial, best)
        elif trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
        else:
            further = Training(now + seconds, number, trial, epoch + 1, draw, best)
            heapq.heappush(training, further)


def main() -> None:
    """Prints the mean over sweeps that differ by their seed."""
    for kind in ("hyperband", "none"):
        for workers in (2, 4, 8):
            means = []
            for reproducible in (False, True):
                costs = [
                    sweep(
                        EXPERIMENT.replace(
                            {
                                "seed": seed,
                                "tune.workers": workers,
                                "tune.reproducible": reproducible,
                                "tune.pruner.kind": kind,
                            }
                        )
                    )
                    for seed in range(SWEEPS)
                ]
                means.append(Cost(*map(statistics.mean, zip(*costs, strict=True))))
            free, fixed = means
            print(
                f"{kind}, {workers} workers: {fixed.time / free.time:.2f} times the time "
                f"({free.time:.0f} to {fixed.time:.0f}), epochs {free.epochs:.0f} to "
                f"{fixed.epochs:.0f}, best {free.best:.3f} to {fixed.best:.3f}, busy "
                f"{free.busy:.0%} to {fixed.busy:.0%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
