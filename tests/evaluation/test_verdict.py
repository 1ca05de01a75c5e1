"""The verdict of a run: what is said of a network and its best baseline, and by which interval."""

from typing import Any

import numpy as np
import pandas
import pytest

from rnnkit.evaluation.verdict import verdict
from rnnkit.params import Experiment
from rnnkit.tasks import Task, predictions_of, prepare, task_for
from rnnkit.tasks.predictions import Scored

ITEMS = 600


@pytest.fixture(scope="module")
def it(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    folder = tmp_path_factory.mktemp("verdicts")
    rows = [f"w{k % 7} v{k},{'ab'[k % 2]}" for k in range(ITEMS)]
    (folder / "c.csv").write_text("\n".join(["text,label", *rows]))
    tree = {
        "name": "x",
        "task": {"kind": "classification"},
        "data": {
            "source": {"kind": "labelled_text", "path": str(folder / "c.csv")},
            "split": {"kind": "fractions", "valid": 0.2, "test": 0.4},
        },
    }
    return Experiment.model_validate(tree)


@pytest.fixture(scope="module")
def task(it: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Task:
    return task_for(it.task, prepare(it.data, it.task, tmp_path_factory.mktemp("home")))


def said(
    it: Experiment, task: Task, ours: float, theirs: float, items: int | None = None, **more: Any
) -> tuple[str, Any]:
    """The verdict where the network is right of a fraction of the items, and a baseline of another.

    Args:
        items: so many items alone.
        more: further baselines.
    """
    split = task.prepared.splits["test"]
    item = split.item.numpy()[:items]
    right = {
        name: np.arange(len(item)) < share * len(item)
        for name, share in (("ours", ours), ("theirs", theirs))
    }
    truth = np.array(["a"] * len(item))
    named = {name: np.where(own, "a", "b") for name, own in right.items()}
    table = {"item": item, "truth": truth, "predicted": named["ours"], "probability": 0.5}
    score = {name: {"accuracy": float(own.mean())} for name, own in right.items()}
    columns = {"item": item, "truth": truth, "predicted": named["theirs"]}
    beside = {"majority class": Scored(score["theirs"], lambda: columns), **more}
    return verdict(task, split, score["ours"], predictions_of(it, pandas.DataFrame(table)), beside)


def test_beats_is_said_only_where_the_interval_leaves_out_0(it: Experiment, task: Task) -> None:
    sentence, change = said(it, task, 0.9, 0.5)
    assert sentence.startswith("The network beats its best baseline, majority class: accuracy 0.9")
    assert sentence.endswith(f"{change['low']:+.3g} to {change['high']:+.3g}).")
    assert 0 < change["low"] < change["difference"] < change["high"]
    assert (change["verdict"], change["measure"]) == ("better", "accuracy")
    assert change["items"] == len(task.prepared.splits["test"])
    sentence, change = said(it, task, 0.25, 0.2467)
    assert "cannot be distinguished from its best baseline, majority class: accuracy" in sentence
    assert change["low"] <= 0 <= change["high"]
    sentence, change = said(it, task, 0.5, 0.9)
    assert "LOSES TO its best baseline" in sentence
    assert change["high"] < 0


def test_equal_scores_are_no_better(it: Experiment, task: Task) -> None:
    sentence, change = said(it, task, 0.5, 0.5, 200)
    assert sentence == (
        "The network is no better than its best baseline, majority class: accuracy 0.5 against 0.5."
    )
    assert (change["difference"], change["verdict"]) == (0, "undecided")


def test_few_items_have_no_interval(it: Experiment, task: Task) -> None:
    sentence, change = said(it, task, 1.0, 0.0, items=4)
    assert "scores better than its best baseline" in sentence
    assert sentence.endswith("(accuracy +1, without an interval: the test items are too few).")
    assert (change["low"], change["high"], change["verdict"]) == (None, None, "undecided")
    assert "beats its best baseline" in said(it, task, 1.0, 0.0, items=5)[0]


@pytest.mark.parametrize(("score", "relation"), [(0.2, "better"), (0.95, "worse")])
def test_a_baseline_without_items_is_named(
    it: Experiment, task: Task, score: float, relation: str
) -> None:
    sentence, change = said(it, task, 0.9, 0.1, 200, oracle={"accuracy": score})
    assert change is None
    assert sentence == (
        f"The network scores {relation} than its best baseline, oracle: accuracy 0.9 against "
        f"{score}; no interval: the baseline gives no predictions of single items."
    )


def test_a_metric_without_values_of_items_is_named(it: Experiment, task: Task) -> None:
    class ByF1(type(task)):  # type: ignore[misc]
        shown = ("f1",)

    by_f1, split = ByF1(task.params, task.prepared), task.prepared.splits["test"]
    item = split.item.numpy()
    columns = {"item": item, "truth": "a", "predicted": "a", "probability": 1.0}
    ours = predictions_of(it, pandas.DataFrame(columns))
    beside = {"majority class": Scored({"f1": 0.4}, lambda: {"truth": item, "predicted": item})}
    sentence, change = verdict(by_f1, split, {"f1": 0.5}, ours, beside)
    assert change is None
    assert sentence.endswith("f1 0.5 against 0.4; no interval: f1 is not a sum over items.")


def test_of_other_items_there_is_no_interval(it: Experiment, task: Task) -> None:
    split = task.prepared.splits["test"]
    table = {
        "item": [0, 1],
        "truth": ["a", "a"],
        "predicted": ["a", "a"],
        "probability": [1.0, 1.0],
    }
    beside = {"x": Scored({"accuracy": 0.1}, lambda: {"truth": split.item.numpy(), "predicted": 0})}
    ours = predictions_of(it, pandas.DataFrame(table))
    sentence, change = verdict(task, split, {"accuracy": 1.0}, ours, beside)
    assert change is None
    assert "; no interval: the runs were tested on different items (2 and" in sentence
