"""What a training yields: records of its steps and epochs, and its state between two steps."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from rnnkit.data.windows import Window
from rnnkit.metrics import Metrics
from rnnkit.nn.model.stack import States

LAST_NORMS = 50


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
    clip_scale: float
    """Mean of what clipping multiplied the gradients by: threshold / norm, or 1."""
    norm_max_step: int
    """The step with the largest norm; 0: none was finite."""


@dataclass
class Tally:
    """Sums over steps; refused steps count only in `refused`."""

    loss: float = 0.0
    weight: float = 0.0
    norm: float = 0.0
    norm_max: float = 0.0
    steps: int = 0
    clipped: int = 0
    refused: int = 0
    threshold: float | None = None
    rate: float = math.nan
    """Learning rate of the last step."""
    scale: float = 0.0
    norm_max_step: int = 0

    def add(
        self,
        step: int,
        loss: float,
        weight: float,
        norm: float,
        threshold: float | None,
        rate: float,
    ) -> None:
        self.rate = rate
        if not math.isfinite(norm):
            self.refused += 1
            return
        self.loss += loss * weight
        self.weight += weight
        self.norm += norm
        if norm >= self.norm_max:
            self.norm_max, self.norm_max_step = norm, step
        is_clipped = threshold is not None and norm > threshold
        self.clipped += is_clipped
        self.scale += threshold / norm if threshold is not None and is_clipped else 1.0
        self.threshold = threshold
        self.steps += 1

    def record(self, epoch: int, step: int) -> Step:
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
            learning_rate=self.rate,
            threshold=self.threshold,
            clip_scale=self.scale / steps,
            norm_max_step=self.norm_max_step,
        )


@dataclass(frozen=True)
class Within:
    """The position inside an epoch, between two steps."""

    windows: int
    """Windows of the epoch that are done."""
    seconds: float
    """Time spent on the epoch."""
    recent: Tally
    """Steps since the previous Step record."""
    total: Tally
    """Steps of the epoch."""
    random: Tensor
    """State of the random generator of dropout and scheduled sampling."""
    states: dict[str, Tensor] = field(default_factory=dict)
    """Recurrent state for the next window, by `cell/field`; empty: it begins a sequence."""


@dataclass(frozen=True)
class HalfRate:
    """Training went back to the end of an epoch, to train on with half the learning rate."""

    epoch: int
    """That epoch; 0: the start."""
    step: int
    """Its last step."""
    refused_from: int
    """The first of the steps without a finite gradient."""

    @property
    def sentence(self) -> str:
        """What happened, as `training` in result.json says it."""
        back = f"the end of epoch {self.epoch}" if self.epoch else "the start"
        return (
            f"No gradient was finite from step {self.refused_from} on; trained again from {back} "
            "with half the learning rate."
        )


@dataclass(frozen=True)
class State:
    """The training state between two steps or two epochs, complete for a resume."""

    epoch: int
    """Finished epochs."""
    step: int
    weights: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    best: float | None
    best_epoch: int
    norms: tuple[float, ...] = ()
    """Gradient norms so far, sorted; only with `clip: auto`."""
    last_norms: tuple[float, ...] = ()
    """Gradient norms of the last `LAST_NORMS` steps that were not refused."""
    reductions: int = 0
    """Number of learning rate reductions on plateaus."""
    reduced_epoch: int = 0
    """The epoch of the last reduction."""
    refused: int = 0
    """Steps without a finite gradient in a row, up to here."""
    half_rate: HalfRate | None = None
    """None: the learning rate is as in the params."""
    within: Within | None = None
    """None: the next epoch has not begun."""

    @staticmethod
    def start() -> "State":
        """The state before the first step: the network keeps its initial weights."""
        return State(0, 0, {}, {}, None, 0)


@dataclass(frozen=True)
class Position:
    """A point between two steps, or between the last step of an epoch and its validation."""

    epoch: int
    """The epoch under way."""
    step: int
    is_trained: bool
    """Whether the validation follows."""
    state: Callable[[], State]
    """Copies the state; to be called before the next record is asked for."""


@dataclass(frozen=True, eq=False)
class Refused:
    """A step whose gradient was not finite, after one whose gradient was; the weights are those
    before it."""

    epoch: int
    """The epoch under way."""
    step: int
    loss: float
    last_norms: tuple[float, ...]
    """Gradient norms of the steps before it, as in `State`."""
    window: Window
    states: States | None
    """Recurrent state before the window; None: the initial one."""
    weights: Callable[[], dict[str, Tensor]]
    """Copies them; to be called before the next record is asked for."""


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
