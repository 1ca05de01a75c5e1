"""`train.kernel`: what auto chooses, what a training runs on, and what is recorded."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from command import SMALL
from small_training import experiment_of, outcome, prepared_of, train_whole

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor
from rnnkit.nn.model.stack import Stack
from rnnkit.params import Experiment, load
from rnnkit.runs.run_folder import FINGERPRINT, RunFolder
from rnnkit.tasks import prepare
from rnnkit.training import cost, kernel
from rnnkit.training.kernel import gained_seconds, training_kernel, with_kernel
from rnnkit.training.state import State
from rnnkit.training.trainer import Trainer

LONG = {"train.epochs": 100_000, "model.hidden": 64}


def chosen(changes: dict[str, Any]) -> str | None:
    experiment = experiment_of(changes)
    return training_kernel(with_kernel(experiment, prepared_of(experiment)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "torch"),
        (LONG, "numba"),
        ({**LONG, "train.threads": 2}, "torch"),
        ({**LONG, "train.kernel": "torch"}, "torch"),
        ({**LONG, "train.kernel": "steps"}, "steps"),
        ({"train.kernel": "numba"}, "numba"),
        ({"model.recurrent_dropout": 0.1}, "steps"),
        ({**LONG, "model.recurrent_dropout": 0.1}, "numba"),
        ({"model.cell": {"kind": "rnn", "activation": "sigmoid"}}, "steps"),
        ({**LONG, "model.cell": {"kind": "rnn", "activation": "sigmoid"}}, "numba"),
        ({**LONG, "model.cell": {"kind": "lstm"}}, "numba"),
        ({**LONG, "model.cell": {"kind": "lstm"}, "model.hidden": 512}, "torch"),
        ({**LONG, "model.cell": {"kind": "custom", "module": "a:B"}}, "steps"),
    ],
)
def test_the_kernel_of_a_training(changes: dict[str, Any], expected: str) -> None:
    assert chosen(changes) == expected


def test_a_vector_has_no_kernel() -> None:
    experiment = Experiment.model_validate(
        {
            "name": "x",
            "task": {"kind": "vector"},
            "data": {"source": {"kind": "builtin", "name": "digits"}},
            "model": {"representation": {"kind": "raw"}},
            "train": {"epochs": 100_000},
        }
    )
    assert gained_seconds(experiment, prepared_of(experiment_of({}))) == 0
    assert training_kernel(experiment) is None


def test_twice_the_steps_gain_twice_the_seconds() -> None:
    experiment = experiment_of({})
    prepared = prepared_of(experiment)
    twice = experiment.replace({"train.epochs": 8})
    both = experiment.replace({"model.bidirectional": True})
    gained = gained_seconds(experiment, prepared)
    assert gained > 0
    assert gained_seconds(twice, prepared) == gained_seconds(both, prepared) == 2 * gained


def test_numba_that_is_not_installed_is_refused_and_auto_does_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel, "is_installed", lambda: False)
    assert chosen(LONG) == "torch"
    with pytest.raises(InputError, match=r"^train\.kernel: numba is not installed; run pip inst"):
        chosen({"train.kernel": "numba"})


def test_the_kernel_reaches_the_layers_of_the_training_and_of_the_model() -> None:
    experiment = experiment_of({"train.kernel": "numba"})
    trainer = Trainer(experiment, prepared_of(experiment), State.start())
    prepared = prepared_of(experiment)
    predictor = Predictor(experiment, prepared, trainer.network.state_dict())
    for network in (trainer.network, predictor.network):
        stacks = [module for module in network.modules() if isinstance(module, Stack)]
        assert [stack.kernel for stack in stacks] == ["numba"]


def equal_lengths(prepared: Prepared) -> Prepared:
    """With items of four tokens, whose batches have no padding."""
    part = prepared.splits["train"]
    start = torch.arange(len(part)) * 4
    length = torch.full_like(start, 4)
    equal = replace(
        part, input_start=start, input_length=length, target_start=start, target_length=length
    )
    return replace(prepared, splits={**prepared.splits, "train": equal})


@pytest.mark.parametrize("changes", [{}, {"model.depth": 2}], ids=["one layer", "two layers"])
def test_a_training_records_its_kernel_and_changes_by_rounding_only(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    """Dropout draws the same as with torch's layers, whose outputs lie in the order of time."""
    losses = {}
    for name in ("numba", "torch"):
        experiment = experiment_of({"train.kernel": name, "train.monitor": "valid/loss", **changes})
        folder, prepared = RunFolder(tmp_path / name), equal_lengths(prepared_of(experiment))
        train_whole(folder, experiment, prepared)
        assert json.loads((folder.path / FINGERPRINT).read_text())["kernel"] == name
        losses[name] = [record["train"]["loss"] for record in folder.records("epoch")]
    assert losses["numba"] == pytest.approx(losses["torch"], rel=1e-5)  # 20 steps in float32
    assert losses["numba"] != losses["torch"]


def test_a_compiled_training_has_the_same_bits_again(tmp_path: Path) -> None:
    experiment = experiment_of({"train.kernel": "numba", "model.recurrent_dropout": 0.2})
    prepared = prepared_of(experiment)
    outcomes = []
    for name in ("a", "b"):
        folder = RunFolder(tmp_path / name)
        train_whole(folder, experiment, prepared)
        outcomes.append(outcome(folder, experiment, prepared))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("is_compiled", [False, True])
def test_check_reports_the_kernel_and_does_not_compile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_compiled: bool
) -> None:
    used = []
    monkeypatch.setattr(cost, "is_compiled", lambda: is_compiled)
    monkeypatch.setattr(cost, "use_kernel", lambda network, name: used.append(name))
    (tmp_path / "small.yaml").write_text(SMALL)
    experiment = load(tmp_path / "small.yaml").replace({"train.kernel": "numba"})
    prepared = prepare(experiment.data, experiment.task, tmp_path)
    estimated = cost.estimate(experiment, prepared)
    assert estimated["kernel"] == "numba"
    assert used == (["numba"] if is_compiled else [])
    assert (cost.NOT_COMPILED in estimated["notes"]) != is_compiled


def test_numba_is_imported_by_no_module_before_it_is_used() -> None:
    code = (
        "import sys, rnnkit.training.train_into, rnnkit.training.cost, rnnkit.inference.predict\n"
        "print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
