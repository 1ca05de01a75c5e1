"""Edit distance and error rates, against the definition."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as draw

from rnnkit.metrics import TranscriptMeter
from rnnkit.metrics.texts import edit_distance

TEXTS = draw.text("ab c", max_size=7)


def edits_by_definition(text: str, reference: str) -> int:
    """Fewest insertions, deletions and substitutions, by recursion over the last symbols."""

    @cache
    def edits(a: int, b: int) -> int:
        if not a or not b:
            return a + b
        replaced = edits(a - 1, b - 1) + (text[a - 1] != reference[b - 1])
        return min(replaced, edits(a - 1, b) + 1, edits(a, b - 1) + 1)

    return edits(len(text), len(reference))


@given(TEXTS, TEXTS)
def test_edit_distance_is_that_of_the_definition(text: str, reference: str) -> None:
    assert edit_distance(text, reference) == edits_by_definition(text, reference)


@given(draw.lists(draw.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_error_rates_are_edits_over_symbols_of_all_references(
    pairs: list[tuple[str, str]],
) -> None:
    meter = TranscriptMeter()
    for pair in pairs:
        meter.update(*([text] for text in pair))
    metrics = meter.compute()
    unspaced = [tuple("".join(text.split()) for text in pair) for pair in pairs]
    characters = max(1, sum(len(reference) for _, reference in unspaced))
    edits = sum(edits_by_definition(*pair) for pair in unspaced)
    assert metrics["cer"] == pytest.approx(edits / characters)
    words = max(1, sum(len(reference.split()) for _, reference in pairs))
    edits = sum(edit_distance(*(text.split() for text in pair)) for pair in pairs)
    assert metrics["wer"] == pytest.approx(edits / words)
    right = sum(text == reference for text, reference in pairs)
    assert metrics["sequence_accuracy"] == right / len(pairs)
