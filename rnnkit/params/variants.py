"""Rules for the variants of a comparison."""

from collections.abc import Mapping

from pydantic import ValidationError

from rnnkit.params import tokens
from rnnkit.params.block import reason_of
from rnnkit.params.unchecked import UncheckedExperiment

FIXED: Mapping[str, str] = {
    "name": "a comparison has one name",
    "seed": "seeds are compared over all variants; give them as seeds: [0, 1, 2]",
    "task.kind": "networks of different tasks cannot be compared",
    "data.source": "variants are compared on the same test items",
    "data.split": "variants are compared on the same test items",
    "data.limit": "variants are compared on the same test items",
    "tune": "a comparison trains each variant as it stands; tune first and write the values in",
    "variants": "variants have no variants",
    "seeds": "all variants have the same seeds",
}
"""Keys and blocks that variants cannot change, and why."""


def refuse_misfits(experiment: UncheckedExperiment) -> None:
    """Raise ValueError for variants that cannot be compared."""
    variants, seeds = experiment.variants, experiment.seeds
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be distinct, got {', '.join(map(str, seeds))}")
    if (variants or seeds) and experiment.tune is not None:
        raise ValueError(f"{'variants' if variants else 'seeds'}: {FIXED['tune']}")
    members = dict[str, UncheckedExperiment]()
    for name, overrides in variants.items():
        for path in overrides:
            here = f"variants.{name}.{path}"
            for fixed, why in FIXED.items():
                if path == fixed or path.startswith(f"{fixed}."):
                    raise ValueError(f"{here}: {why}")
        try:
            members[name] = experiment.replace({**overrides, "variants": {}, "seeds": ()})
        except KeyError as error:
            raise ValueError(f"variants.{name}: there is no key {error.args[0]}") from None
        except ValidationError as error:
            first = error.errors()[0]
            reason, where = reason_of(first), ".".join(map(str, first["loc"]))
            raise ValueError(f"variants.{name}: {where + ': ' if where else ''}{reason}") from None
    for name, member in members.items():
        reference = next(iter(members))
        measure = "wer" if tokens.has_right_text(member) else "loss"
        if misfit := tokens.why_not(members[reference], member, measure):
            raise ValueError(f"variants.{name}: not comparable with {reference}: {misfit}")
