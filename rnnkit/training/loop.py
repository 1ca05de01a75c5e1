"""Training loop: a generator that yields `Step` and `Epoch` records. To stop early, stop iterating.

It reads and writes no files; `rnnkit.training.train_into` trains in a run folder.
"""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.windows import Window, count_windows, has_targets, training_windows
from rnnkit.metrics import Metrics
from rnnkit.nn.model.network import Synced
from rnnkit.nn.model.stack import States, map_states, without_masks
from rnnkit.params.experiment import Experiment
from rnnkit.params.train import Adam, Cosine, Optimizer
from rnnkit.runtime import numerics
from rnnkit.tasks import Task, task_for
from rnnkit.training.evaluate import evaluate, with_monitor
from rnnkit.training.gradients import FlatParameters, Threshold
from rnnkit.training.learning_rate import learning_rate, reduces
from rnnkit.training.pretrained import start

STEP_RECORDS = 300
"""Approximate number of Step records of a training."""


class Diverged(RuntimeError):
    """No step of an epoch had a finite gradient."""


@dataclass(frozen=True)
class Step:
    """Means over the steps since the previous Step record."""

    epoch: int
    step: int
    loss: float
    gradient_norm: float
    gradient_norm_max: float
    clipped_fraction: float
    refused: int
    """Steps whose gradient was not finite; they did not change the weights."""
    learning_rate: float
    """Of the last step."""
    threshold: float | None
    """Clip threshold of the last step; None: no clipping."""


@dataclass(frozen=True)
class State:
    """The training state at the end of an epoch, complete for a resume."""

    epoch: int
    step: int
    weights: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    best: float | None
    best_epoch: int
    norms: tuple[float, ...] = ()
    """Gradient norms so far, sorted; only with `clip: auto`."""
    reductions: int = 0
    """Number of learning rate reductions on plateaus."""
    reduced_epoch: int = 0
    """The epoch of the last reduction."""

    @staticmethod
    def start() -> "State":
        """The state before the first step: the network keeps its initial weights."""
        return State(0, 0, {}, {}, None, 0)


@dataclass(frozen=True)
class Epoch:
    """The end of an epoch."""

    epoch: int
    step: int
    train: Metrics
    valid: Metrics
    gradient: Metrics
    learning_rate: float
    """Of its last step."""
    seconds: float
    peak_memory: float
    """Peak memory of the process since the training began, in MiB."""
    improved: bool
    last: bool
    state: State


def make_network(experiment: Experiment, task: Task) -> nn.Module:
    """The experiment's network before the first step.

    Raises:
        InputError: pretrained word vectors or weights do not fit it.
    """
    network = task.network(experiment.model, numerics.generator(experiment.seed, "weights"))
    start(network, experiment, task.prepared)
    return network


def train(experiment: Experiment, prepared: Prepared, state: State) -> Iterator[Step | Epoch]:
    """Train; yield Step records, and an Epoch record after each epoch.

    Args:
        prepared: without a "valid" split there is no early stopping and every epoch counts as the
            best so far.
        state: `State.start()`, or the state of an earlier Epoch to resume from.

    Raises:
        InputError: the monitored metric does not exist for the validation split.
        Diverged: no step of an epoch had a finite gradient.
    """
    experiment = with_monitor(experiment, prepared)
    params = experiment.train
    numerics.set_threads(params.threads)
    numerics.reset_peak_memory()
    task = task_for(experiment.task, prepared)
    network = make_network(experiment, task)
    if state.weights:
        network.load_state_dict(state.weights)
    flat = FlatParameters(network)
    optimizer = make_optimizer(params.optimizer, flat.values)
    if state.optimizer:
        optimizer.state[flat.values] = _copied(state.optimizer)
    split = prepared.splits["train"]
    steps = planned_steps(experiment, split)
    record_steps = max(1, math.ceil(steps / STEP_RECORDS))
    threshold = Threshold(params.clip, state.norms)
    while state.epoch < params.epochs and not stopped(experiment, state):
        began, epoch, step = time.perf_counter(), state.epoch + 1, state.step
        numerics.seed_dropout(experiment.seed, "dropout", epoch)
        network.train()
        recent, total = _Tally(), _Tally()
        order = numerics.generator(experiment.seed, "order", epoch)
        states: States | None = None
        progress = state.epoch / max(1, params.epochs - 1)
        for window in training_windows(split, experiment, order):
            if not has_targets(window.batch):
                continue
            rate = learning_rate(params, epoch, step, steps, state.reductions)
            optimizer.param_groups[0]["lr"] = rate
            flat.zero_gradients()
            if states is not None and experiment.task.carries_state:
                states = without_masks(states)  # an endless sequence: draw new masks
            outputs, states = _run(network, task, window, states, progress)
            loss = task.training_loss(outputs, window.batch)
            loss.backward()
            flat.add_l2(params.optimizer.l2)
            norm, limit = flat.gradient_norm(), None
            if math.isfinite(norm):
                limit = threshold.at(norm)
                flat.clip(norm, limit)
                optimizer.step()
            step += 1
            update = loss.item(), task.weight(window.batch), norm, limit
            recent.add(*update)
            total.add(*update)
            if step % record_steps == 0:
                yield recent.record(epoch, step, rate)
                recent = _Tally()
        if not total.steps:
            raise Diverged(
                f"no step of epoch {epoch} had a finite gradient, so nothing was learned; "
                "lower train.optimizer.learning_rate or train.clip"
            )
        valid = {}
        if "valid" in prepared.splits:
            valid = evaluate(network, task, prepared.splits["valid"], experiment, False).metrics
        state = _advance(state, epoch, step, valid, experiment)
        state = replace(
            state,
            weights=_copied(network.state_dict()),
            optimizer=_copied(optimizer.state[flat.values]),
            norms=tuple(threshold.norms),
        )
        summary = total.record(epoch, step, rate)
        yield Epoch(
            epoch=epoch,
            step=step,
            train={"loss": summary.loss},
            valid=valid,
            gradient={
                "norm": summary.gradient_norm,
                "norm_max": summary.gradient_norm_max,
                "clipped_fraction": summary.clipped_fraction,
                "refused": float(summary.refused),
            },
            learning_rate=rate,
            seconds=time.perf_counter() - began,
            peak_memory=numerics.peak_memory(),
            improved=state.best_epoch == epoch,
            last=epoch == params.epochs or stopped(experiment, state),
            state=state,
        )


def planned_steps(experiment: Experiment, split: EncodedSplit) -> int:
    """Steps of all epochs. Where sequences are truncated, epochs have different numbers of windows:
    a cosine needs each of them, for the rest the first epoch's is near enough."""
    params = experiment.train
    exact = params.bptt is not None and isinstance(params.schedule, Cosine)
    epochs = range(1, params.epochs + 1 if exact else 2)
    orders = (numerics.generator(experiment.seed, "order", epoch) for epoch in epochs)
    steps = sum(count_windows(split, experiment, order) for order in orders)
    return steps if exact else params.epochs * steps


def make_optimizer(params: Optimizer, values: Tensor) -> torch.optim.Optimizer:
    """The fused torch optimizer; L2 is added to the gradient before clipping, not here."""
    if isinstance(params, Adam):
        return torch.optim.Adam([values], lr=params.learning_rate, fused=True)
    return torch.optim.SGD([values], lr=params.learning_rate, momentum=params.momentum, fused=True)


def stopped(experiment: Experiment, state: State) -> bool:
    """Whether early stopping ends the training in this state."""
    patience = experiment.train.early_stopping
    return (
        patience is not None
        and state.best is not None
        and state.epoch - state.best_epoch >= patience.patience
    )


def better(experiment: Experiment, value: float, than: float | None) -> bool:
    """Whether a value of the monitored metric is better; a value that is not finite never is."""
    if than is None or not math.isfinite(value):
        return math.isfinite(value)
    return value < than if experiment.direction == "minimize" else value > than


def _run(
    network: nn.Module, task: Task, window: Window, states: States | None, progress: float
) -> tuple[Tensor, States | None]:
    """Run the network on a window; return the outputs and the states for the next window."""
    batch = window.batch
    if window.begins and window.ends:
        return task.forward(network, batch, progress), None
    assert isinstance(network, Synced)
    before = None if window.begins else states
    outputs, after = network.run(batch.inputs, batch.mask, before, not window.ends, "auto")
    return outputs, None if after is None else map_states(Tensor.detach, after)


def _advance(state: State, epoch: int, step: int, valid: Metrics, experiment: Experiment) -> State:
    """The state after an epoch, without its tensors."""
    state = replace(state, epoch=epoch, step=step)
    if not valid:
        return replace(state, best_epoch=epoch)
    value = valid[experiment.monitored]
    if better(experiment, value, state.best):
        return replace(state, best=value, best_epoch=epoch)
    if reduces(experiment.train, epoch, max(state.best_epoch, state.reduced_epoch)):
        return replace(state, reductions=state.reductions + 1, reduced_epoch=epoch)
    return state


def _copied(tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: v.clone() for name, v in tensors.items() if isinstance(v, Tensor)}


class _Tally:
    """Sums over steps; refused steps count only in `refused`."""

    def __init__(self) -> None:
        self.loss = self.weight = self.norm = self.norm_max = 0.0
        self.steps = self.clipped = self.refused = 0
        self.threshold: float | None = None

    def add(self, loss: float, weight: float, norm: float, threshold: float | None) -> None:
        if not math.isfinite(norm):
            self.refused += 1
            return
        self.loss += loss * weight
        self.weight += weight
        self.norm += norm
        self.norm_max = max(self.norm_max, norm)
        self.clipped += threshold is not None and norm > threshold
        self.threshold = threshold
        self.steps += 1

    def record(self, epoch: int, step: int, rate: float) -> Step:
        """Means over the steps; nan if every step was refused."""
        steps = self.steps or math.nan
        return Step(
            epoch=epoch,
            step=step,
            loss=self.loss / (self.weight or math.nan),
            gradient_norm=self.norm / steps,
            gradient_norm_max=self.norm_max,
            clipped_fraction=self.clipped / steps,
            refused=self.refused,
            learning_rate=rate,
            threshold=self.threshold,
        )
