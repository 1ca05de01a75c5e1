"""`--set`: single keys, whole blocks, kinds and search spaces."""

import pytest
from refused_params import TAGGING, Write, refusal

from rnnkit.params import change, load
from rnnkit.params.data import Fractions


def test_set_replaces_and_the_last_one_wins(write: Write) -> None:
    experiment = load(write(TAGGING), ["model.hidden=7", "train.clip=1e-1", "seed=1", "seed=2"])
    assert (experiment.model.hidden, experiment.train.clip, experiment.seed) == (7, 0.1, 2)


def test_set_makes_blocks_that_are_not_there(write: Write) -> None:
    experiment = load(write(TAGGING), ["tune.trials=3", "model.cell.kind=lstm"])
    assert experiment.tune is not None
    assert experiment.tune.trials == 3
    assert experiment.model.cell.kind == "lstm"


@pytest.mark.parametrize("kind", ["gru", "'gru'", " gru", "gru # a note"])
def test_set_to_another_kind_drops_the_old_kinds_keys(write: Write, kind: str) -> None:
    file = write(f"{TAGGING}model: {{cell: {{kind: rnn, activation: relu}}}}\n")
    assert load(file, [f"model.cell.kind={kind}"]).model.cell.kind == "gru"
    kept = load(file, ["model.cell.kind=rnn"]).model.cell
    assert kept.model_dump() == {"kind": "rnn", "activation": "relu"}


def test_kinds_are_set_first_so_that_nothing_set_is_lost(write: Write) -> None:
    file = write(f"{TAGGING}model: {{cell: {{kind: gru}}}}\n")
    wanted = {"kind": "rnn", "activation": "relu"}
    by_text = load(file, ["model.cell.activation=relu", "model.cell.kind=rnn"])
    changes = {"model.cell.activation": "relu", "model.cell.kind": "rnn"}
    for found in (by_text, load(file, changes=changes), change(load(file), changes)):
        assert found.model.cell.model_dump() == wanted


def test_a_change_makes_blocks_and_reaches_into_mappings_and_leaves_what_was(write: Write) -> None:
    old = load(write(f"{TAGGING}variants: {{a: {{}}}}\n"))
    new = change(old, {"variants.a": {"model.hidden": 3}, "seeds": (1, 2)})
    assert (dict(new.variants["a"]), new.seeds) == ({"model.hidden": 3}, (1, 2))
    assert (dict(old.variants["a"]), old.seeds) == ({}, ())
    tuned = change(load(write(TAGGING)), {"tune.trials": 3}).tune
    assert tuned is not None
    assert tuned.trials == 3


def test_set_of_a_whole_block_leaves_its_other_keys(write: Write) -> None:
    file = write(f"{TAGGING}model: {{hidden: 12, dropout: 0.1}}\n")
    expected = load(file, ["model.depth=2", "model.hidden=9"])
    assert load(file, ["model={depth: 2, hidden: 9}"]) == expected
    assert change(load(file), {"model": {"depth": 2, "hidden": 9}}) == expected
    assert load(file).replace({"model": {"depth": 2, "hidden": 9}}) == expected
    variant = f"{TAGGING}model: {{hidden: 12}}\nvariants: {{a: {{model: {{depth: 2}}}}}}\n"
    assert load(write(variant)).variants == {"a": {"model.depth": 2}}
    fixed = f"{TAGGING}variants: {{a: {{data: {{limit: 3}}}}}}\n"
    assert "variants.a.data.limit: variants are compared" in refusal(write(fixed))
    fixed = f"{TAGGING}variants: {{a: {{train: {{checkpoint_seconds: 3}}}}}}\n"
    assert "variants.a.train.checkpoint_seconds: it changes no result" in refusal(write(fixed))


def test_set_in_a_block_that_is_not_there_keeps_its_kind(write: Write) -> None:
    file = write(TAGGING)
    assert load(file, ["train.optimizer.learning_rate=0.5"]).train.optimizer.learning_rate == 0.5
    assert load(file, ["data.split.valid=0.25"]).data.split == Fractions(valid=0.25)
    assert "model.cell.bias: unknown key" in refusal(file, "model.cell.bias=0")
    warm = load(file, ["train.schedule.steps=3", "train.schedule.kind=warmup"])
    assert warm.train.schedule.kind == "warmup"


def test_set_reaches_a_search_space(write: Write) -> None:
    file = write(f"{TAGGING}tune:\n  search:\n    train.clip: {{low: 1, high: 2}}\n")
    tune = load(file, ["tune.search.model.depth={low: 1, high: 3}"]).tune
    assert tune is not None
    assert list(tune.search) == ["train.clip", "model.depth"]
    tune = load(file, ["tune.search.train.clip.high=9"]).tune
    assert tune is not None
    assert tune.search["train.clip"].model_dump() == {
        "low": 1,
        "high": 9,
        "log": False,
        "step": None,
        "when": {},
    }


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("hidden", "--set hidden: write key=value, as train.clip=1.0"),
        ("=3", "--set =3: write key=value"),
        ("model..hidden=3", "--set model..hidden=3: write key=value"),
        ("name.x=3", "--set name.x=3: name is no block, it has no keys inside"),
        ("model.hidden=[1", "--set model.hidden=[1: '[1' is not a plain YAML value"),
        ("seed=!!int 3", "--set seed=!!int 3: '!!int 3' is not a plain YAML value"),
        ("seed=1\n--- 2", "--set seed=1 --- 2: "),
        (
            "data.features.hop=5",
            "--set data.features.hop=5: data.features: only recordings have features",
        ),
        ("name=*3", "--set name=*3: '*3' is not a plain YAML value; text with signs in it needs q"),
        ("model.hiden=3", "--set model.hiden=3: model.hiden: unknown key; did you mean 'hidden'?"),
        ("model.hidden=", "--set model.hidden=: model.hidden must be a valid integer, got null"),
        ("model={hidden: 3, hidden: 4}", "--set model={hidden: 3, hidden: 4}: hidden stands twice"),
        (f"seed={'9' * 5000}", f"--set seed={'9' * 200}"),
        ('name="\\ud800"', '--set name="\\ud800": holds half of a surrogate pair'),
        ('name="\\UFFFFFFFF"', '--set name="\\UFFFFFFFF": '),
        (f"variants.{'a.' * 5000}b=1", f"--set variants.{'a.' * 100}"),
        ("model.readout=attention", "--set model.readout=attention: model.readout 'attention' is"),
        ("model.readout=mean", "--set model.readout=mean: model.readout: tagging has no use"),
    ],
)
def test_an_override_that_is_wrong_is_named(write: Write, override: str, message: str) -> None:
    assert refusal(write(TAGGING), override).startswith(message)


def test_a_long_override_that_is_wrong_is_told_with_its_rule(write: Write) -> None:
    refused = refusal(write(TAGGING), f"seed={'9' * 5000}")
    assert refused.endswith("999: a whole number may have at most 18 digits")
    refused = refusal(write(TAGGING), f"variants.{'a.' * 5000}b=1")
    assert refused.endswith("a.b=1: is nested deeper than 20 levels")
