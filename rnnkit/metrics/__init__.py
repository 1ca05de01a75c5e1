"""Meters accumulate predictions batch by batch and compute the metrics of a whole split.

| module | meter | predictions |
|---|---|---|
| `labels` | `LabelMeter` | one label per sequence or per token |
| `labels` | `EntityMeter` | tags that make up entities |
| `tokens` | `TokenMeter` | next tokens |
| `texts` | `TextMeter` | generated texts |
| `texts` | `TranscriptMeter` | transcripts of recordings |
| `answers` | `AnswerMeter` | answers to a memory problem |
| `notes` | `NoteMeter` | polyphonic notes |
| `numbers` | `NumberMeter` | numbers in their own units |
| `forecasts` | `ForecastMeter` | the next values of series, in their own units |

Averages are over real items, never over batches. Losses are in `rnnkit.nn.losses`.
"""

from rnnkit.metrics.answers import AnswerMeter
from rnnkit.metrics.forecasts import ForecastMeter
from rnnkit.metrics.labels import EntityMeter, LabelMeter
from rnnkit.metrics.notes import NoteMeter
from rnnkit.metrics.numbers import NumberMeter
from rnnkit.metrics.texts import TextMeter, TranscriptMeter, least_edits
from rnnkit.metrics.tokens import TokenMeter
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
    "least_edits",
]
