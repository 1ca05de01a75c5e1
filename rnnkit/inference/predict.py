"""A finished run's model on new input: what stands in its `model/` folder is all it needs.

predictor = load("mlruns/runs/RUN/model")
predictor(["a stirring , funny film"])
"""

import warnings
from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnkit import params
from rnnkit.data.batches import Batch, gather, with_future
from rnnkit.data.prepare.built import begin
from rnnkit.data.prepare.new_inputs import encode, numbered_inputs, refuse_infinite, table_of
from rnnkit.data.prepare.prepared import END, UNKNOWN, Part, Prepared
from rnnkit.data.prepare.store import without_examples
from rnnkit.errors import InputError, Note
from rnnkit.params import Experiment
from rnnkit.tasks import task_for
from rnnkit.tasks.forecasting import Forecasting
from rnnkit.tasks.written import Written


class Predictor:
    """A network with what turns input into tensors and outputs into answers.

    Args:
        experiment: what was trained.
        prepared: vocabulary, tokenizers, labels and scaler; no examples.
        weights: of the best epoch.
    """

    def __init__(
        self,
        experiment: Experiment,
        prepared: Prepared,
        weights: dict[str, Tensor],
    ) -> None:
        self.experiment, self.prepared = experiment, prepared
        self.tokenizer = prepared.tokenizer
        self.task = task_for(experiment.task, prepared)
        self.network = self.task.network(experiment.model, torch.Generator())
        self.network.load_state_dict(weights)
        self.network.eval()

    @torch.no_grad()
    def __call__(
        self, inputs: Sequence[Any], names: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """An answer for each input, in their order. What is classified is cut at `data.max_length`.

        Args:
            inputs: by the task. classification: texts, or arrays [steps, features] in units;
                tagging: lists of tokens (a text is its characters), or such arrays; language
                modelling: texts; forecasting: arrays [window, columns] in the series' units; where
                covariates are known ahead [window + horizon, columns], and what cannot be known of
                the last rows may be anything; of several series pairs (name, array); music: lists
                of lists of MIDI numbers; vector: lists of numbers in units; memory: lists of
                symbols, or arrays [steps, 2]; translation: texts; captioning: categories, or lists
                of numbers in units; recordings: paths of WAV files, or arrays [samples] at the rate
                of the training's.
            names: what messages call each; None: input 1, input 2.

        Returns:
            what the task's `answer` gives. classification, vector: label and probabilities, or
            values by their names; tagging: tags and the probability of each; language modelling:
            log_probability (nats), tokens and perplexity; music: log_probability, frames and next,
            the probability of each note; memory: sum, answer or symbols; translation, captioning
            and transcription: text and log_probability, with a beam hypotheses; forecasting:
            forecast [horizon, targets] in the series' units, and with the quantile loss quantiles.

        Raises:
            InputError: an input has no steps, or not the shape the network knows.
        """
        if not inputs:
            return []
        names = numbered_inputs(inputs) if names is None else names
        if isinstance(self.task, Forecasting):
            return list(map(self._forecast, inputs, names))
        batch = self._batch(inputs, names)
        if isinstance(self.task, Written):
            beam = self.task.params.beam
            found = self.task.write(self.network, batch.inputs, batch.mask, beam)
            return [self.task.answer(own, batch.inputs) for own in found]
        outputs = self.network(batch.inputs, batch.mask)
        synced = self.experiment.task.topology == "synced"
        answers = []
        for i in range(len(inputs)):
            real = slice(None) if batch.mask is None else batch.mask[i]
            own = outputs[i][real] if synced else outputs[i]
            answers.append(self.task.answer(own, batch.inputs[i][real]))
        return answers

    def encode(self, inputs: Sequence[Any], names: Sequence[str]) -> tuple[Tensor, Tensor]:
        """All steps one after the other, and how many each input has."""
        kind = self.experiment.task.kind
        as_tokens = kind in ("tagging", "memory")
        if kind == "captioning" and self.tokenizer is not None:
            inputs = [str(item) if isinstance(item, Integral) else item for item in inputs]
            self._refuse_unknown(inputs, names)
        if kind in ("vector", "captioning"):
            inputs, as_tokens = [[item] for item in inputs], True
        data, prepared = self.experiment.data, self.prepared
        ids, lengths = encode(inputs, data, prepared, self.tokenizer, as_tokens, names)
        if kind == "language_modeling":  # each text begins after an end and is to end
            ids = np.insert(ids, begin(lengths), END)
            lengths = lengths + 1
        return torch.as_tensor(ids), torch.as_tensor(lengths)

    def _refuse_unknown(self, categories: Sequence[Any], names: Sequence[str]) -> None:
        known = (self.prepared.vocabulary or ())[UNKNOWN + 1 :]
        for category, name in zip(categories, names, strict=True):
            if category not in known:
                raise InputError(
                    f"{name}: there is no category {str(category)[:40]!r}; there are "
                    f"{', '.join(known[:20])}"
                )

    def _tell_unknown(self, flat: Tensor, steps: Tensor, names: Sequence[str]) -> None:
        """Notes that the network knows nothing of an input, which it answers nevertheless."""
        if self.tokenizer is None or flat.ndim > 1:  # words that come spelled are known by letters
            return
        first = 1 if self.experiment.task.kind == "language_modeling" else 0  # behind the end
        for ids, name in zip(flat.split(steps.tolist()), names, strict=True):
            if bool((ids[first:] == UNKNOWN).all()):
                warnings.warn(
                    f"{name}: none of its tokens is in the vocabulary", Note, stacklevel=2
                )

    def _batch(self, inputs: Sequence[Any], names: Sequence[str]) -> Batch:
        flat, steps = self.encode(inputs, names)
        self._tell_unknown(flat, steps, names)
        classified = self.experiment.task.kind == "classification"
        longest = self.experiment.data.max_length if classified else None
        each = torch.arange(len(inputs))
        nothing = torch.zeros(len(inputs), dtype=torch.int64)
        part = Part(
            inputs=flat,
            input_start=steps.cumsum(0) - steps,
            input_length=steps if longest is None else steps.clamp(max=longest),
            targets=nothing,
            target_start=each,
            target_length=torch.ones_like(each),
            item=each,
            synced=False,
        )
        return gather(part, each, self.experiment.data.padding, torch.float32)

    def _forecast(self, item: Any, where: str) -> dict[str, Any]:
        """The answer to one window."""
        assert isinstance(self.task, Forecasting)
        scaler, horizon = self.task.scaler, int(self.task.params.horizon)
        several = isinstance(item, list | tuple) and len(item) == 2 and scaler.series != ("",)
        name, values = item if several else ("", item)
        if name not in scaler.series:
            raise InputError(
                f"{where}: must be a pair of a series' name and its window, and there "
                f"is no series {name!r}; the series are {', '.join(scaler.series[:5])}"
                + (", …" if len(scaler.series) > 5 else "")
            )
        array = table_of(values, where, len(scaler.columns))
        needed = self.experiment.data.window + (horizon if scaler.known else 0)
        if len(array) != needed:
            raise InputError(
                f"{where}: must have {needed} steps, the window"
                f"{' and the horizon' if scaler.known else ''}, got {len(array)}"
            )
        which = scaler.series.index(name)
        scaled, past = scaler.transform(array, which), self.experiment.data.window
        refuse_infinite(scaled[:past], array[:past], where)
        if scaler.known:
            refuse_infinite(scaled[past:, -scaler.known :], array[past:, -scaler.known :], where)
        window = torch.from_numpy(scaled).float()[None]
        if scaler.known:
            window = with_future(window[:, :-horizon], window[:, -horizon:], scaler.known)
        outputs = self.network(window, None)
        return self.task.answer_of(outputs[0], window[0], scaler.begin[which])


def load(folder: str | Path) -> Predictor:
    """The model of a finished run.

    Args:
        folder: a run's `model/`, or the run's own folder.

    Raises:
        InputError: there is no model.
    """
    from safetensors.torch import load_file

    place = Path(folder)
    place = place / "model" if (place / "model").is_dir() else place
    if not (place / "weights.safetensors").exists():
        raise InputError(f"{place}: has no weights.safetensors; give a finished run's folder")
    prepared = without_examples(place)
    experiment = params.load(place / "params.yaml")
    return Predictor(experiment, prepared, load_file(place / "weights.safetensors"))
