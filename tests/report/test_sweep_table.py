"""The table of a sweep's trials, and which searched keys are drawn."""

from typing import Any

from sweep_home import EXPERIMENT

from rnnkit.report.run_figures import _axes
from rnnkit.report.sweep import MAX_TRIALS, trials_summary, trials_table


def trial(number: int, state: str, value: float | None, **more: Any) -> dict[str, Any]:
    curve = [value] if value is not None else [0.75] if state == "pruned" else []
    return {
        "number": number,
        "values": {"train.clip": 1.0 + number},
        "value": value,
        "deviation": None,
        "seeds": {} if value is None else {0: value},
        "state": state,
        "curve": curve,
        "epochs": len(curve),
        "seconds": 1.25,
        **more,
    }


def test_the_table_has_the_best_trials_first_then_pruned_and_failed_ones_with_their_cost() -> None:
    trials = [
        trial(0, "pruned", None),
        trial(1, "complete", 0.5),
        trial(2, "failed", None),
        trial(3, "complete", 0.4),
    ]
    rows = trials_table(trials, EXPERIMENT)
    assert [row["trial"] for row in rows] == ["3", "1", "0", "2"]
    assert [row["valid/loss"] for row in rows] == [0.4, 0.5, 0.75, None]
    assert [row["state"] for row in rows] == ["complete", "complete", "pruned", "failed"]
    assert [row["ours"] for row in rows] == [True, False, False, False]
    assert {row["seconds"] for row in rows} == {1.2}
    assert "spread" not in rows[0]
    assert trials_summary(trials) == (
        "Of 4 trials 2 are complete and 1 pruned and 1 failed. They took 5.0 seconds of training."
    )


def test_the_table_has_the_spread_over_seeds_where_some_trials_have_several() -> None:
    confirmed = trial(0, "complete", 0.6, deviation=0.02, seeds={0: 0.58, 1: 0.62})
    alone = trial(1, "complete", 0.5, unconfirmed=True)
    rows = trials_table([alone, confirmed], EXPERIMENT)
    assert [(row["trial"], row["spread"], row["seeds"]) for row in rows] == [
        ("0", 0.02, 2),
        ("1", None, 1),
    ]


def test_a_long_table_is_cut_and_says_so() -> None:
    trials = [trial(k, "complete", 1.0 + k) for k in range(MAX_TRIALS + 5)]
    assert len(trials_table(trials, EXPERIMENT)) == MAX_TRIALS
    assert f"are complete, the first {MAX_TRIALS} in the table." in trials_summary(trials)


def test_clip_and_depth_are_drawn_or_else_the_two_most_important_keys() -> None:
    assert _axes(["model.hidden", "model.depth", "train.clip"]) == ("train.clip", "model.depth")
    assert _axes(["model.hidden", "train.clip", "model.dropout"]) == ("model.hidden", "train.clip")
    assert _axes(["model.hidden"]) == ("model.hidden", None)
