"""Comparisons: members, items, the paired bootstrap and the table."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from compared_params import TREE
from pydantic import ValidationError

from rnnkit.errors import InputError
from rnnkit.evaluation.comparison.bootstrap import difference
from rnnkit.evaluation.comparison.members import members
from rnnkit.metrics import TextMeter
from rnnkit.params import Experiment
from rnnkit.params.variants import FIXED
from rnnkit.report.page import render
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import predictions_of
from rnnkit.tasks.predictions import Measured, one_measure


def test_every_variant_is_run_with_every_seed_and_as_if_it_stood_alone() -> None:
    variants = {"gru": {}, "lstm": {"model.cell.kind": "lstm"}}
    both = Experiment.model_validate({**TREE, "variants": variants, "seeds": [3, 5]})
    each = members(both)
    assert [(m.variant, m.experiment.seed) for m in each] == [
        ("gru", 3), ("gru", 5), ("lstm", 3), ("lstm", 5),
    ]  # fmt: skip
    alone = Experiment.model_validate({**TREE, "seed": 5, "model": {"cell": {"kind": "lstm"}}})
    assert each[3].experiment == alone
    assert RunFolder.identity(alone, "d", "", 0) == RunFolder.identity(
        each[3].experiment, "d", "", 0
    )
    seeds = members(Experiment.model_validate({**TREE, "seeds": [0, 1]}))
    assert [(m.variant, m.experiment.seed) for m in seeds] == [("base", 0), ("base", 1)]
    with pytest.raises(InputError, match="there is nothing to compare; give variants, as"):
        members(Experiment.model_validate(TREE))


REFUSED = [
    *(
        ({"variants": {"a": {path: None}}}, f"variants.a.{path}: {why}")
        for path, why in FIXED.items()
    ),
    ({"variants": {"a": {"data.split.test": 0.3}}}, "variants.a.data.split.test: variants are"),
    (
        {"variants": {"a": {}}, "tune": {}},
        "variants: a comparison trains each variant as it stands",
    ),
    ({"seeds": [1], "tune": {}}, "seeds: a comparison trains each variant as it stands"),
    ({"seeds": [1, 1]}, "seeds must be distinct, got 1, 1"),
    ({"variants": {"a": {"model.hiden": 3}}}, "variants.a: there is no key model.hiden"),
    (
        {"variants": {"a": {"model.cell.hidden": 3}}},
        "variants.a: there is no key model.cell.hidden; write model.hidden",
    ),
    ({"variants": {"a": {"model.hidden": 0}}}, "variants.a: model.hidden: Input should be"),
    ({"variants": {"a": {"model": {"x": 0}}}}, "variants.a: there is no key model.x"),
    ({"variants": {"a": {"model.cell": {"kind": "x"}}}}, "a: model.cell: there are rnn, lstm,"),
    (
        {"variants": {"a": {"model.bidirectional": True, "train.bptt": 5}}},
        "variants.a: train.bptt: a backward direction",
    ),
]


def test_language_models_of_other_tokens_are_not_compared() -> None:
    tree = {
        "name": "x",
        "task": {"kind": "language_modeling"},
        "data": {"source": {"kind": "text", "path": "a.txt"}},
        "variants": {"a": {}, "b": {"data.tokenizer.kind": "bpe"}},
    }
    with pytest.raises(ValidationError, match=r"variants\.b: .*: perplexities of other"):
        Experiment.model_validate(tree)


@pytest.mark.parametrize(
    ("kind", "override", "message"),
    [
        (
            "translation",
            {"data.tokenizer.lowercase": True},
            "b: not comparable with a: the reference te",
        ),
        (
            "translation",
            {"data.target_tokenizer": {"kind": "words", "split": "punctuation"}},
            "reference texts would differ",
        ),
        ("translation", {"data.tokenizer.kind": "bpe"}, None),  # edits of words are compared
        ("captioning", {"data.tokenizer.kind": "bpe"}, "loss is per token"),  # and here nats
        ("captioning", {"model.hidden": 9}, None),
    ],
)
def test_variants_write_texts_that_can_be_compared(
    kind: str, override: dict[str, Any], message: str | None
) -> None:
    source = {"kind": "pairs" if kind == "translation" else "labelled_text", "path": "a.tsv"}
    tree = {
        "name": "x",
        "task": {"kind": kind},
        "data": {"source": source},
        "variants": {"a": {}, "b": override},
    }
    if message is None:
        Experiment.model_validate(tree)
        return
    with pytest.raises(ValidationError, match=message):
        Experiment.model_validate(tree)


@pytest.mark.parametrize(("more", "message"), REFUSED)
def test_a_comparison_that_cannot_be_made_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Experiment.model_validate({**TREE, **more})
    assert message in str(refusal.value)


SOURCES: dict[str, dict[str, Any]] = {
    "classification": {"kind": "labelled_text", "path": "a.csv"},
    "tagging": {"kind": "tokens", "path": "a.jsonl"},
    "language_modeling": {"kind": "text", "path": "a.txt"},
    "captioning": {"kind": "labelled_text", "path": "a.csv"},
    "transcription": {"kind": "builtin", "name": "touch_tones"},
    "translation": {"kind": "pairs", "path": "a.tsv"},
    "music": {"kind": "piano_rolls", "path": "a.json"},
    "memory": {"kind": "generated"},
    "forecasting": {"kind": "table", "path": "a.csv"},
    "vector": {"kind": "vectors", "path": "a.csv"},
}
READS_NUMBERS = ("transcription", "music", "memory", "forecasting", "vector")
VECTORS = {"kind": "builtin", "name": "spelled_digits"}
TEXT = {"right": False, "confidence": -1.0, "length": 4}
"""Columns that no measure reads."""


def measured(
    kind: str, columns: Any, *, source: dict[str, Any] | None = None, **task: Any
) -> Measured:
    """What a task makes of a table of predictions."""
    tree: dict[str, Any] = {
        "name": "x",
        "task": {"kind": kind, **task},
        "data": {"source": source or SOURCES[kind]},
    }
    if kind == "forecasting":
        tree["data"]["split"] = {"kind": "time"}
    if kind in READS_NUMBERS or source == VECTORS:
        tree["model"] = {"representation": {"kind": "raw"}}
    return predictions_of(Experiment.model_validate(tree), pandas.DataFrame(columns)).measured()


PREDICTIONS: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, dict[int, Any]]]] = {
    "classification": (
        {"kind": "classification"},
        {"item": [4, 2], "truth": ["a", "b"], "predicted": ["a", "a"], "probability": [0.9, 0.5]},
        ("accuracy", {2: (0, 1), 4: (1, 1)}),
    ),
    "tagging": (
        {"kind": "tagging"},
        {"item": [1, 7], "truth": [["a", "b"], ["c"]], "predicted": [["a", "a"], ["c"]]},
        ("accuracy", {1: (1, 2), 7: (1, 1)}),
    ),
    "entities": (
        {"kind": "tagging"},
        {"item": [1, 7, 8], "truth": [["B-P", "I-P", "O"], ["B-L"], ["O"]],
         "predicted": [["B-P", "I-P", "B-L"], ["O"], ["O"]]},
        ("f1", {1: (2, 3), 7: (0, 1), 8: (0, 0)}),
    ),
    "language modelling": (
        {"kind": "language_modeling"},
        {"item": [0, 0, 1], "tokens": [2, 3, 4], "log_probability": [-1.0, -2.0, -8.0]},
        ("loss", {0: (3, 5), 1: (8, 4)}),
    ),
    "captions of categories": (
        {"kind": "captioning"},
        {"item": [0, 1], "truth": ["ann", "bo"], "predicted": ["ada", "ada"], "tokens": [4, 3],
         "log_probability": [-6.0, -2.0], "category": ["a", "b"], **TEXT},
        ("loss", {0: (6, 4), 1: (2, 3)}),
    ),
    "captions of vectors": (
        {"kind": "captioning", "source": VECTORS},
        {"item": [0, 1, 2], "truth": ["a b c d", "a b c d", "a"], "tokens": [4, 4, 1],
         "predicted": ["a b c x", "z z z z z", ""], "log_probability": [-1.0, -1.0, -1.0], **TEXT},
        ("wer", {0: (1, 4), 1: (5, 4), 2: (1, 1)}),
    ),
    "transcription": (
        {"kind": "transcription"},
        {"item": [0, 1, 2], "truth": ["a b c d", "a b c d", "a"], "tokens": [4, 4, 1],
         "predicted": ["a b c x", "z z z z z", ""], "log_probability": [-1.0, -1.0, -1.0],
         "path": ["", "", ""], **TEXT},
        ("wer", {0: (1, 4), 1: (5, 4), 2: (1, 1)}),
    ),
    "translation with several references": (
        {"kind": "translation"},
        {"item": [5, 6, 7], "asked": ["1 2", "3", "1 2"], "truth": ["a b", "c", "a b c d"],
         "predicted": ["a b x", "c", "a b x"], "tokens": [2, 1, 4],
         "log_probability": [-1.0, -1.0, -1.0], **TEXT},
        ("wer", {5: (0.5, 1), 6: (0, 1), 7: (0.5, 1)}),  # 5 and 7 are one
    ),
    "music": (
        {"kind": "music"},
        {"item": [0], "frames": [2], "log_probability": [-9.0]},
        ("loss", {0: (9, 2)}),
    ),
    "memory": (
        {"kind": "memory"},
        {"item": [0, 0], "lag": [1, 1], "truth": ["a", "b"], "predicted": ["a", "c"],
         "right": [True, False]},
        ("accuracy", {0: (1, 2)}),
    ),
    "forecasting": (
        {"kind": "forecasting"},
        {"row": [5, 6, 6, 7], "step": [1, 2, 1, 2], "truth y": [1.0, 2.0, 3.0, 4.0],
         "forecast y": [2.0, 2.0, 3.0, 6.0]},
        ("mae", {5: (1, 2), 6: (2, 2)}),
    ),
    "vectors with a label": (
        {"kind": "vector"},
        {"item": [3], "truth": ["a"], "predicted": ["b"], "probability": [0.6]},
        ("accuracy", {3: (0, 1)}),
    ),
    "vectors of numbers": (
        {"kind": "vector", "loss": "squared"},
        {"item": [3], "truth a": [1.0], "truth b": [1.0], "predicted a": [2.0],
         "predicted b": [0.5]},
        ("mae", {3: (1.5, 2)}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_each_tasks_predictions_say_what_every_item_cost(kind: str) -> None:
    task, columns, (name, expected) = PREDICTIONS[kind]
    found = measured(**task, columns=columns)
    assert found.name == name
    items = {item: (row["total"], row["weight"]) for item, row in found.items.iterrows()}
    assert items == expected


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_a_table_of_another_version_is_refused(kind: str) -> None:
    task, columns, _ = PREDICTIONS[kind]
    first = next(iter(columns))
    lacking = {name: values for name, values in columns.items() if name != first}
    with pytest.raises(InputError, match=f"^the predictions of {task['kind']} must have a column"):
        measured(**task, columns=lacking)


def test_several_series_have_items_of_their_own() -> None:
    table = {"row": [5, 5], "step": [1, 1], "series": ["a", "b"], "truth y": [1.0, 1.0]}
    found = measured("forecasting", {**table, "forecast y": [2.0, 4.0]})
    assert found.items["total"].to_dict() == {("a", 5): 1.0, ("b", 5): 3.0}


def frame(totals: "np.ndarray[Any, Any]") -> pandas.DataFrame:
    return pandas.DataFrame({"total": totals.astype(float), "weight": 1.0})


def test_the_bootstraps_interval_is_that_of_the_normal_approximation() -> None:
    random = np.random.default_rng(0)
    a, b = random.random(3000) < 0.8, random.random(3000) < 0.7
    found = difference("accuracy", [frame(a)], [frame(b)], block=1, seed=0)
    each = a.astype(float) - b.astype(float)
    assert found.value == pytest.approx(each.mean())
    half = 1.96 * each.std() / np.sqrt(len(each))
    assert found.low == pytest.approx(each.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(each.mean() + half, abs=0.1 * half)
    assert found.verdict == "better"
    back = difference("accuracy", [frame(b)], [frame(a)], block=1, seed=0)
    assert (back.value, back.verdict) == (-found.value, "worse")
    lower = difference("loss", [frame(b)], [frame(a)], block=1, seed=0)
    assert lower.verdict == "better"  # a lower loss is a better one


def test_what_two_seeds_of_one_network_differ_by_is_rarely_called_better() -> None:
    random = np.random.default_rng(1)
    called = 0
    for trial in range(200):
        a, b = random.random(300) < 0.7, random.random(300) < 0.7
        found = difference("accuracy", [frame(a)], [frame(b)], block=1, seed=trial)
        called += found.verdict == "better"
    assert called <= 12  # 2.5 % of 200 is 5; more than 12 has a probability of 0.3 %


def test_blocks_widen_the_interval_of_windows_that_overlap() -> None:
    random = np.random.default_rng(2)
    noise = np.convolve(random.normal(size=1023), np.ones(24), mode="valid")
    single = difference("mae", [frame(noise)], [frame(0 * noise)], block=1, seed=0)
    blocks = difference("mae", [frame(noise)], [frame(0 * noise)], block=24, seed=0)
    assert blocks.high - blocks.low > 3 * (single.high - single.low)


def test_seeds_are_averaged_item_by_item() -> None:
    ours = [frame(np.array([1, 0, 1])), frame(np.array([1, 1, 1]))]
    found = difference("accuracy", ours, [frame(np.array([0, 0, 1]))], block=1, seed=0)
    assert found.value == pytest.approx(5 / 6 - 1 / 3)
    assert found.items == 3


def test_runs_tested_on_different_items_are_refused() -> None:
    with pytest.raises(InputError, match=r"tested on different items \(3 and 2\); compare runs"):
        difference("mae", [frame(np.ones(3))], [frame(np.ones(2))], block=1, seed=0)


def test_runs_that_answer_other_parts_or_have_other_measures_are_refused() -> None:
    longer = frame(np.ones(3)).assign(weight=2.0)
    with pytest.raises(
        InputError, match=r"different positions of the same items \(3 and 6 in all\); compare"
    ):
        difference("loss", [frame(np.ones(3))], [longer], block=1, seed=0)
    with pytest.raises(InputError, match="the runs are measured by loss and wer; compare runs of"):
        one_measure(["wer", "loss", "wer"])
    assert one_measure(["wer", "wer"]) == "wer"


LETTERS = "abcdefgh"


def written(seed: int, wrong: float, references: int) -> pandas.DataFrame:
    """Predictions for 60 sources, each with so many references that are alike."""
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for source in range(60):
        truth = np.random.default_rng(source).choice(list(LETTERS), size=3 + source % 5)
        heard = ["x" if random.random() < wrong else letter for letter in truth]
        for _ in range(references):
            row = {"item": len(rows), "asked": str(source), "truth": " ".join(truth)}
            rows.append({**row, "predicted": " ".join(heard), **TEXT})
    return pandas.DataFrame(rows)


def test_a_better_writer_is_told_from_a_worse_one_where_neither_gets_a_sentence_right() -> None:
    ours, theirs = written(1, 0.5, 1), written(2, 0.9, 1)
    assert (ours["truth"] == ours["predicted"]).mean() < 0.1
    both = [measured("translation", predictions) for predictions in (ours, theirs)]
    assert [each.name for each in both] == ["wer", "wer"]
    found = difference("wer", [both[0].items], [both[1].items], block=1, seed=0)
    assert found.verdict == "better"
    assert found.items == 60
    rates = []
    for predictions in (ours, theirs):
        meter = TextMeter("none")
        texts = (predictions[column].tolist() for column in ("asked", "predicted", "truth"))
        meter.update(*texts)
        rates.append(meter.compute()["wer"])
    assert found.value == pytest.approx(rates[0] - rates[1])


@pytest.mark.parametrize("references", [1, 3])
def test_translations_are_compared_by_the_corpuss_bleu_too(references: int) -> None:
    ours, theirs = written(1, 0.3, references), written(2, 0.6, references)
    tree = {
        "name": "x",
        "task": {"kind": "translation"},
        "data": {"source": SOURCES["translation"]},
    }
    it = Experiment.model_validate(tree)
    both = [predictions_of(it, table) for table in (ours, theirs)]
    assert both[0].compared == ("wer", "bleu")
    items = [side.measured("bleu").items for side in both]
    found = difference("bleu", items[:1], items[1:], block=1, seed=0)
    scores = []
    for table in (ours, theirs):
        meter = TextMeter("13a")
        meter.update(*(table[column].tolist() for column in ("asked", "predicted", "truth")))
        scores.append(meter.compute()["bleu"])
    assert found.value == pytest.approx(scores[0] - scores[1])
    assert 0 < found.low < found.value < found.high
    assert (found.verdict, found.items) == ("better", 60)


def test_an_f1_is_that_of_all_sentences() -> None:
    from seqeval.metrics import f1_score

    random = np.random.default_rng(0)
    truth = [list(random.choice(["O", "B-P", "I-P", "B-L"], size=6)) for _ in range(50)]
    predicted = [[t if random.random() < 0.8 else "O" for t in tags] for tags in truth]
    columns = {"item": range(50), "truth": truth, "predicted": predicted}
    items = measured("tagging", columns).items
    assert items["total"].sum() / items["weight"].sum() == pytest.approx(f1_score(truth, predicted))
    nothing = measured("tagging", {**columns, "predicted": [["O"] * 6] * 50}).items
    found = difference("f1", [items], [nothing], block=1, seed=0)
    assert found.verdict == "better"
    assert found.value == pytest.approx(f1_score(truth, predicted))


@pytest.mark.parametrize(("items", "block"), [(4, 1), (9, 2)])
def test_items_too_few_for_an_interval_are_undecided(items: int, block: int) -> None:
    found = difference("mae", [frame(np.zeros(items))], [frame(np.ones(items))], block, seed=0)
    assert (found.value, found.verdict, found.has_interval) == (-1, "undecided", False)
    zeros, ones = frame(np.zeros(items + 1)), frame(np.ones(items + 1))
    assert difference("mae", [zeros], [ones], block, seed=0).verdict == "better"


def test_several_references_of_a_source_are_no_more_evidence_than_one() -> None:
    found = [
        difference(
            "wer",
            [measured("translation", written(1, 0.5, references)).items],
            [measured("translation", written(2, 0.9, references)).items],
            block=1,
            seed=0,
        )
        for references in (1, 4)
    ]
    assert found[0] == found[1]


def test_text_from_data_is_escaped() -> None:
    name = "<script>alert(1)</script>"
    page = render(
        "comparison.html", title=name, told=name, verdicts=[name], rows=[{name: name}],
        pictures={}, differing=[{name: name}], runs=[{"text": name}],
    )  # fmt: skip
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 7


def test_a_forecasts_neighbouring_windows_are_drawn_together(tmp_path: Path) -> None:
    tree = {
        "name": "f",
        "task": {"kind": "forecasting", "horizon": 7, "season": 11, "targets": ["sunspots"]},
        "data": {
            "source": {"kind": "builtin", "name": "sunspots"},
            "split": {"kind": "time"},
            "window": 20,
        },
        "model": {"representation": {"kind": "raw"}},
    }
    run = RunFolder(tmp_path / "run")
    run.create(Experiment.model_validate(tree), {})
    assert run.experiment.task.window_overlap == 7
    assert Experiment.model_validate(TREE).task.window_overlap is None
