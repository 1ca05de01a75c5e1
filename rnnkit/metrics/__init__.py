"""Meters accumulate predictions by batch; `compute` gives the metrics of a whole split.

| module | meter | predictions |
|---|---|---|
| `labels` | `LabelMeter` | one label per sequence or per token |
| `entities` | `EntityMeter` | tags that make up entities |
| `labels` | `NoteMeter` | polyphonic notes |
| `labels` | `TokenMeter` | next tokens |
| `labels` | `AnswerMeter` | answers to a memory problem |
| `texts` | `TextMeter` | generated texts |
| `texts` | `TranscriptMeter` | transcripts of recordings |
| `numbers` | `NumberMeter` | numbers in their own units |
| `numbers` | `ForecastMeter` | the next values of series, in their own units |

Averages are over real items, never over batches. Losses are in `rnnkit.nn.losses`.
"""

from rnnkit.metrics.entities import EntityMeter, are_entities, entity_counts, scores_by_type
from rnnkit.metrics.labels import AnswerMeter, LabelMeter, NoteMeter, TokenMeter
from rnnkit.metrics.numbers import ForecastMeter, NumberMeter
from rnnkit.metrics.texts import (
    TextMeter,
    TranscriptMeter,
    bleu_of,
    bleu_statistics,
    least_edits,
)
from rnnkit.metrics.values import Metrics

__all__ = [
    "AnswerMeter",
    "EntityMeter",
    "ForecastMeter",
    "LabelMeter",
    "Metrics",
    "NoteMeter",
    "NumberMeter",
    "TextMeter",
    "TokenMeter",
    "TranscriptMeter",
    "are_entities",
    "bleu_of",
    "bleu_statistics",
    "entity_counts",
    "least_edits",
    "scores_by_type",
]
