"""Which params have an effect: those that the rules do not refuse once they differ."""

from pathlib import Path
from typing import Any

import pytest
from example_params import FILES, ROOT

from rnnkit.params import Experiment, load
from rnnkit.params.applicable import applicable, without_effect
from rnnkit.params.experiment import flatten


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_left_out_holds_its_default(file: Path) -> None:
    experiment = load(file)
    for path in without_effect(experiment):
        assert not experiment.is_changed(path), path
    shown = applicable(experiment)
    assert shown.items() <= flatten(experiment).items()
    assert {"task.kind", "seed", "train.epochs"} <= shown.keys()
    assert "variants" not in shown or experiment.variants


def test_every_value_without_effect_is_refused_once_it_differs() -> None:
    experiment = load(ROOT / "params" / "demo.yaml")
    others: dict[str, Any] = {
        "data.scaling": "none",
        "data.window": 7,
        "model.readout": "mean",
        "model.target_embedding": 5,
        "data.joint": True,
    }
    unused = without_effect(experiment)
    assert others.keys() <= unused
    for path, value in others.items():
        with pytest.raises(ValueError, match=path):
            experiment.replace({path: value})
    clip = experiment.replace({"train.clip": 7.0})
    assert isinstance(clip, Experiment)
    assert applicable(clip)["train.clip"] == 7.0


def test_a_network_without_recurrence_shows_no_cell() -> None:
    shown = applicable(load(ROOT / "params" / "digits_vector.yaml"))
    assert not any(
        path.startswith(("model.cell", "data.tokenizer", "data.window")) for path in shown
    )
    assert "model.hidden" in shown


def test_the_keys_of_a_sweep_are_shown_where_there_is_one() -> None:
    demo = load(ROOT / "params" / "demo.yaml")
    assert "tune.trials" in applicable(demo)
    alone = applicable(demo.replace({"tune": None}))
    assert not any(path.startswith("tune") for path in alone)
    assert "train.checkpoint_seconds" not in alone
