"""What holds for every cell in every task: the tables of the house, all of them, held to the rules.

The invariants are those of `rnnkit check --deep`, over every cell, readout and task.
"""

import contextlib
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnkit.data.batches import gather
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor
from rnnkit.inference.stream import Stream
from rnnkit.nn.cells import CELLS
from rnnkit.nn.model.readout import READOUTS
from rnnkit.params import Experiment
from rnnkit.tasks import TASKS, prepare, task_for
from rnnkit.tasks.baselines import score
from rnnkit.training.invariants import measure_invariants
from rnnkit.training.loop import train
from rnnkit.training.state import State
from rnnkit.training.trainer import make_network

PROBLEMS = ("adding", "copying", "temporal_order", "embedded_reber")


def write(folder: Path) -> dict[str, dict[str, Any]]:
    """A source of items of many lengths for each task, and what the task asks of the model."""
    sentences = []
    for i in range(60):
        tokens = [f"w{(i + k) % 9}" for k in range(i % 6)]
        sentences.append({"tokens": [*tokens, f"x{i}"], "tags": [*("AB" * 3)[: len(tokens)], "A"]})
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, sentences)))
    texts = [f"{' '.join(row['tokens'])},{i % 2}" for i, row in enumerate(sentences)]
    (folder / "c.csv").write_text("\n".join(["text,label", *texts]))
    (folder / "l.txt").write_text("\n".join(" ".join(row["tokens"]) for row in sentences))
    pairs = [f"{' '.join(row['tokens'])}\t{' '.join(row['tags'])}" for row in sentences]
    (folder / "p.tsv").write_text("\n".join(["source\ttarget", *pairs]))
    pieces = [[[60 + (i + k) % 5] for k in range(2 + i % 6)] + [[60 + i]] for i in range(40)]
    (folder / "m.json").write_text(json.dumps(pieces))
    frames = [f"s{i},{i * k % 7},{k},{i + k}" for i in range(40) for k in range(2 + i % 5)]
    (folder / "f.csv").write_text("\n".join(["id,x,y,z", *frames]))
    raw = {"representation": {"kind": "raw"}}
    generated = {"kind": "generated", "train": 30, "valid": 5, "test": 5}
    found: dict[str, dict[str, Any]] = {
        "tagging": {"source": {"kind": "tokens", "path": str(folder / "t.jsonl")}},
        "classification": {"source": {"kind": "labelled_text", "path": str(folder / "c.csv")}},
        "language_modeling": {"source": {"kind": "text", "path": str(folder / "l.txt")}},
        "music": {"source": {"kind": "piano_rolls", "path": str(folder / "m.json")}, "model": raw},
        "regression": {
            "source": {"kind": "labelled_text", "path": str(folder / "c.csv")},
        },
        "regression-frames": {
            "source": {
                "kind": "frames",
                "path": str(folder / "f.csv"),
                "labels": "per_frame",
                "sequence": "id",
                "label": ["y", "z"],
            },
            "task": {"kind": "regression", "per": "frame"},
            "model": raw,
        },
        "forecasting": {"source": {"kind": "builtin", "name": "sunspots"}, "model": raw},
        "vector": {"source": {"kind": "builtin", "name": "digits"}, "model": raw},
        "translation": {"source": {"kind": "pairs", "path": str(folder / "p.tsv")}},
        "captioning": {
            "source": {"kind": "labelled_text", "path": str(folder / "c.csv")},
        },
        "captioning-vectors": {
            "source": {"kind": "builtin", "name": "spelled_digits"},
            "task": {"kind": "captioning"},
            "model": raw,
        },
        "transcription": {
            "source": {"kind": "builtin", "name": "touch_tones"},
            "model": raw,
            "data": {"limit": 40, "tokenizer": {"kind": "characters"}},
        },
    }
    for problem in PROBLEMS:
        task = {"kind": "memory", "problem": problem, "length": 12}
        found[f"memory-{problem}"] = {"source": generated, "task": task}
        if problem == "adding":
            found[f"memory-{problem}"]["model"] = raw
    return found


NAMES = ["tagging", "classification", "language_modeling", "music", "forecasting", "vector"]
NAMES += ["translation", "captioning", "captioning-vectors", "transcription"]
NAMES += ["regression", "regression-frames"]
NAMES += [f"memory-{problem}" for problem in PROBLEMS]
SYNCED = ["tagging", "language_modeling", "music", "memory-copying", "memory-embedded_reber"]
SYNCED += ["regression-frames"]
BOTH_WAYS = ["tagging", "classification", "forecasting", "memory-copying", "regression-frames"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("properties")


@pytest.fixture(scope="module")
def sources(folder: Path) -> dict[str, dict[str, Any]]:
    return write(folder)


def experiment(name: str, sources: dict[str, dict[str, Any]], **model: Any) -> Experiment:
    what = sources[name]
    tree: dict[str, Any] = {
        "name": "p",
        "task": what.get("task", {"kind": name}),
        "data": {"source": what["source"], **what.get("data", {})},
        "model": {"hidden": 6, **what.get("model", {}), **model},
        "train": {"epochs": 2, "batch_size": 8},
    }
    if "memory" not in name:
        tree["data"]["split"] = {"kind": "fractions", "valid": 0.2, "test": 0.2}
    if name == "forecasting":
        tree["data"] |= {"split": {"kind": "time"}, "window": 12}
    return Experiment.model_validate(tree)


def prepared_for(it: Experiment, folder: Path) -> Prepared:
    return prepare(it.data, it.task, folder)


def test_every_task_is_here() -> None:
    assert {name.split("-")[0] for name in NAMES} == set(TASKS)


@pytest.mark.parametrize("name", NAMES)
def test_every_task_has_baselines_that_say_something_of_what_is_shown(
    name: str, sources: Any, folder: Path
) -> None:
    it = experiment(name, sources)
    prepared = prepared_for(it, folder)
    task = task_for(it.task, prepared)
    scores = score(task, prepared, prepared.splits["test"])
    assert scores
    assert scores.keys() <= task.baselines.keys()
    assert any(task.shown[0] in metrics for metrics in scores.values())


def variants() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every cell in every task, both directions where that is allowed, every read-out."""
    for name in NAMES:
        for kind in CELLS:
            if name == "vector" and kind != "gru":
                continue
            cell = {} if name == "vector" else {"cell": {"kind": kind}}
            yield name, {**cell, "depth": 2}
            if name in BOTH_WAYS:
                yield name, {**cell, "bidirectional": True, "initial_state": "learned"}
            if name == "translation":
                for attention in ("additive", "dot"):
                    yield name, {**cell, "bidirectional": True, "attention": attention}
                yield name, {**cell, "attention": "dot", "input_feeding": False}
    for readout in READOUTS:
        yield "classification", {"readout": readout, "bidirectional": True}


@pytest.mark.parametrize(("name", "model"), list(variants()), ids=str)
def test_every_network_keeps_the_rules(
    name: str, model: dict[str, Any], sources: Any, folder: Path
) -> None:
    it = experiment(name, sources, **model)
    found = measure_invariants(it, prepared_for(it, folder))
    assert all(measured is None or measured.holds for measured in found.values()), found


@pytest.mark.parametrize("padding", ["post", "pre"])
@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("forecasting", "vector")])
def test_loss_and_gradients_are_those_of_the_sequences_alone(
    name: str, padding: Any, sources: Any, folder: Path
) -> None:
    it = experiment(name, sources)
    prepared = prepared_for(it, folder)
    task = task_for(it.task, prepared)
    network = make_network(it, task).double()
    split = prepared.splits["train"]
    items = torch.arange(6)

    def gradients(which: list[torch.Tensor], side: Any) -> tuple[float, list[torch.Tensor]]:
        network.zero_grad()
        total, weight = torch.zeros(()).double(), 0.0
        for indices in which:
            batch = gather(split, indices, side, torch.float64)
            own = task.weight(batch)
            total = total + task.training_loss(task.forward(network, batch), batch) * own
            weight += own
        (total / weight).backward()
        found = [p.grad.clone() for p in network.parameters() if p.grad is not None]
        return float(total.detach()) / weight, found

    alone = gradients([item[None] for item in items], "post")
    together = gradients([items], padding)
    assert together[0] == pytest.approx(alone[0], rel=1e-12)
    for one, other in zip(together[1], alone[1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SYNCED)
def test_truncation_at_the_full_length_is_full_bptt(name: str, sources: Any, folder: Path) -> None:
    it = experiment(name, sources)
    prepared = prepared_for(it, folder)
    longest = int(prepared.splits["train"].input_length.max())
    whole: Any = list(train(it, prepared, State.start()))[-1]
    cut: Any = list(train(it.replace({"train.bptt": longest}), prepared, State.start()))[-1]
    for key, value in whole.state.weights.items():
        assert torch.equal(cut.state.weights[key], value)
    shorter: Any = list(train(it.replace({"train.bptt": 2}), prepared, State.start()))[-1]
    assert any(not torch.equal(shorter.state.weights[k], v) for k, v in whole.state.weights.items())


@pytest.mark.parametrize("name", NAMES)
def test_a_training_twice_is_bit_identical(name: str, sources: Any, folder: Path) -> None:
    extra = {"dropout": 0.3} if name == "vector" else {"dropout": 0.3, "recurrent_dropout": 0.2}
    it = experiment(name, sources, **extra)
    prepared = prepared_for(it, folder)
    one: Any = list(train(it, prepared, State.start()))[-1]
    two: Any = list(train(it, prepared, State.start()))[-1]
    for key, value in one.state.weights.items():
        assert torch.equal(two.state.weights[key], value)
    assert one.valid == two.valid


@pytest.mark.parametrize("name", SYNCED)
def test_a_bidirectional_network_is_refused_where_it_would_see_the_answer(
    name: str, sources: Any
) -> None:
    if name in ("tagging", "memory-copying", "regression-frames"):
        experiment(name, sources, bidirectional=True)
        return
    with pytest.raises(ValueError, match=r"model\.bidirectional: .* a backward direction would"):
        experiment(name, sources, bidirectional=True)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
JSON = st.recursive(
    LEAVES | st.sampled_from(["w1", "x1", "1", "\ud800", 10**400, -(10**400)]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def predictors(sources: Any, folder: Path) -> Callable[[str], Predictor]:
    @functools.cache
    def untrained(name: str) -> Predictor:
        it = experiment(name, sources)
        prepared = prepared_for(it, folder)
        network = task_for(it.task, prepared).network(it.model, torch.Generator().manual_seed(0))
        return Predictor(it, prepared, network.state_dict())

    return untrained


@pytest.mark.filterwarnings("ignore::rnnkit.errors.Note")
@pytest.mark.parametrize("name", NAMES)
@given(value=JSON)
@settings(max_examples=60, deadline=None)
def test_whatever_is_given_is_answered_in_json_or_refused_by_its_name(
    name: str, value: Any, predictors: Callable[[str], Predictor]
) -> None:
    predictor = predictors(name)
    asked: list[Callable[[], Any]] = [lambda: predictor([value], ["line 7"])]
    with contextlib.suppress(InputError):  # it is no stream's
        asked.append(functools.partial(Stream(predictor).step, value, "line 7"))
    for ask in asked:
        answer = refusal = None
        try:
            answer = ask()
        except InputError as error:
            refusal = str(error)
        if refusal is None:
            json.dumps(answer, allow_nan=False)
        elif not (name == "transcription" and isinstance(value, str)):  # a path has its own name
            assert refusal.startswith("line 7: ")
