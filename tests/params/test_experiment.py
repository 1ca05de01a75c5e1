"""An experiment is frozen; its dump reads back; a replaced key is validated again."""

import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from refused_params import TAGGING, Write

from rnnkit.params import Experiment, dump, load
from rnnkit.params.block import Block, FrozenDict
from rnnkit.params.experiment import flatten

PARAMS = sorted((Path(__file__).parents[2] / "params").glob("*.yaml"))


@pytest.fixture
def experiment(write: Write) -> Experiment:
    return load(write(f"{TAGGING}tune: {{trials: 2}}\n"))


def blocks_in(value: Any) -> list[Any]:
    inner: list[Any] = []
    if isinstance(value, Block):
        inner = [getattr(value, name) for name in type(value).model_fields]
    elif isinstance(value, Mapping):
        inner = list(value.values())
    here = [value] if isinstance(value, Block | Mapping) else []
    return here + [block for item in inner for block in blocks_in(item)]


def test_an_experiment_is_frozen_all_the_way_down(experiment: Experiment) -> None:
    splits = blocks_in(experiment)
    assert (
        sum(isinstance(split, Mapping) for split in splits) == 4
    )  # tune.search, two conditions, variants
    for split in splits:
        if isinstance(split, Block):
            name = next(iter(type(split).model_fields))
            with pytest.raises(ValidationError, match="frozen"):
                setattr(split, name, getattr(split, name))
        else:
            assert type(split) is FrozenDict


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.__setitem__("a", 1),
        lambda d: d.__delitem__("a"),
        lambda d: d.__ior__({"b": 1}),
        lambda d: d.update(b=1),
        lambda d: d.setdefault("b", 1),
        lambda d: d.pop("a"),
        lambda d: d.popitem(),
        lambda d: d.clear(),
    ],
)
def test_a_frozen_mapping_refuses_every_change(change: Callable[[Any], Any]) -> None:
    mapping = FrozenDict(a=1)
    with pytest.raises(TypeError, match=r"make a new experiment with Experiment\.replace"):
        change(mapping)
    assert mapping == {"a": 1}


def test_an_experiment_has_a_hash_and_travels_to_other_processes(experiment: Experiment) -> None:
    twin = pickle.loads(pickle.dumps(experiment))
    assert twin == experiment
    assert hash(twin) == hash(experiment)
    assert hash(experiment.replace({"seed": 1})) != hash(experiment)
    assert twin.tune is not None
    with pytest.raises(TypeError, match="params are frozen"):
        twin.tune.search["a"] = 1  # type: ignore[index]


@pytest.mark.parametrize("file", PARAMS, ids=lambda file: file.stem)
def test_every_params_file_is_valid_and_its_dump_reads_back(file: Path, write: Write) -> None:
    experiment = load(file)
    again = write(dump(experiment))
    assert load(again) == experiment
    assert dump(load(again)) == again.read_text(encoding="utf-8")


def test_a_dump_that_yaml_could_misread_reads_back(experiment: Experiment, write: Write) -> None:
    for name in ("012", "1e3", "yes", "null", "2017-06-26", "1_000"):
        changed = experiment.replace({"name": name, "train.clip": 1e-30})
        assert load(write(dump(changed))) == changed


def test_replace_validates_again(experiment: Experiment) -> None:
    changed = experiment.replace({"train.clip": 1.0, "model.depth": 3})
    assert (changed.train.clip, changed.model.depth) == (1.0, 3)
    assert experiment.train.clip == 5.0
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        experiment.replace({"model.depth": 0})
    with pytest.raises(ValidationError, match="every step is read out"):
        experiment.replace({"model.readout": "mean"})
    for path in ("model.dpth", "nothing", "train.clip.x", "model.cell.x.y"):
        with pytest.raises(KeyError, match=re.escape(path)):
            experiment.replace({path: 3})


def test_replace_takes_a_kind_and_its_keys_in_any_order(experiment: Experiment) -> None:
    relu = experiment.replace({"model.cell.activation": "relu", "model.cell.kind": "rnn"})
    assert relu.model.cell.model_dump() == {"kind": "rnn", "activation": "relu"}
    assert relu.replace({"model.cell.kind": "rnn"}) == relu
    assert relu.replace({"model.cell.kind": "gru"}) == experiment


def test_replace_keeps_no_hold_on_what_it_was_given(experiment: Experiment) -> None:
    cell = {"kind": "rnn", "activation": "relu"}
    changed = experiment.replace({"model.cell": cell})
    cell["activation"] = "tanh"
    assert changed.value("model.cell.activation") == "relu"


def test_flatten_names_every_value_by_its_path(experiment: Experiment) -> None:
    flat = flatten(experiment)
    assert flat["model.cell.kind"] == "gru"
    assert flat["train.clip"] == 5.0
    assert flat["tune.search.model.depth.low"] == 1
    assert not any(isinstance(value, dict) and value for value in flat.values())
    assert experiment.value("model.cell.kind") == flat["model.cell.kind"]
