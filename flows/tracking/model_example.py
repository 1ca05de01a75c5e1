"""An example of what a registered model reads and answers: an item of its run's test split.

The signature describes answers only. MLflow would refuse inputs that are not as a signature of
inputs has them, and a model takes one and the same input in several forms.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from rnnkit.errors import InputError
from rnnkit.evaluation.evaluate_file import prepared_of
from rnnkit.inference.predict import load
from rnnkit.runs.run_folder import RunFolder

CLOSE = 1e-4  # of scaled numbers, which are float32; ids differ by 1
MAX_STEPS = 500
"""Steps of an example: a longer one says no more."""
MAX_TRIED = 20
"""Items that are looked at: one with an unknown token cannot be given back."""


def example_of(run: RunFolder, home: Path) -> tuple[Any, Any] | None:
    """An input in units or as text, and the model's answer; None where the prepared data are gone,
    or the item cannot be given back as it was.

    Args:
        run: finished.
        home: the output folder.
    """
    experiment = run.trained
    sha256 = run.result.get("prepared")  # results of older versions lack it
    if sha256 is None or not (home / "prepared" / sha256).exists():
        return None
    try:
        predictor, prepared = load(run.path / "model"), prepared_of(run, experiment, home)
    except InputError:  # damaged
        return None
    split = prepared.splits["test"]
    short = (split.input_length <= MAX_STEPS).nonzero().flatten()[:MAX_TRIED].tolist()
    for item in short:
        start, length = int(split.input_start[item]), int(split.input_length[item])
        steps = split.inputs[start : start + length]
        for value in _as_given(predictor.inputs, steps):
            with suppress(InputError):  # not the form in which this model is given its inputs
                read = predictor.prepared.fitted.read([value], ["the example"]).inputs
                if read.shape == steps.shape and bool((read - steps).abs().max() < CLOSE):
                    return value, predictor([value])
    return None


def _as_given(inputs: Any, steps: Any) -> Iterator[Any]:
    """Forms in which encoded steps may be given: a text, or numbers in units."""
    if inputs.tokenizer is not None:
        if steps.ndim == 1:
            pieces = inputs.pieces(steps.tolist())
            yield inputs.joined(pieces)
            yield pieces
        return
    rows = steps.double()
    if inputs.scaler is not None:
        offset, scale = (table[0, : steps.shape[-1]] for table in inputs.scaler.tables)
        rows = rows * scale + offset
    yield rows.tolist()
    if len(rows) == 1:
        yield rows[0].tolist()  # a vector
