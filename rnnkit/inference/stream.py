"""A run's model on a sequence that comes step by step, with its state: equal to the batch form."""

from typing import Any

from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor


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
        self._sequence = predictor.task.stream(predictor.network)

    def step(self, value: Any, where: str | None = None) -> dict[str, Any]:
        """The answer after one more step.

        A recording is answered from its first whole frame on, and before that with {"frames": 0}.
        One that ends before it is answered by a `Predictor` alone, which puts silence behind it.

        Args:
            value: a token, of a translation the text that follows, which with `bpe` has the blank
                before a later word in it; or the numbers of a step; of music the notes of a frame;
                of a recording its next samples, as many as there are.
            where: what messages call it; None: by its number.

        Returns: of a translation that of the sequence so far, and of a recording what was said so
            far; of a language model log_probability, that of this token; of music the same of this
            frame (null of the first) and next; else what `Predictor` says of the sequence so far,
            or of this step where every step has its own answer.

        Raises:
            InputError: the value is no step.
        """
        return self._sequence.step(value, where)

    def end(self) -> dict[str, Any] | None:
        """Of a language model the log_probability that the text ends here; else None."""
        return self._sequence.end()
