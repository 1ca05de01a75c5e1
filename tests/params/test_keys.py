"""Unknown keys, wrong types and kinds, and missing keys: each refused in one line."""

from pathlib import Path

import pytest
from refused_params import FORECASTING, TAGGING, Write, refusal

from rnnkit.params import load


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
            "a.yaml:5: model.cell.activation: unknown key; it is a key of kind rnn, and this one "
            "is gru",
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


TEXTS = """\
name: a
task: {kind: classification}
data:
  source: {kind: labelled_text, path: a.csv}
"""


@pytest.mark.parametrize(
    ("content", "name", "hint"),
    [
        (f"hidden: 3\n{TEXTS}", "hidden", "it belongs in model; write model.hidden"),
        (f"{TEXTS}  encoding: latin-1\n", "data.encoding", "write data.source.encoding"),
        (f"{TEXTS}  seed: 1\n", "data.seed", "it belongs beside name and task; write seed"),
        (
            f"{TEXTS}  tokenizer: {{kind: words, joint: true}}\n",
            "data.tokenizer.joint",
            "it belongs in data; write data.joint",
        ),
        (
            f"{TEXTS}model: {{cell: {{kind: lstm, hidden: 3}}}}\n",
            "model.cell.hidden",
            "it belongs in model; write model.hidden",
        ),
        (
            f"{TEXTS}train: {{learning_rate: 0.1}}\n",
            "train.learning_rate",
            "it belongs in train.optimizer; write train.optimizer.learning_rate",
        ),
        (
            f"{TEXTS}train: {{trials: 3}}\n",
            "train.trials",
            "it belongs in tune; write tune.trials",
        ),
        (
            f"{TEXTS}lerning_rate: 0.1\n",
            "lerning_rate",
            "did you mean train.optimizer.learning_rate?",
        ),
        (
            f"{TEXTS}train: {{optimizer: {{kind: adam, momentum: 0.9}}}}\n",
            "train.optimizer.momentum",
            "it is a key of kind sgd, and this one is adam",
        ),
    ],
)
def test_a_misplaced_key_is_told_where_it_belongs(
    write: Write, content: str, name: str, hint: str
) -> None:
    message = refusal(write(content))
    assert f": {name}: unknown key; " in message
    assert hint in message


def test_a_misplaced_key_of_the_command_line_is_told_where_it_belongs(write: Write) -> None:
    assert refusal(write(TEXTS), "encoding=latin-1") == (
        "--set encoding=latin-1: encoding: unknown key; it belongs in data.source; write "
        "data.source.encoding"
    )


DATA_FILES = [
    ("a.csv", "text,label\ngood,1\n", "is a file of data and no params file"),
    ("a.data", "1,2\n3,4\n", "must hold `key: value` lines"),
    ("a.txt", "good: yes: no\n\tbad", "is not YAML"),
    ("a.bin", b"\xff\xfe\x00", "is not UTF-8"),
    ("folder", None, "is a folder; give the params file in it"),
]


@pytest.mark.parametrize(("name", "content", "fact"), DATA_FILES)
def test_data_in_place_of_params_are_told_what_writes_params(
    tmp_path: Path, name: str, content: str | bytes | None, fact: str
) -> None:
    file = tmp_path / name
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = refusal(file)
    assert fact in message
    assert f"rnnkit new {name}" in message


def test_params_in_a_file_of_any_name_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.params").write_text(TAGGING)
    assert load(tmp_path / "a.params").name == "a"


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
