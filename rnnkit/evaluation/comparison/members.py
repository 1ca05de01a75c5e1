"""Variants x seeds of one params file, each a complete experiment."""

from collections.abc import Sequence
from typing import NamedTuple

from rnnkit.errors import InputError
from rnnkit.params import Experiment

BASE = "base"
"""Variant name if only seeds are compared."""


class Member(NamedTuple):
    """One run of a comparison."""

    variant: str
    experiment: Experiment


def members(experiment: Experiment) -> Sequence[Member]:
    """Every variant with every seed, in the order of the params file.

    Raises:
        InputError: there are neither variants nor seeds.
    """
    if not experiment.variants and not experiment.seeds:
        raise InputError(
            f"{experiment.name}: there is nothing to compare; give variants, as "
            "variants: {gru: {}, lstm: {model.cell.kind: lstm}}, or seeds: [0, 1, 2], or runs by id"
        )
    single = experiment.replace({"variants": {}, "seeds": ()})
    return [
        Member(variant, single.replace({**overrides, "seed": seed}))
        for variant, overrides in (experiment.variants or {BASE: {}}).items()
        for seed in experiment.seeds or (experiment.seed,)
    ]
