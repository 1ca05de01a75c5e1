"""A run's model on a sequence that comes step by step, with its state: equal to the batch form."""

from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor
from rnnkit.tasks.streaming import Stream


def stream(predictor: Predictor) -> Stream:
    """One sequence.

        sequence = stream(predictor)
        for token in ("The", "cat"):
            print(sequence.step(token))

    Args:
        predictor: of a run whose network reads in one direction.

    Raises:
        InputError: the network reads backwards too, or reads no sequence step by step.
    """
    if predictor.experiment.model.bidirectional:
        raise InputError(
            "a bidirectional network begins at both ends, and a stream has no end yet; "
            "predict whole sequences, or train with model.bidirectional: false"
        )
    return predictor.task.stream(predictor.network)
