"""A claim's file: a sentence, the trainings that test it, and predictions of what they score."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field, ValidationError

from rnnkit.claims.predicted import Prediction
from rnnkit.errors import InputError
from rnnkit.evaluation.comparison.members import members
from rnnkit.params import Experiment, build
from rnnkit.params.block import Block, FrozenDict, FrozenMapping, reason_of
from rnnkit.params.tree import read

ONLY = ""
"""Name of the condition of a claim without conditions."""


class Claim(Block):
    """A claim, and how it is tested.

    Every variant is trained with every seed under every condition. Variants are compared on the
    same items; conditions may be of other data.
    """

    claim: str
    """The sentence."""
    metric: str
    """Metric of the test split that the predictions are about."""
    axis: str = "condition"
    """What the conditions differ by."""
    conditions: FrozenMapping[str, FrozenMapping[str, Any]] = FrozenDict({ONLY: FrozenDict()})
    """Condition -> its changes of the params, by path."""
    params: FrozenMapping[str, Any]
    """The experiment, with `variants` and `seeds`."""
    predictions: Annotated[tuple[Prediction, ...], Field(strict=False, min_length=1)]

    def experiments(self, name: str, changes: Mapping[str, Any]) -> dict[str, Experiment]:
        """Condition -> its comparison.

        Args:
            name: of the claim.
            changes: further changes of the params, as to make the trainings short.

        Raises:
            InputError: a rule of params does not hold, or a prediction names what is not there.
        """
        experiments = {
            condition: build({"name": name, **self.params}, {**own, **changes})
            for condition, own in self.conditions.items()
        }
        names = [*next(iter(experiments.values())).variants]
        for prediction in self.predictions:
            for variant in prediction.variants:
                if variant not in names:
                    raise InputError(
                        f"{name}: predictions: {variant} is no variant; there are "
                        f"{', '.join(names)}"
                    )
            for condition in prediction.conditions:
                if condition not in experiments:
                    raise InputError(
                        f"{name}: predictions: {condition} is no condition; there are "
                        f"{', '.join(experiments)}"
                    )
        return experiments


class Training(NamedTuple):
    """One training of a claim."""

    condition: str
    variant: str
    experiment: Experiment


def load(file: Path) -> Claim:
    """A claim from its YAML file.

    Raises:
        InputError: the file is not valid; one line says why.
    """
    tree = read(file)
    try:
        return Claim.model_validate(tree.values)
    except ValidationError as error:
        first = error.errors()[0]
        path = tuple(map(str, first["loc"]))
        raise InputError(f"{tree.place(path)}: {'.'.join(path)}: {reason_of(first)}") from None


def trainings(experiments: Mapping[str, Experiment]) -> Sequence[Training]:
    """Every condition, variant and seed, in the order of the file."""
    return [
        Training(condition, member.variant, member.experiment)
        for condition, experiment in experiments.items()
        for member in members(experiment)
    ]
