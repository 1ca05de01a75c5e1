"""Rules for the variants of a comparison, and whether the tokens of two networks allow one."""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from rnnkit.params.block import reason_of
from rnnkit.params.misplaced import instead
from rnnkit.params.task import Captioning, LanguageModeling
from rnnkit.params.unchecked import UncheckedExperiment

FIXED: Mapping[str, str] = {
    "name": "a comparison has one name",
    "seed": "seeds are compared over all variants; give them as seeds: [0, 1, 2]",
    "task.kind": "networks of different tasks cannot be compared",
    "data.source": "variants are compared on the same test items",
    "data.split": "variants are compared on the same test items",
    "data.limit": "variants are compared on the same test items",
    "tune": "a comparison trains each variant as it stands; tune first and write the values in",
    "train.checkpoint_seconds": "it changes no result; set it in the train block",
    "variants": "variants have no variants",
    "seeds": "all variants have the same seeds",
}
"""Keys and blocks that variants cannot change, and why."""
OF_TOKENS = ("loss", "perplexity", "accuracy")
"""Metrics per token; shorter tokens improve them."""


def variant_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Violated rules for variants and seeds, each as `params path: reason`."""
    variants, seeds = experiment.variants, experiment.seeds
    if len(set(seeds)) < len(seeds):
        yield f"seeds must be distinct, got {', '.join(map(str, seeds))}"
    if (variants or seeds) and experiment.tune is not None:
        yield f"{'variants' if variants else 'seeds'}: {FIXED['tune']}"
    members = dict[str, UncheckedExperiment]()
    for name, overrides in variants.items():
        here = f"variants.{name}"
        for path in overrides:
            for fixed, why in FIXED.items():
                if path == fixed or path.startswith(f"{fixed}."):
                    yield f"{here}.{path}: {why}"
        try:
            members[name] = experiment.replace({**overrides, "variants": {}, "seeds": ()})
        except KeyError as error:
            hint = instead(error.args[0], experiment.model_dump())
            yield f"{here}: there is no key {error.args[0]}{hint}"
        except ValidationError as error:
            first = error.errors()[0]
            reason, where = reason_of(first), ".".join(map(str, first["loc"]))
            yield f"{here}: {where + ': ' if where else ''}{reason}"
    for name, member in members.items():
        reference = next(iter(members))
        measure = "wer" if has_reference_text(member) else "loss"
        if misfit := incomparable_because(members[reference], member, measure):
            yield f"variants.{name}: not comparable with {reference}: {misfit}"


def has_reference_text(experiment: UncheckedExperiment) -> bool:
    """Whether there is a correct text; a category has many plausible texts."""
    task, data = experiment.task, experiment.data
    return not (isinstance(task, Captioning) and data.source.form == "labelled_text")


def incomparable_because(
    first: UncheckedExperiment, second: UncheckedExperiment, measure: str
) -> str | None:
    """Why two networks of one task cannot be compared by a metric; None: their tokens allow it.

    Decoded texts are comparable across tokenizers by metrics of whole texts, if the reference texts
    are the same.
    """
    if isinstance(first.task, LanguageModeling) and first.data.tokenizer != second.data.tokenizer:
        return "perplexities of other tokens could not be compared"
    if not first.task.decodes_text:
        return None
    if first.data.text_changes != second.data.text_changes:
        return (
            "the reference texts would differ (lower-cased, normalized or split at punctuation), "
            "so scores are not comparable"
        )
    if measure in OF_TOKENS and first.data.output_tokenizer != second.data.output_tokenizer:
        return f"{measure} is per token, and the tokens would differ; use a measure of whole texts"
    return None
