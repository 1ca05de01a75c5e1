"""A finished run's model for `mlflow models serve` and `mlflow models predict`.

The model's folder holds safetensors, params and JSON; nothing in it is executed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas

from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor, load, numbered_inputs
from rnnkit.runtime import numerics

TOGETHER = 64
"""Inputs in one batch."""


class Served:
    """Answers tables, arrays and lists."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Answers as `rnnkit predict` prints them.

        Args:
            model_input: a text, or a list of inputs; an array, whose rows are inputs; or a table,
                whose one column, or that named text, tokens, source, audio, label, frames, vector
                or window (what the run's params call them), holds them. An input is what a line of
                `rnnkit predict` is: a text, a list of tokens, a list of steps, the path of a WAV
                file. Of forecasting also a table like the run's: the rows behind its last ones are
                forecast.
            params: none are known.

        Raises:
            InputError: the table has no such column, or an input is not what the network reads.
        """
        if params:
            raise InputError(f"there are no params, got {', '.join(params)}")
        if self._predictor.reads_rows(model_input):
            return self._predictor(model_input)
        listed = _listed(model_input)
        names = numbered_inputs(listed)
        form, source = self._predictor.inputs, self._predictor.experiment.data.source
        inputs = [form.of_json(*item, source) for item in zip(listed, names, strict=True)]
        answers: list[dict[str, Any]] = []
        for start in range(0, len(inputs), TOGETHER):
            those = slice(start, start + TOGETHER)
            answers += self._predictor(inputs[those], names[those])
        return answers


def _listed(model_input: Any) -> list[Any]:
    if isinstance(model_input, pandas.DataFrame):
        if len(model_input.columns) > 1:
            rows = model_input.to_dict("records")
            return [{str(k): _plain(v) for k, v in row.items()} for row in rows]
        model_input = model_input.iloc[:, 0]
    if isinstance(model_input, pandas.Series):
        return [_plain(value) for value in model_input]
    plain = _plain(model_input)
    return [*plain] if isinstance(plain, list | tuple) else [plain]


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _load_pyfunc(path: str) -> Served:
    """Load the model; MLflow calls this with the folder of its files."""
    numerics.set_threads(1)
    return Served(load(Path(path)))
