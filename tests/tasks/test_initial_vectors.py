"""The scale of initial vectors of tokens depends on the task and on the tokens."""

from pathlib import Path
from typing import Any

import pytest
import torch

from rnnkit.params import Experiment
from rnnkit.tasks import prepare, task_for

WORDS = {"kind": "words"}
CHARACTERS = {"kind": "characters"}


@pytest.mark.parametrize(
    ("kind", "tokenizer", "given", "expected"),
    [
        ("classification", WORDS, {}, 0.1),
        ("classification", {"kind": "bpe", "vocabulary": 300}, {}, 0.1),
        ("classification", CHARACTERS, {}, 1.0),
        ("classification", WORDS, {"embedding": 0.5}, 0.5),
        ("captioning", WORDS, {}, 1.0),
        ("captioning", CHARACTERS, {"embedding": 0.5}, 0.5),
    ],
)
def test_words_of_labels_start_small(
    kind: str, tokenizer: Any, given: dict[str, float], expected: float, tmp_path: Path
) -> None:
    rows = [f"w{k} v{k % 7} abc {k},{'ab'[k % 2]}" for k in range(60)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["text,label", *rows]))
    tree = {
        "name": "a",
        "task": {"kind": kind},
        "data": {
            "source": {"kind": "labelled_text", "path": str(path)},
            "tokenizer": tokenizer,
        },
        "model": {"hidden": 4, "target_embedding": 64, "initialization": given},
    }
    if kind == "classification":
        del tree["model"]["target_embedding"]  # type: ignore[attr-defined]
    it = Experiment.model_validate(tree)
    task = task_for(it.task, prepare(it.data, it.task, tmp_path))
    network = task.network(it.model, torch.Generator().manual_seed(0))
    embedding = network.decoder.embedding if kind == "captioning" else network.representation
    assert embedding.vectors[1:].std().item() == pytest.approx(expected, rel=0.15)
