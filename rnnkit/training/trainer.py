"""A network and its optimizer under way through an epoch: one update, and the state in between."""

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.windows import Window, count_windows, has_targets, training_windows
from rnnkit.nn.model.network import Synced
from rnnkit.nn.model.stack import States, as_tensors, map_states, use_kernel, without_masks
from rnnkit.params.experiment import Experiment
from rnnkit.params.train import Cosine
from rnnkit.runtime import numerics
from rnnkit.tasks import Task, task_for
from rnnkit.training.gradients import FlatParameters, Threshold
from rnnkit.training.learning_rate import learning_rate
from rnnkit.training.optimizer import make_optimizer
from rnnkit.training.pretrained import start
from rnnkit.training.state import LAST_NORMS, Refused, State, Tally, Within


class Trainer:
    """A network, its optimizer and its position in an epoch.

    Args:
        experiment: what is trained, with its kernel.
        prepared: the data.
        state: to begin or resume from.
    """

    def __init__(self, experiment: Experiment, prepared: Prepared, state: State) -> None:
        params = experiment.train
        self.task = task_for(experiment.task, prepared)
        self.network = make_network(experiment, self.task)
        use_kernel(self.network, params.kernel)
        if state.weights:
            self.network.load_state_dict(state.weights)
        self._flat = FlatParameters(self.network)
        self._optimizer = make_optimizer(
            params.optimizer, self._flat.values, _copied(state.optimizer)
        )
        self._threshold = Threshold(params.clip, state.norms)
        self._last_norms = deque(state.last_norms, maxlen=LAST_NORMS)
        self._experiment, self._split = experiment, prepared.splits["train"]
        self.planned_steps = planned_steps(experiment, self._split)
        self._before = state  # of the epoch under way
        self.step, self.refused = state.step, state.refused
        self.loss = math.nan
        """Of the last step."""
        self.recent, self.total = Tally(), Tally()
        self._windows, self._began = 0, 0.0
        self._states: States | None = None
        self._before_window: States | None = None  # the state that the last window began with

    def windows(self, state: State) -> Iterator[Window]:
        """Begin an epoch, or go on within it; yield its windows that have targets and are not yet
        done."""
        seed, epoch = self._experiment.seed, state.epoch + 1
        self._before, self.step, self.refused = state, state.step, state.refused
        self.recent, self.total, self._windows, self._states = Tally(), Tally(), 0, None
        self._began = time.perf_counter()
        numerics.seed_dropout(seed, "dropout", epoch)
        if (within := state.within) is not None:
            numerics.restore_dropout(within.random)
            self.recent, self.total = replace(within.recent), replace(within.total)
            self._began -= within.seconds
            if within.states:
                self._states = self._synced.stack.from_tensors(within.states)
        done = 0 if within is None else within.windows
        self.network.train()
        order = numerics.generator(seed, "order", epoch)
        windows = training_windows(self._split, self._experiment, order)
        for number, window in enumerate(windows, start=1):
            if number > done and has_targets(window.batch):
                self._windows = number
                yield window

    def update(self, window: Window, rate: float | None = None) -> None:
        """One step of the optimizer on a window; without a finite gradient nothing changes.

        Args:
            rate: learning rate; None: that of the params.
        """
        params = self._experiment.train
        rate = self._rate() if rate is None else rate
        self._flat.zero_gradients()
        loss = self._loss(window)
        loss.backward()
        self._flat.add_l2(params.optimizer.l2)
        norm, limit = self._flat.gradient_norm(), None
        if math.isfinite(norm):
            limit = self._threshold.at(norm)
            self._flat.clip(norm, limit)
            self._optimizer.step(rate)
            self._last_norms.append(norm)
        self.step += 1
        self.refused = 0 if math.isfinite(norm) else self.refused + 1
        self.loss = loss.item()
        update = self.step, self.loss, self.task.weight(window.batch), norm, limit, rate
        self.recent.add(*update)
        self.total.add(*update)

    def _rate(self) -> float:
        """The learning rate of the next step."""
        before, steps = self._before, self.planned_steps
        params, epoch = self._experiment.train, before.epoch + 1
        rate = learning_rate(params, epoch, self.step, steps, before.reductions)
        return rate if before.half_rate is None else rate / 2

    def refusal(self, window: Window) -> Refused:
        """The record of the last step, which was refused.

        Args:
            window: of that step.
        """
        return Refused(
            epoch=self._before.epoch + 1,
            step=self.step,
            loss=self.loss,
            last_norms=tuple(self._last_norms),
            window=window,
            states=self._before_window,
            weights=lambda: _copied(self.network.state_dict()),
        )

    def state(self) -> State:
        """A copy of the state after the last step."""
        within = Within(
            windows=self._windows,
            seconds=self.seconds,
            recent=replace(self.recent),
            total=replace(self.total),
            random=numerics.dropout_state(),
            states={} if self._states is None else _copied(as_tensors(self._states)),
        )
        return replace(
            self._before,
            step=self.step,
            refused=self.refused,
            weights=_copied(self.network.state_dict()),
            optimizer=_copied(self._optimizer.state),
            norms=tuple(self._threshold.norms),
            last_norms=tuple(self._last_norms),
            within=within,
        )

    @property
    def seconds(self) -> float:
        """Time spent on the epoch, over restarts."""
        return time.perf_counter() - self._began

    @property
    def _synced(self) -> Synced:
        assert isinstance(self.network, Synced)
        return self.network

    def _loss(self, window: Window) -> Tensor:
        """The loss to differentiate; keeps the states for the next window."""
        batch, states = window.batch, self._states
        if states is not None and self._experiment.task.carries_state:
            states = without_masks(states)  # an endless sequence: draw new masks
        if window.begins and window.ends:
            progress = self._before.epoch / max(1, self._experiment.train.epochs - 1)
            self._states = self._before_window = None
            return self.task.training_loss(self.task.forward(self.network, batch, progress), batch)
        before = self._before_window = None if window.begins else states
        outputs, after = self._synced.run(batch.inputs, batch.mask, before, not window.ends, "auto")
        self._states = None if after is None else map_states(Tensor.detach, after)
        return self.task.training_loss(outputs, batch)


def make_network(experiment: Experiment, task: Task) -> nn.Module:
    """The experiment's network before the first step.

    Raises:
        InputError: pretrained word vectors or weights do not fit it.
    """
    network = task.network(experiment.model, numerics.generator(experiment.seed, "weights"))
    start(network, experiment, task.prepared)
    return network


def planned_steps(experiment: Experiment, split: EncodedSplit) -> int:
    """Steps of all epochs. Where sequences are truncated, epochs have different numbers of windows:
    a cosine needs each of them, for the rest the first epoch's is near enough."""
    params = experiment.train
    exact = params.bptt is not None and isinstance(params.schedule, Cosine)
    epochs = range(1, params.epochs + 1 if exact else 2)
    orders = (numerics.generator(experiment.seed, "order", epoch) for epoch in epochs)
    steps = sum(count_windows(split, experiment, order) for order in orders)
    return steps if exact else params.epochs * steps


def _copied(tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: v.clone() for name, v in tensors.items() if isinstance(v, Tensor)}
