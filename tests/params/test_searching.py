"""What a search may be: each rule of rnnkit/params/searching.py is raised here, by its message."""

from typing import Any

import pytest
from pydantic import ValidationError

from rnnkit.params import Experiment
from rnnkit.params.searching import all_points, grid, is_whole
from rnnkit.params.tune import Range

CLIP = {"low": 1, "high": 10}
DEPTH = {"low": 1, "high": 3}
TREE = {
    "name": "x",
    "task": {"kind": "tagging"},
    "data": {
        "source": {"kind": "builtin", "name": "python_tokens"},
        "tokenizer": {"kind": "characters"},
    },
}


def experiment(**tune: object) -> Experiment:
    return Experiment.model_validate({**TREE, "tune": {"trials": 2, **tune}})


WHEN_OTHER = {"model.depth": {"low": 1, "high": 2, "when": {"model.hidden": 8}}}
KIND = {"model.cell.kind": {"choices": ["rnn", "gru"]}}
ONLY_RNN = {"choices": ["tanh"], "when": {"model.cell.kind": "rnn"}}
REFUSED = [
    ({"search": {"name": {"choices": ["a"]}}}, "search.name: only keys of model, train and data"),
    ({"search": {"data.split.test": CLIP}}, "data.split.test: trials on other splits could not"),
    (
        {"search": {"data.source.path": {"choices": ["a"]}}},
        "data.source.path: trials on other data",
    ),
    ({"search": {"data.limit": CLIP}}, "data.limit: trials on other data could not be compared"),
    (
        {"search": {"train.monitor": {"choices": ["valid/f1"]}}},
        "train.monitor: says what best means",
    ),
    ({"search": WHEN_OTHER}, "model.depth.when.model.hidden: is not searched, so it never changes"),
    (
        {
            "search": {
                **KIND,
                "model.cell.activation": ONLY_RNN,
                "model.depth": {**CLIP, "when": {"model.cell.activation": "tanh"}},
            }
        },
        "model.depth.when.model.cell.activation: has a condition itself",
    ),
    (
        {"search": {**KIND, "model.depth": {**CLIP, "when": {"model.cell.kind": "lstm"}}}},
        "model.depth.when.model.cell.kind: is never 'lstm'; its choices are rnn, gru",
    ),
    (
        {"search": {"model.hidden": {**CLIP, "when": {"model.depth": 9}}, "model.depth": DEPTH}},
        "model.hidden.when.model.depth: is never 9; its whole numbers go from 1 to 3",
    ),
    (
        {"search": {"model.depth": DEPTH, "model.hidden": {**CLIP, "when": {"model.depth": 1.5}}}},
        "model.hidden.when.model.depth: is never 1.5; its whole numbers go from 1 to 3",
    ),
    (
        {"search": {"train.clip": CLIP, "model.depth": {**DEPTH, "when": {"train.clip": 5}}}},
        "model.depth.when.train.clip: no trial has one exact value of a range; give train.clip",
    ),
    (
        {
            "search": {
                "train.clip": {"percentiles": [1, 9]},
                "model.depth": {**DEPTH, "when": {"train.clip": 5}},
            }
        },
        "model.depth.when.train.clip: no trial has one exact value of a range; give train.clip",
    ),
    (
        {"search": {"model.hidden": {"choices": [4, 4]}}},
        "choices must be distinct, got 4, 4",
    ),
    (
        {"search": {"model.depth": {**DEPTH, "when": {"model.nothing": 1}}, "model.nothing": CLIP}},
        "model.nothing: there is no such key",
    ),
    (
        {"search": {"model.depth": {"percentiles": [1, 9]}}},
        "percentiles are of gradient norms, for",
    ),
    (
        {"search": {"train.clip": {"percentiles": [9, 1]}}},
        "percentiles are two of 0 to 100 in order",
    ),
    ({"search": {"model.depth": {"low": 1.5, "high": 3}}}, "model.depth: takes whole numbers, got"),
    ({"search": {"model.nothing": CLIP}}, "model.nothing: there is no such key"),
    ({"search": {"model.dropout": CLIP}}, "model.dropout: cannot be 1"),
    ({"sampler": {"points": 3}}, "tune.sampler.points: only a grid has points, not tpe"),
    (
        {"sampler": {"kind": "grid"}, "search": {**KIND, "model.cell.activation": ONLY_RNN}},
        "model.cell.activation.when: grid searches all keys in every trial",
    ),
    (
        {"sampler": {"kind": "cmaes"}, "search": KIND},
        "cmaes searches two or more ranges, and model.cell.kind is a list",
    ),
    (
        {"sampler": {"kind": "cmaes"}, "search": {"train.clip": CLIP}},
        "cmaes searches two or more ranges, and there is one",
    ),
    (
        {"sampler": {"kind": "grid"}, "trials": 17},
        "tune.trials: the grid has 16 points, got 17; write trials: 16",
    ),
    (
        {"search": {"model.hidden": {"low": 8, "high": 30, "step": 8}}},
        "high must be low plus a multiple of step 8, got 8 to 30; write high: 24 or 32",
    ),
    (
        {"search": {"train.clip": {"low": 1, "high": 2, "step": 1.5}}},
        "high must be low plus a multiple of step 1.5, got 1 to 2; write high: 2.5",
    ),
    (
        {"search": {"train.clip": {"low": 1, "high": 2, "step": 0.5, "log": True}}},
        "a log range has no step; leave out log or step, or list choices",
    ),
    (
        {"search": {"train.clip": {"low": 1, "high": 2, "step": 1e-9}}},
        "a range has at most 10,000 steps, got 1,000,000,000",
    ),
    ({"search": {"train.clip": {"low": 1, "high": 2, "step": 0}}}, "greater than 0"),
    (
        {"search": {"model.depth": {"low": 1, "high": 2, "step": 0.5}}},
        "model.depth: takes whole numbers, got low: 1, high: 2, step: 0.5",
    ),
    (
        {
            "search": {
                "model.hidden": {"low": 8, "high": 16, "step": 4},
                "model.depth": {**DEPTH, "when": {"model.hidden": 9}},
            }
        },
        "model.depth.when.model.hidden: is never 9; its values go from 8 to 16 by 4",
    ),
    ({"confirm_seeds": 3}, "tune.confirm_seeds: are the seeds of trials that tune.confirm names"),
    ({"confirm": 3}, "tune.confirm: there are 2 trials, got 3; write fewer"),
    (
        {"confirm": 2, "confirm_seeds": 3, "seeds": 3},
        "tune.confirm_seeds: every trial is trained with 3 seeds already, got 3; write more",
    ),
    (
        {"pruner": {"kind": "wilcoxon"}, "seeds": 3},
        "tune.pruner: wilcoxon compares trials over their seeds and needs tune.seeds of at least 4",
    ),
]


@pytest.mark.parametrize(("tune", "message"), REFUSED)
def test_a_search_that_does_not_fit_is_refused(tune: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        experiment(**tune)
    assert message in str(refusal.value)


def test_a_condition_may_be_any_value_that_a_range_of_whole_numbers_has() -> None:
    for depth in (1, 3):
        deep = {"low": 8, "high": 9, "when": {"model.depth": depth}}
        tune = experiment(search={"model.hidden": deep, "model.depth": DEPTH}).tune
        assert tune is not None
        assert tune.search["model.hidden"].when == {"model.depth": depth}


def test_a_range_with_a_step_has_these_values_alone() -> None:
    search = {
        "model.dropout": {"low": 0.1, "high": 0.4, "step": 0.1},
        "model.hidden": {"low": 8, "high": 24, "step": 8},
        "train.clip": {"low": 1, "high": 3, "step": 2, "when": {"model.dropout": 0.3}},
    }
    given = experiment(search=search)
    points = [*(all_points(given) or ())]
    assert {point["model.dropout"] for point in points} == {0.1, 0.2, 0.3, 0.4}
    assert {point["model.hidden"] for point in points} == {8, 16, 24}
    clips = {repr(p["train.clip"]) for p in points if "train.clip" in p}
    assert clips == {"1.0", "3.0"}  # as a trial has them, whose key takes fractions
    assert len(points) == 3 * 3 + 3 * 2
    del search["train.clip"]
    whole = experiment(search=search, sampler={"kind": "grid"}, trials=12)
    assert whole.tune is not None
    assert len(grid(whole.replace({"tune": None}), whole.tune)) == 12


def test_tokens_of_a_language_model_stay_as_they_are() -> None:
    tree = {
        "name": "x",
        "task": {"kind": "language_modeling"},
        "data": {"source": {"kind": "builtin", "name": "python_docs"}},
        "tune": {"search": {"data.tokenizer.lowercase": {"choices": [True, False]}}},
    }
    with pytest.raises(ValidationError, match="perplexities of other tokens could not be"):
        Experiment.model_validate(tree)


@pytest.mark.parametrize(
    ("path", "choices", "monitor", "message"),
    [
        (
            "data.tokenizer.kind",
            ["words", "bpe"],
            "loss",
            "loss is per token, and the tokens would",
        ),
        ("data.joint", [True, False], "accuracy", "accuracy is per token, and the tokens would d"),
        ("data.tokenizer.vocabulary", [50, 90], "perplexity", "use a measure of whole texts"),
        ("data.tokenizer.lowercase", [True, False], "bleu", "the reference texts would differ"),
        ("data.tokenizer.split", ["spaces", "punctuation"], "wer", "reference texts would differ"),
        ("data.tokenizer.kind", ["words", "bpe"], "bleu", None),
        ("data.tokenizer.split", ["spaces", "whitespace"], "wer", None),
        ("model.depth", [1, 2], "loss", None),
    ],
)
def test_tokens_that_are_written_are_searched_by_what_does_not_depend_on_them(
    path: str, choices: list[Any], monitor: str, message: str | None
) -> None:
    tree = {
        "name": "x",
        "task": {"kind": "translation"},
        "data": {"source": {"kind": "builtin", "name": "dates"}},
        "train": {"monitor": f"valid/{monitor}"},
        "tune": {"search": {path: {"choices": choices}}},
    }
    if message is None:
        Experiment.model_validate(tree)
        return
    with pytest.raises(ValidationError, match=message):
        Experiment.model_validate(tree)


@pytest.mark.parametrize(
    ("path", "space", "whole"),
    [
        ("model.depth", Range(low=1, high=4), True),
        ("train.bptt", Range(low=5, high=40), True),  # null where the task decodes no tokens
        ("train.clip", Range(low=1, high=4), False),
        ("model.dropout", Range(low=0.1, high=0.5), False),
    ],
)
def test_a_range_is_whole_where_its_key_takes_nothing_else(
    path: str, space: Range, whole: bool
) -> None:
    alone = Experiment.model_validate(TREE)
    assert is_whole(alone, path, space) is whole


def test_a_grid_spaces_its_points_and_takes_few_whole_numbers_all() -> None:
    search = {
        "model.depth": {"low": 1, "high": 3},
        "model.hidden": {"low": 16, "high": 256, "log": True},
        "train.clip": {"low": 0.5, "high": 2},
    }
    given = experiment(sampler={"kind": "grid", "points": 3}, search=search)
    assert given.tune is not None
    points = grid(given.replace({"tune": None}), given.tune)
    assert len(points) == 27
    assert {p["model.depth"] for p in points} == {1, 2, 3}
    assert {p["model.hidden"] for p in points} == {16, 64, 256}
    assert {p["train.clip"] for p in points} == {0.5, 1.25, 2.0}
    assert points[:3] == [{**points[0], "train.clip": clip} for clip in (0.5, 1.25, 2.0)]
