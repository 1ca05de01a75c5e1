"""Defaults that depend on the task."""

from typing import Any, get_args

import pytest

from rnnkit.params import Experiment
from rnnkit.params.model import Initialization, Model
from rnnkit.params.task import Classification, Task, Translation

TEXTS = {"source": {"kind": "labelled_text", "path": "a.csv"}}
PAIRS = {"source": {"kind": "pairs", "path": "a.tsv"}}


def experiment(task: Any, data: Any, **blocks: Any) -> Experiment:
    return Experiment.model_validate({"name": "a", "task": task, "data": data, **blocks})


def initial(it: Experiment) -> float:
    return it.model.initialization.embedding


def test_a_default_of_the_task_fills_what_is_left_out() -> None:
    path = "model.initialization.embedding"
    labels = experiment({"kind": "classification"}, TEXTS)
    texts = experiment({"kind": "translation"}, PAIRS)
    assert (initial(labels), initial(texts)) == (Classification.defaults[path], 1.0)
    assert not labels.is_changed(path)
    assert not texts.is_changed(path)
    assert path not in Translation.defaults
    assert labels.replace({path: 1.0}).is_changed(path)


def test_another_task_fills_in_its_own_default() -> None:
    labels = experiment({"kind": "classification"}, TEXTS)
    change = {"task": {"kind": "captioning"}}
    assert initial(labels.replace(change)) == 1.0
    assert initial(labels.replace(change).replace({"task": {"kind": "classification"}})) == 0.1
    assert initial(labels.replace(change | {"model.initialization.embedding": 0.1})) == 0.1
    assert initial(labels.replace({"model.initialization.embedding": 0.3}).replace(change)) == 0.3


@pytest.mark.parametrize(
    "model",
    [
        {"initialization": {"embedding": 2.0}},
        Model(initialization=Initialization(embedding=2.0)),
    ],
)
def test_a_given_value_stays(model: Any) -> None:
    assert initial(experiment({"kind": "classification"}, TEXTS, model=model)) == 2.0
    assert initial(experiment(Classification(), TEXTS, model=model)) == 2.0


def test_blocks_that_are_objects_are_filled_too() -> None:
    it = experiment(Classification(), TEXTS, model=Model(hidden=3))
    assert (it.model.hidden, initial(it)) == (3, 0.1)


def test_every_default_of_a_task_is_a_path_of_the_params() -> None:
    it = experiment({"kind": "classification"}, TEXTS)
    for block in get_args(get_args(Task)[0]):
        for path in block.defaults:
            it.value(path)
