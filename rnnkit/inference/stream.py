"""A run's model on a sequence that comes step by step, with its state: equal to the batch form."""

from typing import Any

from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor


class Stream:
    """One sequence: `Stream(predictor).step("The")`, then a step for each further token.

    Raises:
        InputError: the network is bidirectional, or reads no sequence step by step.
    """

    def __init__(self, predictor: Predictor) -> None:
        if predictor.experiment.model.bidirectional:
            raise InputError(
                "a bidirectional network begins at both ends, and a stream has no end yet; "
                "predict whole sequences, or train with model.bidirectional: false"
            )
        self._sequence = predictor.task.stream(predictor.network)

    def step(self, value: Any, where: str | None = None) -> dict[str, Any]:
        """The answer after one more step.

        A recording is answered from its first whole frame on, and before that with {"frames": 0}.
        A recording shorter than a frame is answered by a `Predictor` only, which appends silence.

        Args:
            value: a token; of a translation the text that follows, with `bpe` including the blank
                before a later word; the numbers of a step; of music the notes of a frame; of a
                recording any number of its next samples.
            where: what messages call it; None: by its number.

        Returns:
            translation, transcription: the answer to the sequence so far; language modelling:
            log_probability of this token; music: that of this frame (null of the first) and next;
            else the answer of `Predictor` to the sequence so far, or to this step if synced.

        Raises:
            InputError: the value is no step.
        """
        return self._sequence.step(value, where)

    def end(self) -> dict[str, Any] | None:
        """Of a language model the log_probability that the text ends here; else None."""
        return self._sequence.end()
