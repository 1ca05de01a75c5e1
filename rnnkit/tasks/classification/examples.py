"""Examples of classification: a text's tokens, frames or a recording, and one label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnkit.data.inputs.recordings import Recordings
from rnnkit.data.prepare.facts import Facts
from rnnkit.params.task import Classification
from rnnkit.tasks.labels import Labelled

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True, eq=False)
class ClassificationFitted(Labelled):
    """Labels, and how inputs become tensors."""

    task: Classification

    def texts(
        self, frame: pd.DataFrame, rows: np.ndarray
    ) -> tuple[Mapping[int, str], Mapping[int, str]]:
        if "name" not in frame:
            return {}, {}
        return {}, dict(zip(rows.tolist(), frame["name"].iloc[rows], strict=True))

    def facts(self, values: Mapping[str, list[Any]]) -> Facts:
        facts: Facts = {"unknown": {}, **super().facts(values)}
        if isinstance(self.inputs, Recordings):
            facts["rate"] = self.inputs.rate
        return facts
