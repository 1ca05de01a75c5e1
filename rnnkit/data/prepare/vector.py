"""One-to-one examples: a vector, as a sequence of one step, and a label or numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from rnnkit.data.prepare.built import Built, counts, index_labels, numbered, tensor, token_facts
from rnnkit.data.prepare.prepared import Part
from rnnkit.data.prepare.scale import fit
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.task import Vector

if TYPE_CHECKING:
    import pandas as pd


def build(frame: pd.DataFrame, data: Data, task: Vector) -> Built:
    """Split, scale by the training part, number the labels or scale the numbers.

    Args:
        frame: vector and target; or frames, which are laid flat, and label.

    Raises:
        InputError: too little data, vectors of different sizes, a target that is no number.
    """
    form = data.source.form
    rows = split_items(frame, form, data)
    vectors = stacked(frame["frames" if form == "frames" else "vector"].tolist())
    columns = tuple(f"feature {k + 1}" for k in range(vectors.shape[1]))
    if form == "vectors":
        columns = tuple(frame.attrs["columns"])
    targets: tuple[str, ...] = ()
    labels, names = None, dict[str, list[str]]()
    if task.loss == "squared":
        targets = tuple(frame.attrs["targets"])
        vectors = np.concatenate([vectors, numbers(frame, targets)], axis=1)
    else:
        said = frame["label"] if form == "frames" else frame["target"].map(lambda row: row[0])
        names = {part: said.iloc[found].tolist() for part, found in rows.items()}
        labels = index_labels(names, "label")
    scaler = fit(data.scaling, vectors[rows["train"]], (*columns, *targets), targets)
    width = len(columns)
    parts = {}
    for part, found in rows.items():
        scaled = scaler.transform(vectors[found]).astype(np.float32)
        each = tensor(np.arange(len(found)))
        told = scaled[:, width:] if labels is None else numbered(names[part], labels)
        ones = torch.ones_like(each)
        parts[part] = Part(
            inputs=tensor(scaled[:, :width]),
            input_start=each,
            input_length=ones,
            targets=tensor(told),
            target_start=each,
            target_length=ones,
            item=tensor(found),
            synced=False,
        )
    facts = token_facts(parts, None, dict.fromkeys(parts, 0))
    facts["duplicates"] = duplicates(frame, form, rows)
    if labels is not None:
        facts["labels"] = counts(names, labels)
    return Built(parts, None, labels, scaler, width, facts)


def stacked(items: list[np.ndarray]) -> np.ndarray:
    """[items, features]

    Raises:
        InputError: they differ in size.
    """
    sizes = {item.size for item in items}
    if len(sizes) > 1:
        raise InputError(
            f"data.source: vectors must have one size, but they have {min(sizes)} to {max(sizes)} "
            "numbers; sequences of many lengths are for `task: {kind: classification}`"
        )
    return np.stack([np.asarray(item, dtype=np.float64).ravel() for item in items])


def numbers(frame: pd.DataFrame, targets: tuple[str, ...]) -> np.ndarray:
    """[items, targets] what is to be told, in units.

    Raises:
        InputError: it is no number.
    """
    told = np.empty((len(frame), len(targets)))
    for row, texts in enumerate(frame["target"]):
        for k, text in enumerate(texts):
            try:
                told[row, k] = float(text)
            except ValueError:
                told[row, k] = np.nan
            if not np.isfinite(told[row, k]):
                raise InputError(
                    f"data.source.targets: {targets[k]!r} must be a number, but in row {row + 1} "
                    f"it is {text!r}; correct it, or write task.loss: cross_entropy for labels"
                )
    return told
