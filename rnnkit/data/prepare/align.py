"""Convert examples to another fit: labels by name, numbers through their units."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from rnnkit.data.prepare.part import Part, positions
from rnnkit.data.prepare.scale import Scaler
from rnnkit.errors import InputError

Terms = tuple[tuple[str, ...] | None, Scaler | None]
"""Labels and scaler of a fit."""


def refuse_other_form(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> None:
    """Raise InputError if an older model reads another form of data than a run."""
    if ours != theirs:
        raise InputError(
            "the older model reads other columns or another form of data, or scales where the run "
            "does not"
        )


def align(part: Part, ours: Terms, theirs: Terms) -> Part:
    """Convert a split to an older model's labels and scales.

    Raises:
        InputError: the model lacks a label, or has other columns or series.
    """
    (labels, scaler), (their_labels, their_scaler) = ours, theirs
    if labels is not None and labels != their_labels:
        part = replace(part, targets=_by_name(part.targets, labels, their_labels or ()))
    if scaler is not None and scaler != their_scaler:
        assert their_scaler is not None
        part = _rescaled(part, scaler, their_scaler)
    return part


def _by_name(targets: Tensor, ours: tuple[str, ...], theirs: tuple[str, ...]) -> Tensor:
    unknown = sorted(set(ours) - set(theirs))
    if unknown:
        raise InputError(f"the older model does not know the label {unknown[0]!r}")
    return torch.tensor([theirs.index(name) for name in ours])[targets]


def _rescaled(part: Part, ours: Scaler, theirs: Scaler) -> Part:
    """Rescale inputs and targets."""
    if (ours.columns, ours.known) != (theirs.columns, theirs.known):
        raise InputError("the older model reads other columns or other known-future covariates")
    if ours.targets != theirs.targets:
        raise InputError(
            f"the older model predicts {', '.join(theirs.targets)} and the run "
            f"{', '.join(ours.targets)}"
        )
    if ours.series != theirs.series:
        raise InputError("the older model knows other series")
    series = ours.which(part.item) if len(ours.begin) > 1 else torch.zeros_like(part.item)
    inputs = part.inputs.double().clone()
    targets = part.targets.double().clone() if part.targets.is_floating_point() else part.targets
    width = inputs.shape[-1]
    read = part.input_length + (part.target_length if part.known else 0)
    rows = torch.zeros(len(inputs), dtype=torch.int64)
    rows[positions(part.input_start, read)] = series.repeat_interleave(read)
    inputs = _through(inputs, rows, ours, theirs, list(range(width)))
    if part.targets.is_floating_point() and ours.targets:
        rows = torch.zeros(len(targets), dtype=torch.int64)
        rows[positions(part.target_start, part.target_length)] = series.repeat_interleave(
            part.target_length
        )
        targets = _through(targets, rows, ours, theirs, ours.target_columns).float()
    return replace(part, inputs=inputs.float(), targets=targets)


def _through(
    values: Tensor, rows: Tensor, ours: Scaler, theirs: Scaler, columns: list[int]
) -> Tensor:
    """Rescale [N, columns] from one scaler to another."""

    def numbers(flat: Any, series: int) -> Tensor:
        table = torch.tensor(flat, dtype=torch.float64).view(series, -1)[:, columns]
        return table[rows]

    count = len(ours.begin)
    units = values * numbers(ours.scale, count) + numbers(ours.offset, count)
    return (units - numbers(theirs.offset, count)) / numbers(theirs.scale, count)
