"""Rules between the blocks of params: each of them is raised."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from refused_params import FORECASTING, TAGGING, Write, refusal

from rnnkit.params import load
from rnnkit.params import rules as of_blocks
from rnnkit.params import source_rules as of_sources
from rnnkit.params.rules import rules
from rnnkit.params.tree import read
from rnnkit.params.unchecked import UncheckedExperiment

FRAMES = """\
name: a
task: {kind: classification}
data:
  source: {kind: builtin, name: digits}
model:
  representation: {kind: raw}
"""
STRETCHES = """\
name: a
task: {kind: tagging}
data:
  source: {kind: frames, path: a.csv, labels: per_frame}
  split: {kind: time}
model:
  representation: {kind: raw}
"""
LANGUAGE = """\
name: a
task: {kind: language_modeling}
data:
  source: {kind: text, path: a.txt}
"""
LAYOUTS = (
    ("header", "false"),
    ("separator", '";"'),
    ("quotes", "false"),
    ("skip_rows", "1"),
    ("comment", '"#"'),
)
PAIRS = "name: a\ntask:\n  kind: translation\ndata:\n  source:\n    kind: pairs\n    path: a\n"
RECORDINGS = (
    "name: a\ntask:\n  kind: transcription\nmodel:\n  representation: {kind: raw}\ndata:\n"
    "  source:\n    kind: audio\n    path: a\n"
)
RULES = [
    *(
        (
            f"{TAGGING}{block}  {key}: {value}\n",
            line,
            rf"{path}\.{key}: tagging has no use for it, the task decodes no tokens; leave it out",
        )
        for path, block, line, key, value in (
            ("model", "model:\n", 6, "attention", "dot"),
            ("model", "model:\n", 6, "input_feeding", "false"),
            ("model", "model:\n", 6, "target_embedding", "3"),
            ("data", "", 5, "target_tokenizer", "{kind: words}"),
            ("data", "", 5, "joint", "true"),
        )
    ),
    (
        f"{TAGGING}  segment: 2\n",
        5,
        r"data\.segment: tagging has no use for it, only the window of a series is cut into segmen",
    ),
    *(
        (
            f"{TAGGING}model:\n  {key}: {value}\n",
            6,
            rf"model\.{key}: tagging has no use for it, only the columns of a series can be",
        )
        for key, value in (("channels", "independent"), ("channel_embedding", "3"))
    ),
    (
        FORECASTING + "  channel_embedding: 3\n",
        8,
        r"model\.channel_embedding: a network that reads all targets together has one sequence for",
    ),
    *(
        (
            f"{params}model:\n  head_dropout: 0.1\n",
            line,
            rf"model\.head_dropout: {kind} has no use for it, model\.dropout is on what the",
        )
        for params, line, kind in (
            (PAIRS, 9, "translation"),
            (
                PAIRS.replace("translation", "captioning").replace("pairs", "labelled_text"),
                9,
                "captioning",
            ),
        )
    ),
    (
        FORECASTING.replace("model:", "  window: 10\n  segment: 4\nmodel:"),
        7,
        r"data\.segment: the window must be whole segments, and it has 10 rows, a segment 4; ",
    ),
    (
        f"{PAIRS}model:\n  input_feeding: false\n",
        9,
        r"model\.input_feeding: without attention there is nothing that could be fed; leave it",
    ),
    (
        f"{PAIRS}  joint: true\n  target_tokenizer: {{kind: characters}}\n",
        9,
        r"data\.target_tokenizer: with data\.joint there is one tokenizer for both; leave one",
    ),
    (
        PAIRS.replace("translation\n", "translation\n  length_penalty: 0.5\n"),
        4,
        r"task\.length_penalty: greedy decoding has one hypothesis; set task\.beam, or leave it",
    ),
    (
        "name: a\ntask: {kind: captioning}\ndata:\n  source:\n    kind: vectors\n    path: a\n"
        "    targets: [x, y]\nmodel: {representation: {kind: raw}}\n",
        7,
        r"data\.source\.targets: a vector has one text; name one column",
    ),
    (
        f"{PAIRS}  features: {{bands: 20}}\n",
        8,
        r"data\.features: only recordings have features; leave it out",
    ),
    (
        f"{RECORDINGS}train: {{bptt: 5}}\n",
        10,
        r"train\.bptt: transcription has no use for it, the loss is of a whole recording; leave it",
    ),
    (
        PAIRS.replace("translation", "captioning").replace("pairs", "labelled_text")
        + "train: {monitor: valid/bleu}\n",
        8,
        r"train\.monitor: a category has no single reference text; write valid/loss, or leave it",
    ),
    (
        f"{RECORDINGS}  features: {{bands: 20, coefficients: 26}}\n",
        10,
        r"data\.features\.coefficients: there cannot be more coefficients than bands, got 26",
    ),
    (
        f"{RECORDINGS}  scaling: minmax\n",
        10,
        r"data\.scaling: every recording is scaled by itself; write data\.features\.normalize",
    ),
    (
        f"{PAIRS}  split: {{kind: names, test: a}}\n",
        8,
        r"data\.split: only recordings have files of their own; choose fractions, files or column",
    ),
    (
        RECORDINGS.replace("transcription", "classification") + "    join: {}\n",
        10,
        r"data\.source\.join: a string of recordings has a transcript and no label; write task: ",
    ),
    (
        f"{RECORDINGS}    join: {{}}\n",
        10,
        r"data\.source\.join: only recordings of one group are joined; name data\.source\.group",
    ),
    (
        f"{RECORDINGS}    group: a\n    join: {{low: 3, high: 2}}\n",
        11,
        r"data\.source\.join\.high: must not lie below data\.source\.join\.low",
    ),
    (
        f"{RECORDINGS}    names: a.wav\n",
        10,
        r"data\.source\.names: must have {text} in it, the field that holds the transcript",
    ),
    (
        f'{RECORDINGS}    text: digit\n    names: "{{text}}_{{take}}.wav"\n',
        11,
        r"data\.source\.names: must have {digit} in it, the field that holds the transcript",
    ),
    *(
        (
            f'{RECORDINGS}    names: "{{text}}_{{{field}}}.wav"\n',
            10,
            r"data\.source\.names: a field is a word of letters, digits and underscores that "
            rf"begins with no digit, got \{{{field}\}}; rename it",
        )
        for field in ("1", "a-b", "")
    ),
    (
        f'{RECORDINGS}    names: "{{text}}_{{a}}_{{text}}.wav"\n',
        10,
        r"data\.source\.names: each field stands in it once, and {text} is there again; give it a",
    ),
    *(
        (
            f'{RECORDINGS}    names: "{{text}}.wav"\n    {key}: {value}\n',
            11,
            rf"data\.source\.{key}: with data\.source\.names there is no table; leave it out",
        )
        for key, value in (
            ("audio", "file"),
            ("format", "tsv"),
            ("encoding", "latin-1"),
            *LAYOUTS,
        )
    ),
    (
        f"{PAIRS}    group: a\n  split: {{kind: column}}\n",
        8,
        r"data\.source\.group: the split does not ask for it; leave it",
    ),
    (
        f"{PAIRS}    separator: whitespace\n    quotes: true\n",
        9,
        r"data\.source\.quotes: fields that any white space separates have none; name a single",
    ),
    (
        STRETCHES.replace("per_frame", 'per_frame, decimal: ",", thousands: ","'),
        4,
        r"data\.source\.thousands: ',' is the decimal mark; choose another",
    ),
    (
        STRETCHES.replace("per_frame", 'per_frame, time_format: "%Y"'),
        4,
        r"data\.source\.time_format: the frames have no time; name data\.source\.time",
    ),
    (
        STRETCHES.replace("per_frame", "per_frame, row_names: true, header: false"),
        4,
        r"data\.source\.row_names: without a header none is left out of it; leave it out",
    ),
    *(
        (
            f"{RECORDINGS}    group: a\n  split: {split}\n",
            10,
            r"data\.source\.group: the split does not ask for it; leave it",
        )
        for split in (
            '{kind: names, test: "*_1.wav"}',
            "{kind: column}",
            "{kind: files, valid: b, test: c}",
        )
    ),
    *(
        (
            f'{PAIRS[:-2]} "a.{{de,en}}"\n    {key}: {value}\n{more}',
            8,
            rf"data\.source\.{key}: lines of two files have no columns; leave it out",
        )
        for key, value, more in (
            *((key, value, "") for key, value in LAYOUTS),
            ("format", "tsv", ""),
            ("source", "de", ""),
            ("target", "en", '  split: {kind: files, test: "b.{de,en}"}\n'),
        )
    ),
    (
        f"{PAIRS}  target_tokenizer:\n    kind: words\n    spelling: 5\n",
        10,
        r"data\.target_tokenizer\.spelling: characters beside words are for tagging; leave it out",
    ),
    (
        f"{TAGGING}model:\n  representation:\n    kind: embedding\n    freeze: true\n",
        8,
        r"model\.representation\.freeze: random vectors must be trained; name model",
    ),
    (
        f"{TAGGING}  split: {{kind: given}}\n",
        5,
        r"data\.split: this source has no predefined splits; choose fractions, files or column",
    ),
    (
        "name: a\ntask: {kind: music}\ndata:\n  split: {kind: given}\n  source:\n"
        "    kind: piano_rolls\n    path: a\n    highest: 3\n"
        "model: {representation: {kind: raw}}\n",
        8,
        r"data\.source\.highest: must not lie below data\.source\.lowest",
    ),
    (
        "name: a\ntask:\n  kind: vector\n  loss: squared\ndata:\n"
        "  source: {kind: builtin, name: digits}\nmodel: {representation: {kind: raw}}\n",
        4,
        r"task\.loss: frames have a label each and no numbers; write cross_entropy",
    ),
    (
        "name: a\ntask:\n  kind: vector\n  loss: squared\n  class_weights: balanced\ndata:\n"
        "  source: {kind: vectors, path: a}\nmodel: {representation: {kind: raw}}\n",
        5,
        r"task\.class_weights: numbers have no classes; leave it out",
    ),
    (
        "name: a\ntask: {kind: vector}\ndata:\n  source:\n    kind: vectors\n    path: a\n"
        "    targets: [x, y]\nmodel: {representation: {kind: raw}}\n",
        7,
        r"data\.source\.targets: a vector has one label; name one column, or write task\.loss: squ",
    ),
    (
        f"{TAGGING}model:\n  representation: {{kind: one_hot}}\n  embedding_dropout: 0.1\n",
        7,
        r"model\.embedding_dropout: there is no embedding to drop tokens of; leave it out",
    ),
    (
        f"{TAGGING.replace('tagging', 'classification').replace('tokens', 'docstrings')}"
        "  tokenizer:\n    kind: words\n    spelling: 5\n"
        "model: {representation: {kind: embedding, characters: {}}}\n",
        7,
        r"data\.tokenizer\.spelling: characters beside words are for tagging; leave it out",
    ),
    (
        f"{TAGGING}  tokenizer:\n    kind: words\n    spelling: 5\n",
        7,
        r"data\.tokenizer\.spelling: no network reads the characters; write model",
    ),
    (
        f"{TAGGING}model:\n  representation:\n    kind: embedding\n    characters: {{}}\n",
        8,
        r"model\.representation\.characters: words come without their characters; set",
    ),
    (
        TAGGING.replace("tagging", "classification"),
        4,
        r"data\.source: classification needs labelled_text or frames or audio data and this source "
        "gives tagged; choose another source or another task",
    ),
    (
        FRAMES.replace("model:", "  tokenizer: {kind: characters}\nmodel:"),
        5,
        r"data\.tokenizer: this source gives numbers and has no tokens; leave it out",
    ),
    (
        f"{TAGGING}  tokenizer: {{kind: bpe}}\n",
        5,
        r"data\.tokenizer: a tag belongs to a whole token, which bpe would cut; choose characters",
    ),
    (
        f"{TAGGING}  tokenizer:\n    kind: words\n    split: whitespace\n",
        7,
        r"data\.tokenizer\.split: this source gives tokens, nothing is split; leave it out",
    ),
    (
        FRAMES.replace("raw", "one_hot"),
        6,
        r"model\.representation: this source gives numbers; write model\.representation: "
        r"\{kind: raw\}",
    ),
    (
        f"{TAGGING}model: {{representation: {{kind: raw}}}}\n",
        5,
        r"model\.representation: this source gives tokens; choose embedding or one_hot",
    ),
    (
        f"{LANGUAGE}model: {{bidirectional: true}}\n",
        5,
        r"model\.bidirectional: language_modeling has no use for it, a backward direction",
    ),
    (
        f"{TAGGING}model:\n  readout: mean\n",
        6,
        r"model\.readout: tagging has no use for it, every step is read out; leave it out",
    ),
    (
        f"{TAGGING}model:\n  initialization:\n    recurrent: identity\n",
        7,
        r"model\.initialization\.recurrent: identity is for the vanilla rnn .*gates have no ident",
    ),
    (
        f"{TAGGING}model:\n  representation: {{kind: one_hot}}\n"
        "  initialization:\n    embedding: 3.0\n",
        8,
        r"model\.initialization\.embedding: the network has no embedding; leave it out",
    ),
    (
        f"{TAGGING}model:\n  representation: {{kind: embedding, vectors: g.txt}}\n"
        "  initialization:\n    embedding: 3.0\n",
        8,
        r"model\.initialization\.embedding: words without a vector start with the standard devi",
    ),
    (
        f"{LANGUAGE}model:\n  representation: {{kind: embedding, size: 128}}\n  tied: true\n"
        "  initialization:\n    head: fan_in\n",
        9,
        r"model\.initialization\.head: a tied head has the weights of the embedding; leave it out",
    ),
    (
        f"{TAGGING}train:\n  schedule: {{kind: plateau, patience: 3}}\n",
        6,
        r"train\.schedule\.patience: early stopping comes first: its patience is 3 and the plateau",
    ),
    (
        f"{TAGGING}train:\n  schedule: {{kind: plateau}}\ntune: {{trials: 2, retrain: true}}\n",
        6,
        r"train\.schedule: plateau watches the validation split, and tune\.retrain trains on it",
    ),
    (
        PAIRS.replace("translation", "translation\n  scheduled_sampling: 0.5")
        + "tune: {trials: 2, retrain: true}\n",
        4,
        r"task\.scheduled_sampling: it rises until the last epoch, and tune\.retrain ends at the",
    ),
    (
        f"{TAGGING}model: {{bidirectional: true}}\ntrain: {{bptt: 5}}\n",
        6,
        r"train\.bptt: a backward direction begins at the end, which a window has not seen",
    ),
    (
        f"{FORECASTING}train: {{bptt: 5}}\n",
        8,
        r"train\.bptt: forecasting has no use for it, only a network with an answer at every",
    ),
    (
        LANGUAGE.replace("modeling", "modeling, state: carried"),
        2,
        r"task\.state: a state is carried from window to window; set train\.bptt",
    ),
    (
        LANGUAGE.replace("modeling", "modeling, state: carried")
        + "  max_length: 9\ntrain: {bptt: 5}\n",
        5,
        r"data\.max_length: the text is read in windows of train\.bptt steps; leave it out",
    ),
    (
        LANGUAGE.replace("modeling", "modeling, state: carried")
        + "  padding: pre\ntrain: {bptt: 5}\n",
        5,
        r"data\.padding: streams are read to their ends and need no padding; leave it out",
    ),
    (
        f"{TAGGING}model: {{tied: true}}\n",
        5,
        r"model\.tied: the head can share the weights of an embedding alone, and its outputs",
    ),
    (
        f"{LANGUAGE}model: {{tied: true, hidden: 32}}\n",
        5,
        r"model\.tied: the embedding's size and model\.hidden must be equal, got 64 and 32",
    ),
    (
        FORECASTING.replace("forecasting", "forecasting, relative_to: season"),
        2,
        r"task\.relative_to: a season of 1 row is the last value; set task\.season, or write last",
    ),
    (
        FORECASTING.replace("forecasting", "forecasting, relative_to: season, season: 97"),
        3,
        r"data\.window: the season before must lie in the window, and it has 97 rows, the window",
    ),
    (
        TAGGING.replace("builtin, name: python_tokens", "conll, path: a")
        + "  split: {kind: column}\n",
        5,
        r"data\.split: this source has no columns; choose fractions or files",
    ),
    (f"{TAGGING}  window: 5\n", 5, r"data\.window: tagging has no use for it, only a series is"),
    (
        f"{TAGGING}  scaling: none\n",
        5,
        r"data\.scaling: this source gives tokens, and nothing is scaled; leave it out",
    ),
    (f"{LANGUAGE}  scaling: none\n", 5, r"data\.scaling: language_modeling has no use for it, on"),
    (
        STRETCHES.replace("tagging", "classification").replace("per_frame", "per_sequence"),
        4,
        r"data\.source\.sequence: a label per sequence needs the column whose equal values are one",
    ),
    (
        STRETCHES.replace("tagging", "regression, per: frame").replace(
            "_frame}", "_frame, label: []}"
        ),
        4,
        r"data\.source\.label: name at least one column, and each once",
    ),
    (
        STRETCHES.replace("tagging", "regression, per: frame").replace(
            "_frame}", "_frame, label: y, columns: [x, y]}"
        ),
        4,
        r"data\.source\.columns: the network would read what it predicts, y; leave it out",
    ),
    (
        STRETCHES.replace("per_frame", "per_frame, group: who"),
        4,
        r"data\.source\.group: one long sequence has no groups; leave it out, or name data",
    ),
    (
        STRETCHES.replace("{kind: time}", "{kind: fractions}"),
        5,
        r"data\.split: one long sequence is cut into stretches, and a hash would put neighbours on",
    ),
    (
        STRETCHES.replace("{kind: time}", "{kind: time, test: 2024-01-01}"),
        5,
        r"data\.split: a moment needs the frames' time; name data\.source\.time, or give shares",
    ),
    (
        STRETCHES.replace("per_frame", "per_frame, timezone: Europe/Berlin"),
        4,
        r"data\.source\.timezone: the frames have no time; name data\.source\.time",
    ),
    (
        STRETCHES.replace("per_frame", 'per_frame, time: t, time_unit: days, time_format: "%Y"'),
        4,
        r"data\.source\.time_unit: it is for times that are numbers, and data\.source\.time_form",
    ),
    (
        STRETCHES.replace("per_frame", "per_frame, time_unit: days"),
        4,
        r"data\.source\.time_unit: the frames have no time; name data\.source\.time",
    ),
    (
        FORECASTING.replace(
            "builtin, name: sunspots", "table, path: a.csv, gaps: keep, frequency: B"
        ),
        4,
        r"data\.source\.frequency: with gaps: keep the rows are the steps and have no grid; leave",
    ),
    (
        STRETCHES.replace("per_frame", "per_frame, sequence: id"),
        5,
        r"data\.split: a series is split by time, and nothing else is; choose fractions, files or",
    ),
    (
        f"{TAGGING}  covariates: {{calendar: [hour]}}\n",
        5,
        r"data\.covariates: tagging has no use for it, only a series has covariates",
    ),
    (
        FORECASTING.replace("  split", "  covariates: {past: [x, y], future: [x]}\n  split"),
        5,
        r"data\.covariates: a column is a target, known ahead or known in the past alone, and x wo",
    ),
    (
        FORECASTING.replace("  split", "  covariates: {calendar: [month]}\n  split")
        + "  readout: mean\n",
        9,
        r"model\.readout: with covariates known ahead every step of the horizon is read out",
    ),
    (
        FORECASTING.replace("forecasting}", "forecasting, quantiles: [0.2, 0.5, 0.8]}"),
        2,
        r"task\.quantiles: only the quantile loss forecasts them; write task\.loss: quantile",
    ),
    (
        FORECASTING.replace("forecasting}", "forecasting, loss: quantile, interval: 0.8}"),
        2,
        r"task\.interval: with the quantile loss the interval lies between the outermost of",
    ),
    (
        FORECASTING.replace("forecasting}", "forecasting, lower: 1.0, upper: 0.0}"),
        2,
        r"task\.lower: must lie below task\.upper, 0, got 1",
    ),
    (
        FRAMES.replace("model:", "  scaling: log\nmodel:"),
        5,
        r"data\.scaling: log is for the targets of forecasting; choose standard or minmax",
    ),
    (
        FORECASTING.replace("model:", "  max_length: 5\nmodel:"),
        6,
        r"data\.max_length: forecasting has no use for it, a series has windows, whose length is",
    ),
    (
        FORECASTING.replace("model:", "  padding: pre\nmodel:"),
        6,
        r"data\.padding: forecasting has no use for it, windows are all equally long",
    ),
    (
        f"{TAGGING}  split: {{kind: time}}\n",
        5,
        r"data\.split: a series is split by time, and nothing else is; choose fractions, files or",
    ),
    (
        FORECASTING.replace("{kind: time}", "{kind: fractions}"),
        5,
        r"data\.split: a series is split by time, and nothing else is; write split: \{kind: time\}",
    ),
    (
        f"{TAGGING}  split: {{kind: files, test: a}}\n",
        5,
        r"data\.split: built-in data is one piece; choose fractions",
    ),
    (
        f"{TAGGING}  split: {{kind: column}}\n",
        5,
        r"data\.split: this source has no columns; choose fractions$",
    ),
    (
        f"{LANGUAGE}  split: {{kind: column}}\n",
        5,
        r"data\.split: this source has no columns; choose fractions or files$",
    ),
    (
        f"{TAGGING}train: {{monitor: valid/perplexity}}\n",
        5,
        r"train\.monitor: must be one of valid/loss, .*got 'valid/perplexity'",
    ),
    (
        f"{TAGGING}model: {{cell: {{kind: custom, module: 'a:B'}}}}\ntrain: {{kernel: numba}}\n",
        6,
        r"train\.kernel: numba has no step of your own cell; leave it out",
    ),
    (
        f"{TAGGING}model: {{cell: {{kind: rnn, activation: sigmoid}}}}\ntrain: {{kernel: torch}}\n",
        6,
        r"train\.kernel: torch has no sigmoid network; write numba, or leave it out",
    ),
]


@pytest.mark.parametrize(("content", "line", "message"), RULES)
def test_blocks_that_do_not_fit_are_refused(
    write: Write, content: str, line: int, message: str
) -> None:
    assert re.match(rf"a\.yaml:{line}: {message}", refusal(write(content)))


@pytest.mark.parametrize(
    "content",
    [
        f'{RECORDINGS}    text: digit\n    names: "{{digit}}_{{take}}.wav"\n',
        f"{RECORDINGS}    group: a\n",
        f"{RECORDINGS}    group: a\n  split: {{kind: files, valid: 0.2, test: b}}\n",
        f'{RECORDINGS}    group: a\n    join: {{}}\n  split: {{kind: names, test: "b*"}}\n',
        f'{PAIRS[:-2]} "a.{{de,en}}"\n    source: de\n  split: {{kind: files, test: b.tsv}}\n',
        f"{PAIRS}    source: de\n    header: false\n    format: tsv\n",
        f"{PAIRS}    group: a\n",
    ],
)
def test_what_has_an_effect_is_let_in(write: Write, content: str) -> None:
    load(write(content))


def violated(file: Path) -> tuple[str, int]:
    """The file and line of the first violated rule."""
    every = rules(UncheckedExperiment.model_validate(read(file).values))
    assert next(every)
    rule: Any = every
    while rule.gi_yieldfrom is not None:
        rule = rule.gi_yieldfrom
    return Path(rule.gi_code.co_filename).name, rule.gi_frame.f_lineno


def test_every_rule_between_blocks_is_in_the_table_above(write: Write) -> None:
    """Every `yield` of a message is reached by a row above."""
    raised = {violated(write(content)) for content, _, _ in RULES}
    for module in (of_blocks, of_sources):
        file = Path(module.__file__ or "")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Yield):
                lines = range(node.lineno, (node.end_lineno or 0) + 1)
                assert any((file.name, line) in raised for line in lines), ast.unparse(node)


def test_every_key_without_effect_is_in_the_table_above(write: Write) -> None:
    raised = [message.replace("\\", "") for _, _, message in RULES]
    for content in (TAGGING, FORECASTING, LANGUAGE, STRETCHES, PAIRS, RECORDINGS):
        for path in load(write(content)).task.unused:
            assert any(m.startswith(f"{path}:") and "no use for it" in m for m in raised), path
