"""What a network must beat: simple predictors, fitted on the training part, scored alike.

One function per baseline, one table per task. Each is measured with the task's own meter.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rnnkit.data.prepare.prepared import Part, Prepared
from rnnkit.metrics import Metrics
from rnnkit.tasks import Task
from rnnkit.tasks.baselines.answers import constant_answer
from rnnkit.tasks.baselines.forecasts import drift, last_value, seasonal_naive, training_mean
from rnnkit.tasks.baselines.labels import (
    majority_class,
    most_frequent_tag,
    most_frequent_tag_per_token,
    naive_bayes,
)
from rnnkit.tasks.baselines.notes import each_key_by_itself, independent_keys
from rnnkit.tasks.baselines.texts import (
    bigram_written,
    constant_text,
    copied_source,
    nearest_recording,
    nearest_source,
    nearest_vector,
    unigram_written,
)
from rnnkit.tasks.baselines.tokens import bigram, unigram
from rnnkit.tasks.baselines.vectors import constant_target, nearest_neighbour

Baseline = Callable[[Any, Prepared, Part], Metrics]


def score(task: Task, prepared: Prepared, part: Part) -> dict[str, Metrics]:
    """The metrics of every baseline of a task on a part, by the baseline's name.

    One that says nothing of a metric lacks it, and one that says nothing of any that is shown, as
    a constant text where no text is the right one, is left out.
    """
    table = BASELINES[task.params.kind]
    other = OF_TOKENS if prepared.vocabulary is None else OF_NUMBERS
    found = {
        name: baseline(task, prepared, part)
        for name, baseline in table.items()
        if baseline not in other
    }
    return {name: metrics for name, metrics in found.items() if metrics.keys() & set(task.shown)}


OF_TOKENS = (naive_bayes, most_frequent_tag_per_token)
"""Baselines that count tokens, which numbers have none of."""
OF_NUMBERS = (nearest_vector,)
"""Baselines that measure distances, which tokens have none of."""

BASELINES: Mapping[str, Mapping[str, Baseline]] = {
    "classification": {"majority class": majority_class, "naive Bayes": naive_bayes},
    "tagging": {
        "most frequent tag": most_frequent_tag,
        "most frequent tag per token": most_frequent_tag_per_token,
    },
    "language_modeling": {"unigram": unigram, "bigram": bigram},
    "forecasting": {
        "last value": last_value,
        "seasonal naive": seasonal_naive,
        "drift": drift,
        "training mean": training_mean,
    },
    "memory": {"constant answer": constant_answer},
    "music": {"independent keys": independent_keys, "each key by itself": each_key_by_itself},
    "vector": {"constant target": constant_target, "nearest neighbour": nearest_neighbour},
    "translation": {
        "copied source": copied_source,
        "constant text": constant_text,
        "nearest source": nearest_source,
    },
    "captioning": {
        "constant text": constant_text,
        "nearest vector": nearest_vector,
        "unigram": unigram_written,
        "bigram": bigram_written,
    },
    "transcription": {
        "constant transcript": constant_text,
        "nearest recording": nearest_recording,
    },
}
