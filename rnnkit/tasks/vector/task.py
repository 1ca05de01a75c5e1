"""Vector: a vector in, a label or numbers out (one-to-one)."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.scale import Scaler
from rnnkit.metrics import NumberMeter
from rnnkit.nn.losses import squared
from rnnkit.tasks.classification.task import Classification
from rnnkit.tasks.interface import Baseline
from rnnkit.tasks.regression.task import Regression
from rnnkit.tasks.vector import examples
from rnnkit.tasks.vector.baselines import best_constant, constant_target, nearest_neighbour

BASELINES: Mapping[str, Baseline] = {
    "constant target": constant_target,
    "best constant on valid": best_constant,
    "nearest neighbour": nearest_neighbour,
}


class Vector(Classification):
    """As classification; outputs are [batch, classes]."""

    fitted_type = examples.VectorFitted
    baselines = BASELINES
    read_at_once = "one vector"


class VectorOfNumbers(Regression):
    """Squared error on numbers that are scaled like the vectors; outputs are [batch, targets]."""

    fitted_type = examples.VectorFitted
    meter_type = NumberMeter
    baselines = BASELINES
    read_at_once = "one vector"
    readout = "numbers"

    @property
    def scaler(self) -> Scaler:
        scaler: Scaler = self.fitted.scaler
        return scaler

    def loss(self, outputs: Float[Tensor, "batch targets"], batch: Batch) -> Float[Tensor, ""]:
        return squared(outputs, self.truth(batch)).mean()
