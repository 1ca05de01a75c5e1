"""Learning-rate schedules; `rnnkit.training.learning_rate` computes them."""

from typing import Annotated, Literal

from pydantic import Field

from rnnkit.params.block import Block

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


Schedule = Annotated[
    Constant | Decay | Plateau | Cosine | Warmup,
    Field(discriminator="kind"),
]
