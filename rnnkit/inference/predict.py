"""A finished run's model on new inputs; it needs its `model/` folder only.

predictor = load("mlruns/runs/RUN/model")
predictor(["a stirring , funny film"])
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas
import torch
from torch import Tensor

from rnnkit import params
from rnnkit.data.batches import gather
from rnnkit.data.inputs import Inputs
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.errors import InputError
from rnnkit.inference import own_table
from rnnkit.nn.model.stack import use_kernel
from rnnkit.params import Experiment
from rnnkit.runs.model_folder import CALIBRATION, WEIGHTS, find_model, verify_model
from rnnkit.runs.run_folder import PARAMS
from rnnkit.runtime.files import read_json
from rnnkit.tasks import load_fitted, task_for


def numbered_inputs(inputs: Sequence[Any]) -> list[str]:
    """Names of inputs in messages.

    >>> numbered_inputs(["a", "b"])
    ['input 1', 'input 2']
    """
    return [f"input {number}" for number, _ in enumerate(inputs, start=1)]


class Predictor:
    """A network, with the fitted preprocessing that encodes its inputs and decodes its outputs.

    Args:
        experiment: the trained one.
        prepared: fitted preprocessing; no examples.
        weights: of the best epoch.
    """

    def __init__(
        self, experiment: Experiment, prepared: Prepared, weights: dict[str, Tensor]
    ) -> None:
        self.experiment, self.prepared = experiment, prepared
        self.task = task_for(experiment.task, prepared)
        self.network = self.task.network(experiment.model, torch.Generator())
        self.network.load_state_dict(weights)
        self.network.eval()
        use_kernel(self.network, experiment.train.kernel)  # auto: torch, which starts at once

    @torch.no_grad()
    def __call__(
        self, inputs: Sequence[Any] | pandas.DataFrame, names: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """An answer for each input, in order. Classified texts are cut at `data.max_length`.

        Args:
            inputs: classification: texts, or arrays [steps, features] in units; tagging: lists of
                tokens, texts that are divided as lines are, or such arrays; language modelling,
                translation: texts; forecasting: arrays [window, columns] in the series' units, with
                known-future covariates [window + horizon, columns], whose last rows may hold
                anything in the other columns; of several series pairs (name, array); music: lists
                of lists of MIDI numbers; vector: lists of numbers in units; memory: lists of
                symbols, or arrays [steps, 2]; captioning: categories, or lists of numbers in units;
                recordings: paths of WAV files, or arrays [samples] at the training's rate. Of
                forecasting also a pandas DataFrame like the run's table: the rows behind its last
                ones are forecast, as by `rnnkit forecast`.
            names: what messages call each; None: input 1, input 2.

        Returns:
            the task's `answer`. classification, vector: label and probabilities, or values by
            their names; tagging: tokens, tags and the probability of each; language modelling:
            log_probability (nats), tokens and perplexity; music: log_probability, frames and next,
            the probability of each note; memory: sum, answer or symbols; translation, captioning
            and transcription: text and log_probability, with a beam hypotheses; forecasting:
            forecast [horizon, targets] in the series' units, and quantiles, whose outermost two are
            an interval; of a table also series, times and columns.

        Raises:
            InputError: the inputs are no list, one has no steps, or a shape that the network
                cannot read.
        """
        fitted = self.prepared.fitted
        if isinstance(inputs, pandas.DataFrame) and fitted.forecast_columns:
            inputs = own_table.items_of_frame(fitted, inputs)
            names = names or [f"the table, item {k}" for k, _ in enumerate(inputs, start=1)]
        if isinstance(inputs, str | bytes) or hasattr(inputs, "keys"):
            raise InputError(
                f"inputs must be a list, got a {type(inputs).__name__}; write [input] for one"
            )
        if len(inputs) == 0:
            return []
        names = numbered_inputs(inputs) if names is None else names
        split = fitted.read(inputs, names)
        items = torch.arange(len(inputs))
        batch = gather(split, items, self.experiment.data.padding, torch.float32)
        answers = self.task.answers(self.network, batch)
        shown = map(self.inputs.shown, inputs)
        return [{**own, **answer} for own, answer in zip(shown, answers, strict=True)]

    def reads_rows(self, table: Any) -> bool:
        """Whether a table has the columns of the run's, whose next rows the model forecasts."""
        columns = self.prepared.fitted.forecast_columns
        return bool(columns) and isinstance(table, pandas.DataFrame) and {*columns} <= {*table}

    @property
    def inputs(self) -> Inputs:
        """The encoder of inputs."""
        inputs: Inputs = self.prepared.fitted.inputs
        return inputs


def load(folder: str | Path) -> Predictor:
    """The model of a finished run.

    Args:
        folder: a run's `model/`, or the run's own folder.

    Raises:
        InputError: there is no model, or its files differ from their manifest or do not belong
            together.

    Warns:
        Note: the model has no manifest.
    """
    from safetensors.torch import load_file

    place = find_model(Path(folder))
    verify_model(place)
    experiment = params.load(place / PARAMS)
    try:
        prepared = load_fitted(place, experiment.data, experiment.task)
        predictor = Predictor(experiment, prepared, load_file(place / WEIGHTS))
        if (place / CALIBRATION).exists():
            predictor.task.load_calibration(read_json(place / CALIBRATION))
        return predictor
    except InputError:
        raise
    except Exception as error:  # whatever a record, a tokenizer or weights of another form raise
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(
            f"{place}: the files of a model must belong together, but {reason}; copy the folder "
            "again from the model's run"
        ) from error
