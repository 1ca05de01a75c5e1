"""Precision, recall and F1 from counts."""

from rnnkit.metrics.values import Metrics


def precision_recall_f1(right: int, predicted: int, true: int) -> Metrics:
    """Precision, recall and their harmonic mean; 0 where nothing was predicted or is true.

    Args:
        right: number of correct ones.
        predicted: of those predicted.
        true: of those that there are.

    >>> precision_recall_f1(1, 2, 4)
    {'precision': 0.5, 'recall': 0.25, 'f1': 0.3333333333333333}
    >>> precision_recall_f1(0, 0, 0)
    {'precision': 0.0, 'recall': 0.0, 'f1': 0.0}
    """
    return {
        "precision": right / max(1, predicted),
        "recall": right / max(1, true),
        "f1": 2 * right / max(1, predicted + true),
    }
