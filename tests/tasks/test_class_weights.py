"""Class weights: their mean, balanced weights, and names of classes."""

from pathlib import Path
from typing import Any

import pytest
import torch

from rnnkit.data.batches import IGNORED, gather
from rnnkit.errors import InputError
from rnnkit.nn.losses import class_mean, cross_entropy
from rnnkit.params import Experiment
from rnnkit.tasks import prepare, task_for
from rnnkit.training.evaluate import evaluate
from rnnkit.training.loop import train
from rnnkit.training.state import State
from rnnkit.training.trainer import make_network


def tagging(**changes: Any) -> Experiment:
    tree = {
        "name": "r",
        "task": {"kind": "tagging"},
        "data": {
            "source": {"kind": "builtin", "name": "python_tokens"},
            "tokenizer": {"kind": "characters"},
            "max_length": 30,
            "limit": 40,
        },
        "model": {"hidden": 6},
        "train": {"epochs": 1},
    }
    return Experiment.model_validate(tree).replace(changes)


def test_the_weighted_mean_is_torchs() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 6, 3, dtype=torch.float64, generator=generator)
    targets = torch.randint(0, 3, (4, 6), generator=generator)
    targets[0, 3:] = IGNORED
    weights = torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64)
    expected = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), weight=weights, ignore_index=IGNORED
    )
    found = class_mean(cross_entropy(logits, targets), targets, weights)
    torch.testing.assert_close(found, expected)


def test_balanced_weights_make_every_class_count_the_same(tmp_path: Path) -> None:
    it = tagging(**{"task.class_weights": "balanced"})
    prepared = prepare(it.data, it.task, tmp_path)
    task: Any = task_for(it.task, prepared)
    counts = prepared.facts["labels"]["train"]
    sums = [
        float(w) * counts[label] for w, label in zip(task.class_weights, task.labels, strict=True)
    ]
    assert sums == pytest.approx([sums[0]] * len(sums))
    split = prepared.splits["train"]
    batch = gather(split, torch.arange(len(split)), "post", torch.float32)
    outputs = torch.zeros(*batch.targets.shape, task.outputs)
    assert float(task.loss(outputs, batch)) == pytest.approx(
        torch.tensor(task.outputs).log().item()
    )


def test_the_reported_loss_does_not_depend_on_the_batch_size(tmp_path: Path) -> None:
    it = tagging(**{"task.class_weights": {"comment": 3.0, "name": 0.5}})
    prepared = prepare(it.data, it.task, tmp_path)
    task: Any = task_for(it.task, prepared)
    assert task.class_weights[task.labels.index("comment")] == 3
    assert task.class_weights[task.labels.index("keyword")] == 1
    network = make_network(it, task)
    losses = [
        evaluate(
            network, task, prepared.splits["test"], it.replace({"train.batch_size": size}), False
        ).metrics["loss"]
        for size in (1, 7, 64)
    ]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)
    plain = task_for(tagging().task, prepared)
    other = evaluate(network, plain, prepared.splits["test"], it, False).metrics["loss"]
    assert abs(other - losses[0]) > 1e-4
    list(train(it, prepared, State.start()))


def test_a_class_that_is_not_there_is_refused(tmp_path: Path) -> None:
    it = tagging(**{"task.class_weights": {"nonsense": 3.0}})
    prepared = prepare(it.data, it.task, tmp_path)
    with pytest.raises(
        InputError, match="there is no class 'nonsense'; the classes are builtin, comm"
    ):
        task_for(it.task, prepared)


def test_numbers_have_no_classes() -> None:
    with pytest.raises(ValueError, match=r"task.class_weights: numbers have no classes"):
        Experiment.model_validate(
            {
                "name": "x",
                "task": {"kind": "vector", "loss": "squared", "class_weights": "balanced"},
                "data": {"source": {"kind": "vectors", "path": "a", "targets": ["y"]}},
                "model": {"representation": {"kind": "raw"}},
            }
        )
