"""How the weights are found."""

from typing import Annotated, Literal

from pydantic import Field

from rnnkit.params.block import Block
from rnnkit.params.schedule import Constant, Schedule

LearningRate = Annotated[float, Field(gt=0, le=100)]


class Adam(Block):
    """Adam (Kingma and Ba 2015)."""

    kind: Literal["adam"] = "adam"
    learning_rate: LearningRate = 1e-3
    l2: float = Field(default=0.0, ge=0, le=100)
    """Adds l2·‖W‖² over weight matrices to what is differentiated, not to the reported loss."""


class SGD(Block):
    """Stochastic gradient descent, with momentum if wanted."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: LearningRate = 1.0
    momentum: float = Field(default=0.0, ge=0, lt=1)
    l2: float = Field(default=0.0, ge=0, le=100)
    """Adds l2·‖W‖² over weight matrices to what is differentiated, not to the reported loss."""


Optimizer = Annotated[Adam | SGD, Field(discriminator="kind")]


class EarlyStopping(Block):
    """Stop when the monitored metric has not improved for a while."""

    patience: int = Field(default=3, ge=1, le=10_000)
    """Epochs without improvement before training stops."""


class Train(Block):
    """One training."""

    epochs: int = Field(default=10, ge=1, le=100_000)
    batch_size: int = Field(default=32, ge=1, le=65_536)
    """Sequences per step."""
    optimizer: Optimizer = Adam()
    schedule: Schedule = Constant()
    """How the learning rate changes; it is reported as `train/learning_rate`."""
    clip: Annotated[float, Field(gt=0)] | Literal["auto"] | None = 5.0
    """The largest global gradient norm (Pascanu et al. 2013); auto: the 10th percentile of the
    norms so far (Seetharaman et al. 2020); null: no clipping."""
    bptt: int | None = Field(default=None, ge=1, le=1_000_000)
    """Truncated backpropagation through time: sequences are run in windows of so many steps, with
    one update each; null: full. Unit: steps."""
    monitor: str = "valid/loss"
    """What "best" means: for the checkpoint that is kept, for early stopping and for a sweep."""
    early_stopping: EarlyStopping | None = EarlyStopping()
    """null: train for all epochs."""
    threads: int = Field(default=1, ge=1, le=1024)
    """Threads inside one training; small networks are fastest with one."""
    start_from: str | None = None
    """The folder of a finished run whose weights are the start, to be fine-tuned: its model must be
    like this one but for tokens and labels, which are matched by their names."""
