"""Examples of tagging: tokens or frames, and a tag for each of them."""

from __future__ import annotations

from dataclasses import dataclass

from rnnkit.metrics.entities import why_no_entities
from rnnkit.params.task import Tagging
from rnnkit.tasks.labels import Labelled


@dataclass(frozen=True, eq=False)
class TaggingFitted(Labelled):
    """Tags, and how inputs become tensors."""

    task: Tagging

    @property
    def notes(self) -> list[str]:
        why = why_no_entities(self.labels or ())
        return [f"tags are scored one by one, not as whole entities: {why}"] if why else []
