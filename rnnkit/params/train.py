"""Optimization: optimizer, schedule, clipping, truncation, early stopping.

`rnnkit.training.learning_rate` computes the schedules.
"""

from typing import Annotated, Literal

from pydantic import Field

from rnnkit.params.block import Block

LearningRate = Annotated[float, Field(gt=0, le=100)]


class Adam(Block):
    """Adam (Kingma and Ba 2015)."""

    kind: Literal["adam"] = "adam"
    learning_rate: LearningRate = 1e-3
    l2: float = Field(default=0.0, ge=0, le=100)
    """Adds l2·‖W‖² over weight matrices to the training loss, not to the reported loss."""


class SGD(Block):
    """Stochastic gradient descent with optional momentum."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: LearningRate = 1.0
    momentum: float = Field(default=0.0, ge=0, lt=1)
    l2: float = Field(default=0.0, ge=0, le=100)
    """Adds l2·‖W‖² over weight matrices to the training loss, not to the reported loss."""


Optimizer = Annotated[Adam | SGD, Field(discriminator="kind")]


Factor = Annotated[float, Field(gt=0, lt=1)]


class Constant(Block):
    """Constant learning rate."""

    kind: Literal["constant"] = "constant"


class Decay(Block):
    """Constant for `after` epochs, then times `factor` every epoch (Zaremba et al. 2014)."""

    kind: Literal["decay"] = "decay"
    factor: Factor = 0.5
    after: int = Field(default=4, ge=0, le=100_000)
    """Epochs at the full rate."""


class Plateau(Block):
    """Multiplied by `factor` when the monitored metric stops improving."""

    kind: Literal["plateau"] = "plateau"
    factor: Factor = 0.5
    patience: int = Field(default=2, ge=1, le=10_000)
    """Epochs without improvement, or since the last reduction, before the rate falls."""


class Cosine(Block):
    """Half a cosine from the full rate down to `final` (Loshchilov and Hutter 2017)."""

    kind: Literal["cosine"] = "cosine"
    warmup: int = Field(default=0, ge=0, le=100_000_000)
    """Steps of linear growth before the cosine."""
    final: float = Field(default=0.0, ge=0, lt=1)
    """Fraction of the full rate at the last step."""


class Warmup(Block):
    """Linear growth, then constant."""

    kind: Literal["warmup"] = "warmup"
    steps: int = Field(default=100, ge=1, le=100_000_000)
    """Steps until the full rate is reached."""


Schedule = Annotated[Constant | Decay | Plateau | Cosine | Warmup, Field(discriminator="kind")]


class EarlyStopping(Block):
    """Stop when the monitored metric stops improving."""

    patience: int = Field(default=3, ge=1, le=10_000)
    """Epochs without improvement before training stops."""


Kernel = Literal["auto", "numba", "torch", "steps"]


class Train(Block):
    """Params of a training run."""

    epochs: int = Field(default=10, ge=1, le=100_000)
    batch_size: int = Field(default=32, ge=1, le=65_536)
    """Sequences per step."""
    optimizer: Optimizer = Adam()
    schedule: Schedule = Constant()
    """Learning-rate schedule; the rate is reported as `train/learning_rate`."""
    clip: Annotated[float, Field(gt=0)] | Literal["auto"] | None = 5.0
    """Maximum global gradient norm (Pascanu et al. 2013); auto: the 10th percentile of the
    norms so far (Seetharaman et al. 2020); null: no clipping."""
    bptt: int | None = Field(default=None, ge=1, le=1_000_000)
    """Window of truncated backpropagation through time, with one update each; null: no truncation.
    Unit: steps."""
    monitor: str | None = None
    """Metric that selects the best checkpoint and trial, and stops training early; null: the metric
    that decides whether the network beats a baseline."""
    early_stopping: EarlyStopping | None = EarlyStopping()
    """On by default; null: train for all epochs. A run says at its end whether it stopped early."""
    threads: int = Field(default=1, ge=1, le=1024)
    """Threads per training process; small networks are fastest with one."""
    kernel: Kernel = "auto"
    """What recurrences run on. numba: compiled code, the fastest, compiled once on a machine, in
    about 12 s; torch: torch's layers; steps: the cell's step in a loop, which defines the others;
    auto: numba in trainings that are long enough to gain by it, else torch, as in everything that
    comes after training. Where torch lacks a layer the step runs. Results differ by rounding."""
    start_from: str | None = None
    """Folder of a finished run whose weights to fine-tune. Its model must be the same, except for
    tokens and labels, which are matched by name."""
    checkpoint_seconds: float | None = Field(default=60.0, gt=0, le=86_400)
    """Seconds between checkpoints within an epoch; more where writing one takes over 1 % of them.
    null: at the ends of epochs and at signals only. No part of a run's id: it changes no result."""
