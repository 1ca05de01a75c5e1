"""Verdicts on networks whose weights are set so that they must, or must not, be reached."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from example_params import FILES, experiment_of

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.diagnose.judging import verdicts
from rnnkit.diagnose.probe import Probe
from rnnkit.diagnose.rules import RULES
from rnnkit.diagnose.subject import Case
from rnnkit.diagnose.verdict import Verdict
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import DIAGNOSIS
from rnnkit.tasks import prepare
from rnnkit.training.trainer import make_network

Weights = dict[str, torch.Tensor]
HIDDEN = 16


@pytest.fixture(scope="module")
def symbols(tmp_path_factory: pytest.TempPathFactory) -> tuple[Experiment, Prepared]:
    """Temporal order: the answer depends on what came about 54 steps back."""
    (file,) = (file for file in FILES if file.stem == "temporal_order")
    sizes = {f"data.source.{split}": 40 for split in ("train", "valid", "test")}
    changes = {**sizes, "task.length": 60, "model.hidden": HIDDEN}
    experiment = experiment_of(file, changes)
    place = tmp_path_factory.mktemp("home")
    return experiment, prepare(experiment.data, experiment.task, place)


def reached(
    symbols: tuple[Experiment, Prepared],
    overrides: Mapping[str, Any],
    change: Callable[[Weights], object],
    learned: bool | None = False,
) -> dict[str, Verdict]:
    """The verdicts on a network with changed initial weights, by name."""
    experiment, prepared = symbols[0].replace(overrides), symbols[1]
    probe = Probe(experiment, prepared)
    weights = make_network(experiment, probe.task).state_dict()
    with torch.no_grad():
        change(weights)
    line = {"kind": DIAGNOSIS, "epoch": 3, **probe.measure(weights)}
    case = Case(experiment, probe.task, [line], {}, learned)
    return {verdict.name: verdict for verdict in verdicts(case)}


CELL = "stack.cells.layer0."
VANILLA = {"model.cell.kind": "rnn"}
RELU = {**VANILLA, "model.cell.activation": "relu"}
IDENTITY = {**RELU, "model.initialization.recurrent": "identity"}


def scaled(factor: float) -> Callable[[Weights], object]:
    return lambda weights: weights[CELL + "W_hh"].mul_(factor)


def biased(value: float) -> Callable[[Weights], object]:
    return lambda weights: weights[CELL + "b_h"].fill_(value)


def untouched(weights: Weights) -> None:
    pass


def explode(weights: Weights) -> None:
    weights[CELL + "W_hh"].copy_(2 * torch.eye(HIDDEN))
    weights[CELL + "b_h"].fill_(1.0)


PROVOKED: Mapping[str, tuple[dict[str, Any], Callable[[Weights], object]]] = {
    "vanishing_gradient": (VANILLA, scaled(0.5)),
    "exploding_gradient": (RELU, explode),
    "exploding_activations": (RELU, explode),
    "short_gates": ({}, biased(-1.0)),
    "dead_units": (RELU, biased(-50.0)),
    "saturated_units": (VANILLA, biased(5.0)),
}


@pytest.mark.parametrize("name", PROVOKED)
def test_a_verdict_is_provoked(symbols: tuple[Experiment, Prepared], name: str) -> None:
    overrides, change = PROVOKED[name]
    verdict = reached(symbols, overrides, change)[name]
    assert verdict.weight == RULES[name].weight
    assert any(character.isdigit() for character in verdict.sentence)
    assert verdict.overrides
    for override in verdict.overrides:
        symbols[0].replace(overrides).replace(override)


@pytest.mark.parametrize(
    "overrides",
    [VANILLA, IDENTITY, {}, {"model.cell.kind": "lstm", "model.cell.forget_bias": 4.0}],
    ids=str,
)
def test_healthy_networks_have_no_verdict(
    symbols: tuple[Experiment, Prepared], overrides: dict[str, Any]
) -> None:
    """Initial weights as they are drawn, with gates that keep the state as long as is needed."""
    assert reached(symbols, overrides, untouched) == {}


def test_vanishing_names_lag_factor_and_what_to_try(symbols: tuple[Experiment, Prepared]) -> None:
    verdict = reached(symbols, VANILLA, scaled(0.5))["vanishing_gradient"]
    lag, factor = verdict.evidence["lag"], verdict.evidence["factor"]
    assert 0.3 < factor < 0.5
    assert abs(lag - math.log(1e-6) / math.log(factor)) < 3
    assert verdict.evidence["largest_singular_value"]["h"] == pytest.approx(0.5, rel=1e-5)
    assert 48 < verdict.evidence["depends"] < 60
    assert f"beyond lag {lag} (x{factor:.3g} per step)" in verdict.sentence
    gru, lstm = verdict.options
    assert gru.startswith("--set model.cell.kind=gru --set model.cell.update_bias=4.0")
    assert lstm == "--set model.cell.kind=lstm --set model.cell.forget_bias=4.0"
    other = symbols[0].replace({"model.initialization.recurrent": "normal"})
    options = reached((other, symbols[1]), VANILLA, scaled(0.5))["vanishing_gradient"].options
    assert options[2] == "--set model.initialization.recurrent=orthogonal"


def test_a_network_that_beats_its_baseline_needs_no_longer_memory(
    symbols: tuple[Experiment, Prepared],
) -> None:
    assert "vanishing_gradient" not in reached(symbols, VANILLA, scaled(0.5), True)
    assert "short_gates" not in reached(symbols, {}, biased(-1.0), True)
    assert "vanishing_gradient" in reached(symbols, VANILLA, scaled(0.5), None)


def test_one_layer_that_remembers_is_enough(symbols: tuple[Experiment, Prepared]) -> None:
    two = {**VANILLA, "model.depth": 2}
    assert "vanishing_gradient" not in reached(symbols, two, scaled(0.5))

    def both(weights: Weights) -> None:
        scaled(0.5)(weights)
        weights["stack.cells.layer1.W_hh"].mul_(0.5)

    assert "vanishing_gradient" in reached(symbols, two, both)


def test_the_last_measurement_counts(symbols: tuple[Experiment, Prepared]) -> None:
    experiment, prepared = symbols[0].replace(VANILLA), symbols[1]
    probe = Probe(experiment, prepared)
    weights = make_network(experiment, probe.task).state_dict()
    good = {"kind": DIAGNOSIS, "epoch": 0, **probe.measure(weights)}
    scaled(0.5)(weights)
    bad = {"kind": DIAGNOSIS, "epoch": 1, **probe.measure(weights)}
    for journal, names in (
        ([bad, {**good, "epoch": 2}], []),
        ([bad, good], ["vanishing_gradient"]),
    ):
        case = Case(experiment, probe.task, journal, {}, False)
        assert [verdict.name for verdict in verdicts(case)] == names
    assert verdicts(Case(experiment, probe.task, [], {}, False)) == []
