"""A training of a tenth of a second, and all that comes of one, for tests of faults."""

import hashlib
from collections.abc import Mapping
from typing import Any

import torch

from rnnkit.data.inputs.tokens import TokenLists
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.tokenize import fit_tokens
from rnnkit.params import Experiment
from rnnkit.params.data import Characters
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import task_for
from rnnkit.tasks.labels import Labels
from rnnkit.tasks.tagging.examples import TaggingFitted
from rnnkit.training.evaluate import evaluate
from rnnkit.training.train_into import train_into
from rnnkit.training.trainer import make_network

MEASURED = ("time", "seconds", "peak_memory")
"""What a journal says of the machine, not of the training."""
AS_IT_CAME = ("fallback", "interrupted", "failed")
"""Kinds of records that say what befell a training."""


def split(items: int, seed: int) -> EncodedSplit:
    """Sequences of 3 to 7 tokens whose tag is whether the token before was even."""
    draw = torch.Generator().manual_seed(seed)
    length = torch.randint(3, 8, (items,), generator=draw)
    start = length.cumsum(0) - length
    tokens = torch.randint(2, 10, (int(length.sum()),), generator=draw)
    tags = (tokens.roll(1) % 2 == 0).long()
    return EncodedSplit(tokens, start, length, tags, start, length, torch.arange(items), True)


def prepared_of(experiment: Experiment) -> Prepared:
    """Forty sequences to train on, five batches of eight."""
    return Prepared(
        sha256="0" * 64,
        splits={"train": split(40, 1), "valid": split(12, 2), "test": split(12, 3)},
        fitted=TaggingFitted(
            task=experiment.task,
            data=experiment.data,
            inputs=TokenLists(fit_tokens(Characters(), ["abcdefgh"])),
            targets=Labels(("even", "odd"), {}),
        ),
        facts={},
    )


def experiment_of(changes: Mapping[str, Any]) -> Experiment:
    """Four epochs with dropout."""
    source = {"kind": "builtin", "name": "python_tokens"}
    return Experiment.model_validate(
        {
            "name": "x",
            "task": {"kind": "tagging"},
            "data": {"source": source, "tokenizer": {"kind": "characters"}},
            "model": {
                "representation": {"kind": "embedding", "size": 6},
                "hidden": 8,
                "dropout": 0.3,
            },
            "train": {
                "epochs": 4,
                "batch_size": 8,
                "early_stopping": None,
                "monitor": "valid/loss",
            },
        }
    ).replace(changes)


def train_whole(folder: RunFolder, experiment: Experiment, prepared: Prepared) -> None:
    """Train from where the folder stands to the end."""
    folder.create(experiment, {})
    for _ in train_into(folder, experiment, prepared):
        pass


def weights_hash(weights: Mapping[str, torch.Tensor]) -> str:
    """Of names and bits."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


def outcome(folder: RunFolder, experiment: Experiment, prepared: Prepared) -> dict[str, Any]:
    """All that a finished training leaves: the best epoch, hashes of its weights and predictions,
    of the last weights and optimizer, and the journal without what was measured."""
    tensors, facts = folder.best_checkpoint()
    newest = folder.newest_checkpoint()
    assert newest is not None
    prefix = "weights/"
    weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    task = task_for(experiment.task, prepared)
    network = make_network(experiment, task)
    network.load_state_dict(weights)
    scores = evaluate(network, task, prepared.splits["test"], experiment, predictions=True)
    assert scores.predictions is not None
    return {
        "best_epoch": facts["best_epoch"],
        "epoch": facts["epoch"],
        "weights": weights_hash(weights),
        "newest": weights_hash(newest[0]),
        "predictions": scores.predictions.to_json(double_precision=15),
        "journal": [
            {k: v for k, v in line.items() if k not in MEASURED}
            for line in folder.records()
            if line["kind"] not in AS_IT_CAME and not within_epoch(line, folder)
        ],
    }


def within_epoch(line: Mapping[str, Any], folder: RunFolder) -> bool:
    """Whether a record is of a checkpoint within an epoch; when they are written depends on the
    clock."""
    ends = {(end["epoch"], end["step"]) for end in folder.records("epoch")}
    return line["kind"] == "checkpoint" and (line["epoch"], line["step"]) not in ends
