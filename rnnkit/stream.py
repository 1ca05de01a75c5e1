"""A run's model on a sequence that comes step by step, with its state: equal to the batch form."""

from typing import Any

import torch
from torch import Tensor

from rnnkit.errors import InputError
from rnnkit.losses import bernoulli, cross_entropy
from rnnkit.model.network import ManyToOne, OneToOne, Synced
from rnnkit.model.stack import States
from rnnkit.predict import Predictor
from rnnkit.prepare.prepared import END


class Stream:
    """One sequence.

        stream = Stream(predictor)
        for token in ("The", "cat"):
            print(stream.step(token))

    Args:
        predictor: of a run whose network reads in one direction.

    Raises:
        InputError: the network reads backwards too, or reads no sequence step by step.
    """

    def __init__(self, predictor: Predictor) -> None:
        if predictor.experiment.model.bidirectional:
            raise InputError(
                "a bidirectional network begins at both ends, and a stream has no end yet; "
                "predict whole sequences, or train with model.bidirectional: false"
            )
        if isinstance(predictor.network, OneToOne) or predictor.experiment.task.kind in (
            "forecasting",
        ):
            raise InputError(
                f"a {predictor.experiment.task.kind} model reads "
                f"{'a whole window' if predictor.prepared.labels is None else 'one vector'} at "
                "once and no stream; leave --stream out"
            )
        self._predictor, self._task = predictor, predictor.task
        self._states: States | None = None
        self._readout: Tensor | None = None
        self._foreseen: Tensor | None = None
        self._seen = 0
        if predictor.experiment.task.kind == "language_modeling":  # begins after an end
            self._foreseen = self._run(torch.tensor([[END]]))

    @torch.no_grad()
    def step(self, value: Any) -> dict[str, Any]:
        """The answer after one more step.

        Args:
            value: a token, or the numbers of a step; of music the notes of a frame.

        Returns: of a language model log_probability, that of this token; of music the same of this
            frame (null of the first) and next; else what `Predictor` says of the sequence so far,
            or of this step where every step has its own answer.

        Raises:
            InputError: the value is no step.
        """
        kind = self._predictor.experiment.task.kind
        if kind == "language_modeling":
            assert self._predictor.tokenizer is not None
            ids, _ = self._predictor.tokenizer.encode_tokens([[value]])
            foreseen = self._foreseen
            assert foreseen is not None
            read = torch.as_tensor(ids)
            nats = float(cross_entropy(foreseen, read))
            self._foreseen = self._run(read[None])
            return {"log_probability": -nats}
        item = value if kind == "classification" and self._predictor.tokenizer else [value]
        flat, _ = self._predictor.encode([item], self._seen)
        outputs = self._run(flat[None])
        if kind == "music":
            answer = self._task.answer(outputs, flat)
            before, self._foreseen = self._foreseen, outputs
            known = None if before is None else -float(bernoulli(before, flat))
            return {"log_probability": known, "next": answer["next"]}
        return self._task.answer(outputs if self._synced else outputs[0], flat)

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
            self._seen += 1
            outputs, self._states, self._readout = network.step(
                inputs[:, t : t + 1], self._states, self._readout, self._seen
            )
        return outputs
