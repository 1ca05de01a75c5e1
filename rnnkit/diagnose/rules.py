"""The table of rules: every verdict with its weight, its thresholds and when it is reached.

The functions that judge by these rules stand beside the measurements that they read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnnkit.diagnose.verdict import Override, Verdict
from rnnkit.params.block import FrozenDict


@dataclass(frozen=True)
class Rule:
    """When a verdict is reached.

    Args:
        name: of the verdict.
        weight: the weightiest verdicts are shown first.
        when: the condition, in words; `{threshold}` stands for a threshold.
        thresholds: by name.
    """

    name: str
    weight: float
    when: str
    thresholds: Mapping[str, float] = FrozenDict()

    def __getitem__(self, threshold: str) -> float:
        return self.thresholds[threshold]

    @property
    def condition(self) -> str:
        """`when`, with the thresholds in place."""
        return self.when.format(**{name: f"{value:g}" for name, value in self.thresholds.items()})

    def verdict(
        self, sentence: str, evidence: Mapping[str, Any], overrides: tuple[Override, ...] = ()
    ) -> Verdict:
        """A verdict of this rule."""
        return Verdict(self.name, sentence, evidence, overrides, self.weight)


_RULES = (
    Rule(
        "not_finite",
        100,
        "the loss or the gradient of a training step was not a finite number",
    ),
    Rule(
        "exploding_gradient",
        90,
        "the gradient exceeds 1e10 of its norm at the loss within the probed steps or, where a "
        "line explains more than {fit} of its logarithm, by the slope within {steps} steps",
        {"fit": 0.9, "steps": 200},
    ),
    Rule(
        "exploding_activations",
        85,
        "the largest absolute activation of a layer is above {size}",
        {"size": 1e4},
    ),
    Rule(
        "vanishing_gradient",
        80,
        "in every layer the gradient falls under 1e-6 of its norm at the loss before {reach} of "
        "the steps to what the answer depends on, or, where those are not known, before {steps} "
        "steps; and the network does not beat its best baseline",
        {"reach": 0.9, "steps": 10},
    ),
    Rule(
        "learning_rate_too_high",
        65,
        "the training losses of the last two epochs are at least {rise} times the lowest one; "
        "or it is above that of the first steps, and the network does not beat its best baseline",
        {"rise": 1.5},
    ),
    Rule(
        "clips_every_step",
        64,
        "at least {share} of the steps were clipped, the gradients were multiplied by at most "
        "{scale} on average, and the network does not beat its best baseline",
        {"share": 0.95, "scale": 0.1},
    ),
    Rule(
        "forgets",
        62,
        "the memory span is less than {fraction} of the lag up to which the data depend on their "
        "past, and the network does not beat its best baseline",
        {"fraction": 0.5},
    ),
    Rule(
        "short_gates",
        60,
        "the gates keep the state for less than {reach} of the steps to what the answer depends "
        "on, and the network does not beat its best baseline",
        {"reach": 0.1},
    ),
    Rule(
        "learning_rate_too_low",
        58,
        "the training loss fell by less than {fall} of itself in all, in the last epoch by more "
        "than {steady} of its fall in the second, the last epoch is the best, and the network does "
        "not beat its best baseline",
        {"fall": 0.3, "steady": 0.5},
    ),
    Rule(
        "dead_units",
        55,
        "more than {fraction} of the ReLU units of a layer are 0 at every probed step",
        {"fraction": 0.5},
    ),
    Rule(
        "saturated_units",
        50,
        "more than {fraction} of the activations of a vanilla layer lie where the activation's "
        "slope is below {slope} of its largest",
        {"fraction": 0.6, "slope": 0.02},
    ),
    Rule(
        "truncation_too_short",
        48,
        "the memory span is longer than `train.bptt`",
    ),
    Rule(
        "too_few_epochs",
        42,
        "the training loss fell by more than {last_fall} in the last epoch, which is the best, and "
        "the network does not beat its best baseline",
        {"last_fall": 0.01},
    ),
    Rule(
        "overfitting",
        40,
        "the last validation loss is at least {rise} times the lowest, and the training loss fell "
        "to less than {fall} of what it was at the lowest",
        {"rise": 1.5, "fall": 0.8},
    ),
    Rule(
        "underfitting",
        35,
        "the training loss falls no more, the validation loss is at most {gap} times the training "
        "loss, and the network does not beat its best baseline",
        {"gap": 1.3},
    ),
    Rule(
        "never_predicted",
        32,
        "a class with at least {share} of the test labels is never predicted",
        {"share": 0.05},
    ),
    Rule(
        "spikes",
        30,
        "a gradient norm above 10 times the median kept more than {kept} of its size, and the "
        "training loss of its epoch is above that of the epoch before",
        {"kept": 0.5},
    ),
    Rule(
        "overconfident",
        25,
        "the mean confidence is at least {above} above the accuracy, of at least {items} items",
        {"above": 0.15, "items": 100},
    ),
    Rule(
        "errors_on_long_items",
        20,
        "the error of the longest third of the test items is at least {error} and {times} times "
        "that of the shortest third",
        {"error": 0.3, "times": 3},
    ),
    Rule(
        "truncation_too_long",
        5,
        "`train.bptt` is at least {steps} and more than {times} times the memory span and the lag "
        "up to which the data depend on their past",
        {"steps": 50, "times": 8},
    ),
)

RULES: Mapping[str, Rule] = {rule.name: rule for rule in _RULES}
"""Name -> rule, the weightiest first."""
