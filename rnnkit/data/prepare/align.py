"""A part of data in the terms of a network that was trained on others.

Labels are matched by their names, numbers by their units, windows by the rows that it reads.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from rnnkit.data.prepare.prepared import Part, Prepared, positions
from rnnkit.data.prepare.scale import Scaler
from rnnkit.errors import InputError


def windowed(part: Part, window: int, scaler: Scaler) -> Part:
    """The same targets with as many rows before them as a model reads.

    Raises:
        InputError: a series has not so many.
    """
    start = part.target_start - window
    begin = torch.tensor(scaler.begin)[scaler.which(part.item)]
    if bool((start < begin).any()):
        raise InputError(
            f"the older model reads {window} rows, and before the test part are no more than "
            f"{int((part.target_start - begin).min())}"
        )
    return replace(part, input_start=start, input_length=torch.full_like(start, window))


def translated(part: Part, prepared: Prepared, theirs: Prepared) -> Part:
    """A part in a model's own labels and scales; tokens are the same in both.

    Raises:
        InputError: it does not know a label, or reads another form of data.
    """
    if prepared.features != theirs.features or _forms(prepared) != _forms(theirs):
        raise InputError(
            "the older model reads other columns or another form of data, or scales where the run "
            "does not"
        )
    if prepared.labels is not None and prepared.labels != theirs.labels:
        part = replace(part, targets=_by_name(part.targets, prepared.labels, theirs.labels or ()))
    if prepared.scaler is not None and prepared.scaler != theirs.scaler:
        assert theirs.scaler is not None
        part = _rescaled(part, prepared.scaler, theirs.scaler)
    return part


def _forms(prepared: Prepared) -> tuple[bool, ...]:
    return tuple(
        field is None
        for field in (prepared.vocabulary, prepared.labels, prepared.scaler, prepared.letters)
    )


def _by_name(targets: Tensor, ours: tuple[str, ...], theirs: tuple[str, ...]) -> Tensor:
    unknown = sorted(set(ours) - set(theirs))
    if unknown:
        raise InputError(f"the older model does not know the label {unknown[0]!r}")
    return torch.tensor([theirs.index(name) for name in ours])[targets]


def _rescaled(part: Part, ours: Scaler, theirs: Scaler) -> Part:
    """Inputs and targets through their units."""
    if (ours.columns, ours.known) != (theirs.columns, theirs.known):
        raise InputError("the older model reads other columns, or knows others ahead")
    if ours.targets != theirs.targets:
        raise InputError(
            f"the older model tells {', '.join(theirs.targets)} and the run "
            f"{', '.join(ours.targets)}"
        )
    if ours.series != theirs.series:
        raise InputError("the older model knows other series")
    which = ours.which(part.item) if len(ours.begin) > 1 else torch.zeros_like(part.item)
    inputs = part.inputs.double().clone()
    targets = part.targets.double().clone() if part.targets.is_floating_point() else part.targets
    width = inputs.shape[-1]
    read = part.input_length + (part.target_length if part.known else 0)
    rows = torch.zeros(len(inputs), dtype=torch.int64)
    rows[positions(part.input_start, read)] = which.repeat_interleave(read)
    inputs = _through(inputs, rows, ours, theirs, list(range(width)))
    if part.targets.is_floating_point() and ours.targets:
        asked = torch.zeros(len(targets), dtype=torch.int64)
        asked[positions(part.target_start, part.target_length)] = which.repeat_interleave(
            part.target_length
        )
        targets = _through(targets, asked, ours, theirs, ours.target_columns).float()
    return replace(part, inputs=inputs.float(), targets=targets)


def _through(
    values: Tensor, rows: Tensor, ours: Scaler, theirs: Scaler, columns: list[int]
) -> Tensor:
    """[N, columns] scaled by one -> scaled by the other."""

    def numbers(flat: Any, series: int) -> Tensor:
        table = torch.tensor(flat, dtype=torch.float64).view(series, -1)[:, columns]
        return table[rows]

    count = len(ours.begin)
    units = values * numbers(ours.scale, count) + numbers(ours.offset, count)
    return (units - numbers(theirs.offset, count)) / numbers(theirs.scale, count)
