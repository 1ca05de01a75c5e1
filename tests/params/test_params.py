"""Params: a strict reader, errors of one line, rules between blocks, and values that stay."""

import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rnnkit.errors import InputError
from rnnkit.params import Experiment, change, dump, load, reserved
from rnnkit.params.block import Block, FrozenDict
from rnnkit.params.data import Fractions
from rnnkit.params.experiment import flatten
from rnnkit.params.refusal import blocks_of

PARAMS = sorted((Path(__file__).parents[2] / "params").glob("*.yaml"))

TAGGING = """\
name: a
task: {kind: tagging}
data:
  source: {kind: builtin, name: python_tokens}
"""
FORECASTING = """\
name: a
task: {kind: forecasting}
data:
  source: {kind: builtin, name: sunspots}
  split: {kind: time}
model:
  representation: {kind: raw}
"""
Write = Callable[[str | bytes], Path]


def refusal(file: Path, *overrides: str) -> str:
    """The message that refuses a file, in one line; the file is called by its name alone."""
    with pytest.raises(InputError) as caught:
        load(file, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{file.parent}/", "")


# ------------------------------------------------------------------------------------ strict YAML


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("seed: 1\nseed: 2\n", "a.yaml:2: seed stands twice, first at a.yaml:1"),
        ("seed: 012\n", "a.yaml:1: 012 is ambiguous; write a plain number or quote it"),
        ("seed: 0x1F\n", "a.yaml:1: 0x1F is ambiguous"),
        ("seed: 1_000\n", "a.yaml:1: 1_000 is ambiguous"),
        ("seed: 1_0.5\n", "a.yaml:1: 1_0.5 is ambiguous"),
        ("seed: 1:30\n", "a.yaml:1: 1:30 is ambiguous"),
        ("seed: 1:30.5\n", "a.yaml:1: 1:30.5 is ambiguous"),
        ("seed: !!python/name:os.system 1\n", "a.yaml:1: only plain values are allowed, got"),
        ("seed: !mine '3'\n", "a.yaml:1: only plain values are allowed, got the tag !mine"),
        ("name: a\nmodel: !mine {hidden: 3}\n", "a.yaml:2: only plain values are allowed"),
        ("seed: !!float x\n", "a.yaml:1: only plain values are allowed"),
        ("seed: &one 1\nname: *one\n", "a.yaml:2: aliases are not read; write the value out"),
        ("model: &m {hidden: *m}\n", "a.yaml:1: aliases are not read"),
        ("a: &a {b: 1}\nmodel:\n  <<: *a\n", "a.yaml:3: aliases are not read"),
        ("model:\n  <<: {hidden: 3}\n", "a.yaml:2: a key must be a plain word"),
        ("? [a, b]\n: 1\n", "a.yaml:1: a key must be a plain word"),
        ("a:\n  " + "[" * 30 + "]" * 30, "a.yaml:2: is nested deeper than 20 levels"),
        ("a: " + "[" * 50_000, "a.yaml: is nested deeper than 20 levels"),
        ("a: " + "x" * 1_000_000, "a.yaml: may have at most 1,000,000 bytes"),
        (b"name: a\ntask: \xe9\n", "a.yaml:2: is not UTF-8; save it as UTF-8"),
        ("", "a.yaml: is empty; begin with: rnnkit new demo"),
        ("# nothing but this\n", "a.yaml: is empty"),
        ("- a\n- b\n", "a.yaml: must hold `key: value` lines; begin with: rnnkit new"),
        ("some words", "a.yaml: must hold `key: value` lines"),
        ("name: b: c\n", "a.yaml:1: is not YAML: mapping values are not allowed here"),
        ("name: a\n\ttask: b\n", "a.yaml:2: is not YAML: found character"),
        ("name: [1\n", "a.yaml:2: is not YAML: expected ',' or ']'"),
        ("name: a\n---\nname: b\n", "a.yaml:2: a second document begins; one file holds one"),
        ("name: a\x00\n", "a.yaml: is not YAML: it holds the character U+0000"),
    ],
)
def test_what_is_no_plain_yaml_is_refused(write: Write, content: str | bytes, message: str) -> None:
    assert refusal(write(content)).startswith(message)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 0.001), ("1.5E+2", 150.0), (".5", 0.5), ("2.", 2.0), ("+2", 2), ("2e0", 2.0)],
)
def test_numbers_are_read_as_people_write_them(write: Write, text: str, value: float) -> None:
    clip = load(write(f"{TAGGING}train: {{clip: {text}}}\n")).train.clip
    assert clip == value
    assert type(clip) in (float, int)


def test_a_quoted_or_dated_value_is_text(write: Write) -> None:
    assert load(write(TAGGING.replace("name: a\n", "name: '012'\n"))).name == "012"
    assert load(write(TAGGING.replace("name: a\n", "name: 2017-06-26\n"))).name == "2017-06-26"


def test_a_byte_order_mark_is_allowed(write: Write) -> None:
    assert load(write(b"\xef\xbb\xbf" + TAGGING.encode())).name == "a"


def test_a_missing_file_is_named_with_its_neighbour(write: Write) -> None:
    file = write(TAGGING)
    assert refusal(file.with_name("b.yaml")) == (
        "b.yaml: there is no such file; did you mean a.yaml?"
    )
    assert refusal(file.with_name("nothing-like-it.yaml")).endswith("there is no such file")


def test_a_folder_is_no_params_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder; give the params file in it"):
        load(tmp_path)


def test_a_file_that_cannot_be_read_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    file = write(TAGGING)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert refusal(file) == "a.yaml: cannot be read: Permission denied"


# ------------------------------------------------------------------- unknown keys, types and kinds


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"modle: {{hidden: 3}}\n{TAGGING}", "a.yaml:1: modle: unknown key; did you mean 'model'?"),
        (f"zz: 3\n{TAGGING}", "a.yaml:1: zz: unknown key; there are name, task, seed"),
        (
            f"{TAGGING}model:\n  hiden: 3\n",
            "a.yaml:6: model.hiden: unknown key; did you mean 'hidden'?",
        ),
        (
            f"{TAGGING}  padd: pre\n",
            "a.yaml:5: data.padd: unknown key; did you mean 'padding'?",
        ),
        (
            TAGGING.replace("name: python", "nme: python"),
            "a.yaml:4: data.source.nme: unknown key; did you mean 'name'? (and 1 more)",
        ),
        (
            TAGGING.replace(
                "{kind: builtin, name: python_tokens}", "{kind: tokens, path: p, tokens: w, tgs: t}"
            ),
            "a.yaml:4: data.source.tgs: unknown key; did you mean 'tags'?",
        ),
        (
            f"{TAGGING}model:\n  cell:\n    kind: rnn\n    activaton: tanh\n",
            "a.yaml:8: model.cell.activaton: unknown key; did you mean 'activation'?",
        ),
        (
            f"{TAGGING}model: {{cell: {{kind: gru, activation: tanh}}}}\n",
            "a.yaml:5: model.cell.activation: unknown key; there are kind, update_bias",
        ),
        (
            f"{TAGGING}model: {{initialization: {{recurent: xavier}}}}\n",
            "a.yaml:5: model.initialization.recurent: unknown key; did you mean 'recurrent'?",
        ),
        (
            f"{TAGGING}train:\n  early_stopping:\n    patince: 2\n",
            "a.yaml:7: train.early_stopping.patince: unknown key; did you mean 'patience'?",
        ),
        (
            f"{TAGGING}tune:\n  trails: 2\n",
            "a.yaml:6: tune.trails: unknown key; did you mean 'trials'?",
        ),
        (
            f"{TAGGING}tune:\n  search:\n    train.clip: {{lo: 1, high: 2}}\n",
            "a.yaml:7: tune.search.train.clip.lo: unknown key; did you mean 'low'? (and 1 more)",
        ),
        (
            f"{TAGGING}tune:\n  search:\n    train.clip: {{choises: [1]}}\n",
            "a.yaml:7: tune.search.train.clip.choises: unknown key; did you mean 'choices'?",
        ),
        (
            f"{TAGGING}tune:\n  search:\n    train.clip: {{choices: [1], low: 2}}\n",
            "a.yaml:7: tune.search.train.clip.low: unknown key; there are choices, when",
        ),
    ],
)
def test_an_unknown_key_is_refused_where_it_stands(
    write: Write, content: str, message: str
) -> None:
    assert refusal(write(content)).startswith(message)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("model: {hidden: 0}", "model.hidden must be greater than or equal to 1, got 0"),
        ("model: {hidden: 3.0}", "model.hidden must be a valid integer, got 3.0"),
        ("model: {hidden: '3'}", "model.hidden must be a valid integer, got '3'"),
        ("model: {hidden: true}", "model.hidden must be a valid integer, got True"),
        ("model: {hidden: null}", "model.hidden must be a valid integer, got null"),
        ("model: {bidirectional: 1}", "model.bidirectional must be a valid boolean, got 1"),
        ("model: {dropout: 1}", "model.dropout must be less than 1, got 1"),
        ("model: {readout: lst}", "model.readout must be 'last', 'mean' or 'max', got 'lst'"),
        ("model: 3", "model must be a block with keys of its own, got 3"),
        ("model:", "model must be a block with keys of its own, got null"),
        (
            "model: {cell: gru}",
            "model.cell must be a block with keys of its own, got 'gru'; write {kind: gru}",
        ),
        (
            "model: {cell: {}}",
            "model.cell needs a kind, as model.cell: {kind: rnn}; there are rnn, lstm, gru, custom",
        ),
        (
            "model: {cell: {kind: gruu}}",
            "model.cell.kind must be one of rnn, lstm, gru, custom, got 'gruu'; did you mean 'gru",
        ),
        (
            "model: {cell: {kind: 3}}",
            "model.cell.kind must be one of rnn, lstm, gru, custom, got '3'",
        ),
        ("train: {clip: 0}", "train.clip must be greater than 0 or 'auto', got 0"),
        ("train: {clip: .inf}", "train.clip must be a finite number or 'auto', got inf"),
        ("train: {clip: .nan}", "train.clip must be a finite number or 'auto', got nan"),
        ("train: {clip: often}", "train.clip must be a valid number or 'auto', got 'often'"),
        ("seed: -1", "seed must be greater than or equal to 0, got -1"),
        ("seed: 1e3", "seed must be a valid integer, got 1000.0"),
        ("tune: {search: {}}", "tune.search must have at least 1 item, got {}"),
        ("tune: {search: {train.clip: 3}}", "tune.search.train.clip must be a block"),
        ("tune: {search: {train.clip: {low: 1}}}", "tune.search.train.clip.high is missing"),
        (
            "tune: {search: {train.clip: {low: 5, high: 1}}}",
            "tune.search.train.clip: low must be below high, got 5 and 1",
        ),
        (
            "tune: {search: {train.clip: {low: 0, high: 1, log: true}}}",
            "tune.search.train.clip: a log range starts above 0, got low: 0",
        ),
        (
            "tune: {search: {train.clip: {percentiles: [10]}}}",
            "tune.search.train.clip.percentiles.1 is missing",
        ),
        ("seeds: 2", "seeds must be a list, as [1, 2], got 2"),
        (
            "tune: {search: {train.clip: {choices: []}}}",
            "tune.search.train.clip.choices must have at least 1 item, got []",
        ),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(write: Write, lines: str, message: str) -> None:
    assert refusal(write(f"{TAGGING}{lines}\n")).startswith(f"a.yaml:5: {message}")


def test_a_name_is_fit_for_a_folder(write: Write) -> None:
    message = refusal(write(TAGGING.replace("name: a\n", "name: a/b\n")))
    assert message.startswith("a.yaml:1: name must match pattern")


def test_missing_keys_are_named(write: Write) -> None:
    assert refusal(write("name: a\n")) == "a.yaml: task is missing (and 1 more)"
    assert refusal(write("name: a\ntask: {kind: tagging}\ndata: {}\n")) == (
        "a.yaml:3: data.source is missing"
    )


def test_a_value_of_several_forms_is_told_all_of_them(write: Write) -> None:
    for value, got in (("soon", "'soon'"), ("null", "null")):
        content = FORECASTING.replace("{kind: time}", f"{{kind: time, valid: {value}}}")
        message = refusal(write(content))
        assert message.startswith("a.yaml:5: data.split.valid must be a valid number or ")
        assert message.endswith(f", got {got}")


def test_a_long_value_is_cut(write: Write) -> None:
    assert len(refusal(write(f"{TAGGING}seed: {'x' * 5000}\n"))) < 150


# ------------------------------------------------------------------------------------------ --set


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
            "--set data.features.hop=5: data.features: there are no recordings",
        ),
        ("name=*3", "--set name=*3: '*3' is not a plain YAML value; text with signs in it needs q"),
        ("model.hiden=3", "--set model.hiden=3: model.hiden: unknown key; did you mean 'hidden'?"),
        ("model.hidden=", "--set model.hidden=: model.hidden must be a valid integer, got null"),
        ("model={hidden: 3, hidden: 4}", "--set model={hidden: 3, hidden: 4}: hidden stands twice"),
        ("model.readout=attention", "--set model.readout=attention: model.readout 'attention' is"),
        ("model.readout=mean", "--set model.readout=mean: model.readout: tagging has no use"),
    ],
)
def test_an_override_that_is_wrong_is_named(write: Write, override: str, message: str) -> None:
    assert refusal(write(TAGGING), override).startswith(message)


# --------------------------------------------------------------------------------- reserved names


def nested(path: str, value: Any) -> dict[str, Any]:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def possible(path: str) -> list[Any]:
    """The annotations at a params path in any kind of its blocks; nothing where no block has it."""
    blocks: list[type[Any]] = [Experiment]
    *above, last = path.split(".")
    for key in above:
        blocks = [
            inner
            for block in blocks
            if key in block.model_fields
            for inner in blocks_of(block.model_fields[key].annotation)
        ]
    return [b.model_fields[last].annotation for b in blocks if last in b.model_fields]


def literals(annotation: Any) -> set[str]:
    parts = getattr(annotation, "__args__", ())
    return {p for p in parts if isinstance(p, str)}.union(*map(literals, parts))


@pytest.mark.parametrize("path", reserved.KEYS)
def test_a_reserved_key_is_refused(write: Write, path: str) -> None:
    message = refusal(write(TAGGING), f"{path}=1")
    assert path in message
    assert message.endswith(
        f"is reserved for {reserved.KEYS[path]}, which is not there yet; leave it out"
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [(path, value) for path, values in reserved.VALUES.items() for value in values],
)
def test_a_reserved_value_is_refused(write: Write, path: str, value: str) -> None:
    message = refusal(write(TAGGING), f"{path}={value}")
    assert message.endswith(f"{path} {value!r} is reserved and not there yet")


def test_what_is_built_is_reserved_no_longer() -> None:
    assert possible("model.cell.activation")  # the look-up does find what is there
    assert "lstm" in set().union(*map(literals, possible("model.cell.kind")))
    assert [path for path in reserved.KEYS if possible(path)] == []
    for path, values in reserved.VALUES.items():
        known = set().union(*map(literals, possible(path)))
        assert known & set(values) == set(), f"{path} takes these by now: out of VALUES with them"


# ----------------------------------------------------------------------------------------- frozen


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
    parts = blocks_in(experiment)
    assert (
        sum(isinstance(part, Mapping) for part in parts) == 4
    )  # tune.search, two conditions, variants
    for part in parts:
        if isinstance(part, Block):
            name = next(iter(type(part).model_fields))
            with pytest.raises(ValidationError, match="frozen"):
                setattr(part, name, getattr(part, name))
        else:
            assert type(part) is FrozenDict


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


# ------------------------------------------------------------------------ dump, replace and flatten


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
