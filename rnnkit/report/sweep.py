"""The table of a sweep's trials in a run's report."""

from collections import Counter
from typing import Any

from rnnkit.figures.trials import trial_value
from rnnkit.params import Experiment

MAX_TRIALS = 20
"""Number of trials shown."""
RANKS = {"complete": 0, "pruned": 1, "failed": 2}
"""State of a trial -> its place in the table."""


def trials_summary(trials: list[dict[str, Any]]) -> str:
    """The number of trials by state, and what they cost, in a sentence.

    >>> states = [{"state": state, "seconds": 2.5} for state in ("complete", "pruned", "complete")]
    >>> trials_summary(states)
    'Of 3 trials 2 are complete and 1 pruned. They took 7.5 seconds of training.'
    """
    count = Counter(trial["state"] for trial in trials)
    others = [f" and {count[state]} {state}" for state in ("pruned", "failed") if count[state]]
    text = f"Of {len(trials)} trials {count['complete']} are complete{''.join(others)}"
    more = f", the first {MAX_TRIALS} in the table" if len(trials) > MAX_TRIALS else ""
    seconds = sum(trial["seconds"] for trial in trials)
    return f"{text}{more}. They took {seconds:,.1f} seconds of training."


def trials_table(trials: list[dict[str, Any]], experiment: Experiment) -> list[dict[str, Any]]:
    """The trials as rows of a table: the best ones first, then those that were pruned or failed.

    A pruned trial has the value at which it was. The spread is the standard deviation over seeds.
    """
    sign = 1 if experiment.direction == "minimize" else -1

    def place(trial: dict[str, Any]) -> tuple[int, bool, float]:
        value = trial_value(trial)
        worst = float("inf") if value is None else sign * value
        return RANKS[trial["state"]], bool(trial.get("unconfirmed")), worst

    shown = sorted(trials, key=place)[:MAX_TRIALS]
    paths = sorted({path for trial in shown for path in trial["values"]})
    has_seeds = any(len(trial["seeds"]) > 1 for trial in shown)
    return [
        {
            "trial": str(trial["number"]),
            experiment.monitor: trial_value(trial),
            **(_spread(trial) if has_seeds else {}),
            **{path: trial["values"].get(path, "") for path in paths},
            "epochs": trial["epochs"],
            "seconds": round(trial["seconds"], 1),
            "state": trial["state"],
            "ours": number == 0 and trial["state"] == "complete",
        }
        for number, trial in enumerate(shown)
    ]


def _spread(trial: dict[str, Any]) -> dict[str, Any]:
    return {"spread": trial["deviation"], "seeds": len(trial["seeds"])}
