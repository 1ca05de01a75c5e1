"""The gradient through time: the norm of dL/ds_t against the steps between t and the loss.

s_t is the state after step t: h_t, and for an LSTM (h_t, c_t). L is the loss at one step of each
sequence, so that lags do not mix. Nothing is added to `.grad` of any parameter.

Reference: R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural
networks, 2013, section 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.diagnose.recording import DECODER, REVERSE, Recorder, recording
from rnnkit.tasks import Task

VANISHED, EXPLODED = 1e-6, 1e10
"""Of the norm at the smallest lag: the sizes at which a gradient counts as vanished or exploded."""
MAX_POINTS = 64
"""Lags of a stored curve."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Norm of the gradient of a layer's state, in one direction, against the lag.

    Args:
        lags: steps between the state and the loss, ascending.
        norms: mean norm over the sequences that have the lag.
    """

    lags: Int[np.ndarray, " points"]
    norms: Float[np.ndarray, " points"]

    @property
    def ratios(self) -> Float[np.ndarray, " points"]:
        """Norms divided by that of the smallest lag."""
        if not self.norms[0]:
            return np.zeros_like(self.norms)
        with np.errstate(all="ignore"):  # of a norm that is not finite
            ratios: np.ndarray = self.norms / self.norms[0]
        return ratios

    @property
    def fit(self) -> tuple[float, float] | None:
        """Least squares of log norm over lag: the factor per step, and the fraction of the variance
        that the line explains. None: fewer than two lags have a finite norm above 0."""
        usable = np.isfinite(self.norms) & (self.norms > 0)
        if usable.sum() < 2:
            return None
        lags, logs = self.lags[usable].astype(float), np.log(self.norms[usable])
        slope, offset = np.polyfit(lags, logs, 1)
        spread = float(((logs - logs.mean()) ** 2).sum())
        error = float(((logs - slope * lags - offset) ** 2).sum())
        return float(np.exp(slope)), 1.0 if spread == 0 else max(0.0, 1 - error / spread)

    @property
    def vanishes(self) -> int | None:
        """The first lag whose norm is under `VANISHED` of the start; None: there is none."""
        return self._first(self.ratios < VANISHED)

    @property
    def explodes(self) -> int | None:
        """The first lag whose norm is above `EXPLODED` of the start, or not finite."""
        return self._first(~(self.ratios <= EXPLODED))

    def _first(self, holds: Bool[np.ndarray, " points"]) -> int | None:
        return int(self.lags[holds.argmax()]) if holds.any() else None

    def to_json(self) -> dict[str, Any]:
        """The curve at `MAX_POINTS` lags at the most, and its summary."""
        points = np.linspace(0, len(self.lags) - 1, min(MAX_POINTS, len(self.lags)))
        kept = np.unique(points.round().astype(int))
        fit = self.fit
        return {
            "lags": self.lags[kept].tolist(),
            "norms": [
                float(f"{norm:.6g}") if np.isfinite(norm) else None for norm in self.norms[kept]
            ],
            "factor": None if fit is None else float(f"{fit[0]:.6g}"),
            "fit": None if fit is None else round(fit[1], 4),
            "vanishes": self.vanishes,
            "explodes": self.explodes,
        }


def through_time(
    network: nn.Module, task: Task, batch: Batch
) -> tuple[dict[str, Curve], dict[str, Recorder]]:
    """Curves of all layers and directions by series name, and the recorded steps.

    Where there is an output at every step, the loss is that of each sequence's last real step, and
    for backward cells of its first. In encoder-decoders lags of the encoder count the decoder's
    steps to the loss, too. Networks without recurrence have no curves.

    Args:
        network: in evaluation mode; for long sequences better in float64.
        batch: at least one item.
    """
    with recording(network) as recorders:
        outputs = task.forward(network, batch)
    if not recorders:
        return {}, {}
    real = task.real(batch)
    if real.ndim == 1:
        loss = task.loss(outputs, batch)
        return _curves(loss, recorders, batch, None), recorders
    decoded = any(name.startswith(DECODER) for name in recorders)
    backward = {name for name in recorders if name.endswith(REVERSE) and not decoded}
    forward = recorders.keys() - backward
    curves: dict[str, Curve] = {}
    for names, step in ((forward, _last(real)), (backward, _first(real))):
        if names:
            chosen = torch.arange(real.shape[1]) == step[:, None]
            at_step = torch.where(chosen[..., None], outputs, outputs.detach())
            series = {name: recorders[name] for name in recorders if name in names}
            curves |= _curves(task.loss(at_step, batch), series, batch, step)
    return {name: curves[name] for name in recorders}, recorders


def _curves(
    loss: Tensor,
    recorders: Mapping[str, Recorder],
    batch: Batch,
    step: Int[Tensor, " batch"] | None,
) -> dict[str, Curve]:
    """The curves of a loss at one output step of each row; None: at the end of each row."""
    parts = [part for recorder in recorders.values() for state in recorder.after for part in state]
    gradients = iter(torch.autograd.grad(loss, parts, retain_graph=True, allow_unused=True))
    decoded = any(name.startswith(DECODER) for name in recorders)
    curves = {}
    for name, recorder in recorders.items():
        norms = torch.stack(
            [_norm([next(gradients) for _ in state], state.h) for state in recorder.after]
        )  # [time, rows], in the order of processing
        is_backward, is_decoder = name.endswith(REVERSE), name.startswith(DECODER)
        time, rows = norms.shape
        if is_backward:
            norms = norms.flip(0)
        real = torch.ones(rows, time, dtype=torch.bool)
        if batch.mask is not None and not is_decoder:
            real = batch.mask
        if step is not None and (is_decoder or not decoded):
            end, offset = step, torch.zeros_like(step)
        else:
            end = _first(real) if is_backward else _last(real)
            offset = torch.zeros_like(end) if step is None else step + 1
        lags = torch.arange(time)[None] - end[:, None]
        lags = lags if is_backward else -lags
        counted = real & (lags >= 0)
        curves[name] = _mean_by_lag((lags + offset[:, None])[counted], norms.T[counted])
    return curves


def _norm(gradients: list[Tensor | None], like: Tensor) -> Float[Tensor, " rows"]:
    """Norm over the tensors of a state; 0 where they do not reach the loss."""
    present = [gradient for gradient in gradients if gradient is not None]
    if not present:
        return like.new_zeros(len(like))
    norm: Tensor = torch.linalg.vector_norm(torch.cat(present, dim=1), dim=1)
    return norm


def _mean_by_lag(lags: Int[Tensor, " steps"], norms: Float[Tensor, " steps"]) -> Curve:
    kept, place, count = lags.unique(return_inverse=True, return_counts=True)
    sums = norms.new_zeros(len(kept)).index_add_(0, place, norms)
    return Curve(kept.numpy(), (sums / count).double().numpy())


def _last(real: Bool[Tensor, "batch time"]) -> Int[Tensor, " batch"]:
    """The last real step of each row."""
    return real.shape[1] - 1 - real.flip(1).to(torch.uint8).argmax(dim=1)


def _first(real: Bool[Tensor, "batch time"]) -> Int[Tensor, " batch"]:
    """The first real step of each row."""
    return real.to(torch.uint8).argmax(dim=1)
