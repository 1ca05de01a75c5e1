"""A run's model on a sequence that comes step by step, with its state: equal to the batch form."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnkit.data.prepare.audio import sizes
from rnnkit.data.prepare.new_inputs import refuse_no_text, samples_of
from rnnkit.data.prepare.prepared import END
from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor
from rnnkit.nn.losses import bernoulli, cross_entropy
from rnnkit.nn.model.network import ManyToOne, OneToOne, Synced
from rnnkit.nn.model.stack import States
from rnnkit.nn.model.writing import EncoderDecoder, OneToMany
from rnnkit.tasks.written import Written


class Stream:
    """One sequence.

        stream = Stream(predictor)
        for token in ("The", "cat"):
            print(stream.step(token))

    A recording is answered from its first whole frame on, and before that with {"frames": 0}. One
    that ends before it is answered by a `Predictor` alone, which puts silence behind it.

    Args:
        predictor: of a run whose network reads in one direction.

    Raises:
        InputError: the network reads backwards too, or reads no sequence step by step.
    """

    def __init__(self, predictor: Predictor) -> None:
        kind = predictor.experiment.task.kind
        if predictor.experiment.model.bidirectional:
            raise InputError(
                "a bidirectional network begins at both ends, and a stream has no end yet; "
                "predict whole sequences, or train with model.bidirectional: false"
            )
        _refuse_whole(predictor)
        if isinstance(predictor.network, OneToOne | OneToMany) or kind == "forecasting":
            whole = {"forecasting": "a whole window", "captioning": "one vector or category"}
            raise InputError(
                f"a {kind} model reads {whole.get(kind, 'one vector')} at once and no stream; "
                "leave --stream out"
            )
        self._predictor, self._task = predictor, predictor.task
        self._states: States | None = None
        self._readout: Tensor | None = None
        self._foreseen: Tensor | None = None
        self._seen = 0
        self._outputs = torch.empty(0)
        self._longest = predictor.experiment.data.max_length if kind == "classification" else None
        self._waiting = np.empty(0, dtype=np.float32)  # samples of a recording not heard yet
        self._skip = 0  # samples still to come that lie between two frames
        self._told: list[Tensor] = []
        if predictor.experiment.task.kind == "language_modeling":  # begins after an end
            self._foreseen = self._run(torch.tensor([[END]]))

    @torch.no_grad()
    def step(self, value: Any, where: str | None = None) -> dict[str, Any]:
        """The answer after one more step.

        Args:
            value: a token, of a translation the text so far goes on with, which with `bpe` has the
                blank before a later word in it; or the numbers of a step; of music the notes of a
                frame; of a recording its next samples, as many as there are.
            where: what messages call it; None: by its number.

        Returns: of a translation that of the sequence so far, and of a recording what was said so
            far; of a language model log_probability, that of this token; of music the same of this
            frame (null of the first) and next; else what `Predictor` says of the sequence so far,
            or of this step where every step has its own answer.

        Raises:
            InputError: the value is no step.
        """
        kind = self._predictor.experiment.task.kind
        where = where or f"step {self._seen + 1}"
        if kind in ("language_modeling", "tagging"):
            self._refuse_several(value, where)
        if kind == "language_modeling":
            assert self._predictor.tokenizer is not None
            refuse_no_text(value, where)
            ids, _ = self._predictor.tokenizer.encode_tokens([[value]])
            foreseen = self._foreseen
            assert foreseen is not None
            read = torch.as_tensor(ids)
            nats = float(cross_entropy(foreseen, read))
            self._foreseen = self._run(read[None])
            return {"log_probability": -nats}
        if kind == "translation":
            return self._translated(value, where)
        if self._predictor.experiment.data.source.form == "audio":
            return self._heard(value, where)
        if kind == "music" and not isinstance(value, list | tuple):
            raise InputError(f"{where}: must be a list of a frame's notes, got {str(value)[:40]}")
        item = value if kind == "classification" and self._predictor.tokenizer else [value]
        flat, _ = self._predictor.encode([item], [where])
        outputs = self._run(flat[None])
        if kind == "music":
            answer = self._task.answer(outputs, flat)
            before, self._foreseen = self._foreseen, outputs
            known = None if before is None else -float(bernoulli(before, flat))
            return {"log_probability": known, "next": answer["next"]}
        return self._task.answer(outputs if self._synced else outputs[0], flat)

    def _refuse_several(self, value: Any, where: str) -> None:
        """Several characters are no token, and would be read as an unknown one."""
        read = self._predictor.tokenizer and self._predictor.experiment.data.tokenizer.kind
        if read == "characters" and isinstance(value, str) and len(value) > 1:
            raise InputError(f"{where}: a step must be one character, got {value[:40]!r}")

    def _translated(self, value: Any, where: str) -> dict[str, Any]:
        network, task, tokenizer = self._predictor.network, self._task, self._predictor.tokenizer
        assert isinstance(network, EncoderDecoder)
        assert isinstance(task, Written)
        assert tokenizer is not None
        refuse_no_text(value, where)
        ids, _ = tokenizer.encode([value])
        if not len(ids):
            raise InputError(f"{where}: must have at least one token")
        for token in torch.as_tensor(ids):
            self._seen += 1
            read, self._states, self._readout = network.step(
                token[None, None], self._states, self._readout, self._seen
            )
        (found,) = task.write_from(network, read, task.params.beam)
        return task.answer(found, torch.as_tensor(ids))

    def _heard(self, value: Any, where: str) -> dict[str, Any]:
        """The answer once there are new frames, and before that the one there was."""
        data, prepared = self._predictor.experiment.data, self._predictor.prepared
        rate = prepared.facts["rate"]
        transform, _, hop = sizes(rate, data.features)
        samples = samples_of(value)
        if samples is None:
            raise InputError(
                f"{where}: must be a list of a recording's samples, finite numbers between -1 and "
                f"1, {rate:,} per second, got {str(value)[:40]}"
            )
        self._waiting = np.concatenate([self._waiting, samples[self._skip :]])
        self._skip = max(0, self._skip - len(samples))
        frames = (len(self._waiting) - transform) // hop + 1
        if frames > 0:
            whole = self._waiting[: (frames - 1) * hop + transform]
            flat, _ = self._predictor.encode([whole.tolist()], [where])
            self._skip = max(0, frames * hop - len(self._waiting))
            self._waiting = self._waiting[frames * hop :]
            self._told.append(self._run(flat[None]))
        if not self._told:
            return {"frames": 0}
        outputs = torch.cat(self._told) if self._synced else self._told[-1][0]
        return {"frames": self._seen, **self._task.answer(outputs, outputs)}

    @torch.no_grad()
    def end(self) -> dict[str, Any]:
        """Of a language model the log_probability that the text ends here."""
        assert self._foreseen is not None
        return {"log_probability": -float(cross_entropy(self._foreseen, torch.tensor([END])))}

    @property
    def _synced(self) -> bool:
        return isinstance(self._predictor.network, Synced)

    @torch.no_grad()
    def _run(self, inputs: Tensor) -> Tensor:
        """[steps, outputs] of a synced network, else [1, outputs] of all steps so far."""
        network = self._predictor.network
        if isinstance(network, Synced):
            outputs, self._states = network.run(inputs, None, self._states, True, "auto")
            self._seen += inputs.shape[1]
            return outputs[0]
        assert isinstance(network, ManyToOne)
        for t in range(inputs.shape[1]):  # a text of a step may be several tokens
            if self._seen == self._longest:
                break  # what is longer is cut, as it is whole
            self._seen += 1
            self._outputs, self._states, self._readout = network.step(
                inputs[:, t : t + 1], self._states, self._readout, self._seen
            )
        return self._outputs


def _refuse_whole(predictor: Predictor) -> None:
    """Raise InputError for what is known of a whole sequence alone."""
    experiment = predictor.experiment
    if experiment.model.attention != "none":
        raise InputError(
            "attention looks at the whole source, and a stream has no end yet; predict whole "
            "sequences, or train with model.attention: none"
        )
    features = experiment.data.features
    if experiment.data.source.form == "audio" and (
        features.normalize == "per_utterance" or features.deltas
    ):
        raise InputError(
            "features that are scaled by their recording, and slopes, need frames that are still "
            "to come; predict whole recordings, or train with data.features: "
            "{normalize: none, deltas: 0}"
        )
