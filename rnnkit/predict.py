"""A finished run's model on new input: what stands in its `model/` folder is all it needs.

predictor = load("mlruns/runs/RUN/model")
predictor(["a stirring , funny film"])
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnkit import files, params
from rnnkit.batches import gather, with_future
from rnnkit.errors import InputError
from rnnkit.losses import cross_entropy
from rnnkit.params import Experiment
from rnnkit.prepare.prepared import END, Part, Prepared
from rnnkit.prepare.scale import Scaler
from rnnkit.prepare.spelling import with_letters
from rnnkit.prepare.tokenize import FittedTokenizer
from rnnkit.tasks import task_for
from rnnkit.tasks.forecasting import Forecasting


class Predictor:
    """A network with what turns input into tensors and outputs into answers.

    Args:
        experiment: what was trained.
        prepared: vocabulary, labels and scaler; no examples.
        tokenizer: for tokens.
        weights: of the best epoch.
    """

    def __init__(
        self,
        experiment: Experiment,
        prepared: Prepared,
        tokenizer: FittedTokenizer | None,
        weights: dict[str, Tensor],
    ) -> None:
        self.experiment, self.prepared, self.tokenizer = experiment, prepared, tokenizer
        self.task = task_for(experiment.task, prepared)
        self.network = self.task.network(experiment.model, torch.Generator())
        self.network.load_state_dict(weights)
        self.network.eval()

    @torch.no_grad()
    def __call__(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """An answer for each input, in their order.

        Args:
            inputs: by the task. classification: texts, or arrays [steps, features] in units;
                tagging: lists of tokens (a text is its characters), or such arrays; language
                modelling: texts; forecasting: arrays [window, columns] in the series' units; where
                covariates are known ahead [window + horizon, columns], and what cannot be known of
                the last rows may be anything; of several series pairs (name, array).

        Returns:
            classification: label and probabilities; tagging: tags; language modelling:
            log_probability (nats), tokens and perplexity; forecasting: forecast
            [horizon, targets] in the series' units, and with the quantile loss quantiles, by their
            names.

        Raises:
            InputError: an input has no steps, or not the shape the network knows.
        """
        if not inputs:
            return []
        kind = self.experiment.task.kind
        if kind == "forecasting":
            return [self._forecasting(item, i) for i, item in enumerate(inputs)]
        flat, lengths = self._encoded(inputs)
        for i, length in enumerate(lengths):
            if length < 1:
                raise InputError(f"input {i + 1}: must have at least one token or step")
        steps = torch.as_tensor(lengths)
        start = steps.cumsum(0) - steps
        synced = kind in ("tagging", "language_modeling")
        targets = torch.zeros(len(flat) if synced else len(inputs), dtype=torch.int64)
        begin = start if synced else torch.arange(len(inputs))
        count = steps if synced else torch.ones_like(steps)
        part = Part(flat, start, steps, targets, begin, count, torch.arange(len(inputs)), synced)
        everything = torch.arange(len(inputs))
        batch = gather(part, everything, self.experiment.data.padding, torch.float32)
        outputs = self.network(batch.inputs, batch.mask)
        rows = [
            row if batch.mask is None or not synced else row[batch.mask[i]]
            for i, row in enumerate(outputs)
        ]
        answers = getattr(self, f"_{kind}")
        ids = [flat[s : s + n] for s, n in zip(start.tolist(), steps.tolist(), strict=True)]
        return [answers(row, own) for row, own in zip(rows, ids, strict=True)]

    def _encoded(self, inputs: Sequence[Any]) -> tuple[Tensor, Sequence[int]]:
        """All steps one after the other, and how many each input has."""
        kind = self.experiment.task.kind
        if self.tokenizer is None:
            arrays = [np.asarray(item, dtype=np.float64) for item in inputs]
            for i, array in enumerate(arrays):
                if array.ndim != 2 or array.shape[1] != self.prepared.features:
                    raise InputError(
                        f"input {i + 1}: must have {self.prepared.features} numbers per step, "
                        f"got the shape {array.shape}"
                    )
            if self.prepared.scaler is not None:
                arrays = [self.prepared.scaler.transform(array) for array in arrays]
            flat = torch.from_numpy(np.concatenate(arrays)).float()
            return flat, [len(array) for array in arrays]
        if kind == "tagging":
            tokens = [list(item) for item in inputs]
            ids, lengths = self.tokenizer.encode_tokens(tokens)
            most: int | None = getattr(self.experiment.data.tokenizer, "spelling", None)
            if most is not None and self.prepared.letters is not None:
                ids = with_letters(ids, tokens, self.prepared.letters, most)
        else:
            ids, lengths = self.tokenizer.encode(list(inputs))
        if kind == "language_modeling":  # each text begins after an end and is to end
            parts = np.split(ids, np.cumsum(lengths)[:-1])
            ids = np.concatenate([np.concatenate([[END], text]) for text in parts])
            lengths = lengths + 1
        return torch.as_tensor(ids), lengths.tolist()

    def _classification(self, row: Tensor, _: Tensor) -> dict[str, Any]:
        labels = self.prepared.labels or ()
        shares = row.softmax(dim=-1).tolist()
        return {
            "label": labels[int(row.argmax())],
            "probabilities": dict(zip(labels, shares, strict=True)),
        }

    def _tagging(self, row: Tensor, _: Tensor) -> dict[str, Any]:
        labels = self.prepared.labels or ()
        return {"tags": [labels[i] for i in row.argmax(dim=-1).tolist()]}

    def _language_modeling(self, row: Tensor, ids: Tensor) -> dict[str, Any]:
        targets = torch.cat([ids[1:], torch.tensor([END])])
        nats = cross_entropy(row, targets)
        return {
            "log_probability": -float(nats.sum()),
            "tokens": len(targets),
            "perplexity": float(nats.mean().exp()),
        }

    def _forecasting(self, item: Any, number: int) -> dict[str, Any]:
        """The answer to one window."""
        assert isinstance(self.task, Forecasting)
        scaler, horizon = self.task.scaler, int(self.task.params.horizon)
        name, values = item if scaler.series != ("",) and len(item) == 2 else ("", item)
        if name not in scaler.series:
            raise InputError(
                f"input {number + 1}: must be a pair of a series' name and its window, and there "
                f"is no series {name!r}; the series are {', '.join(scaler.series[:5])}"
                + (", …" if len(scaler.series) > 5 else "")
            )
        array, width = np.asarray(values, dtype=np.float64), len(scaler.columns)
        if array.ndim != 2 or array.shape[1] != width:
            raise InputError(
                f"input {number + 1}: must have {width} numbers per step, "
                f"got the shape {array.shape}"
            )
        needed = self.experiment.data.window + (horizon if scaler.known else 0)
        if len(array) != needed:
            raise InputError(
                f"input {number + 1}: must have {needed} steps, the window"
                f"{' and the horizon' if scaler.known else ''}, got {len(array)}"
            )
        which = scaler.series.index(name)
        window = torch.from_numpy(scaler.transform(array, which)).float()[None]
        if scaler.known:
            window = with_future(window[:, :-horizon], window[:, -horizon:], scaler.known)
        outputs, rows = self.network(window, None), torch.tensor([scaler.begin[which]])
        forecast = scaler.inverse(self.task.forecast(outputs, window), rows)[0]
        answer: dict[str, Any] = {"forecast": forecast.tolist()}
        if self.task.params.loss == "quantile":
            each = self.task.quantiles(outputs, window).unbind(-1)
            answer["quantiles"] = {
                f"{level:g}": scaler.inverse(values, rows)[0].tolist()
                for level, values in zip(self.task.params.quantiles, each, strict=True)
            }
        return answer


def load(folder: str | Path) -> Predictor:
    """The model of a finished run.

    Args:
        folder: a run's `model/`, or the run's own folder.

    Raises:
        InputError: there is no model.
    """
    import tokenizers
    from safetensors.torch import load_file

    place = Path(folder)
    place = place / "model" if (place / "model").is_dir() else place
    if not (place / "weights.safetensors").exists():
        raise InputError(f"{place}: has no weights.safetensors; give a finished run's folder")
    rest = files.read_json(place / "prepared.json")
    vocabulary, scaler = rest["vocabulary"], rest["scaler"]
    prepared = Prepared(
        sha256="",
        parts={},
        vocabulary=None if vocabulary is None else tuple(vocabulary),
        labels=None if rest["labels"] is None else tuple(rest["labels"]),
        scaler=None if scaler is None else Scaler.from_json(scaler),
        features=rest["features"],
        facts=rest["facts"],
        letters=None if rest["letters"] is None else tuple(rest["letters"]),
    )
    tokenizer = None
    if vocabulary is not None:
        model = tokenizers.Tokenizer.from_file(str(place / "tokenizer.json"))
        tokenizer = FittedTokenizer(model, tuple(vocabulary))
    experiment = params.load(place / "params.yaml")
    return Predictor(experiment, prepared, tokenizer, load_file(place / "weights.safetensors"))
