"""What classifiers without recurrence make of frames: each frame by itself, or a sequence by the
mean, the standard deviation and the last of its frames."""

import warnings

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit

MAX_FITTED = 20_000
"""Rows that a baseline is fitted to, evenly spaced over the training split: it must not take longer
than the network."""
MAX_ITERATIONS = 200

Rows = Float[Tensor, "rows features"]


def summaries(split: EncodedSplit) -> Rows:
    """[items, 3 · features] mean, standard deviation and last frame of each sequence, float64."""
    sequences = split.all_inputs.double().split(split.input_length.tolist())
    rows = [torch.cat([x.mean(dim=0), x.std(dim=0, correction=0), x[-1]]) for x in sequences]
    return torch.stack(rows)


def logistic_regression(
    known: Rows, labels: Int[Tensor, " rows"], asked: Rows
) -> Int[Tensor, " asked"]:
    """Predicted labels (scikit-learn, its own default strength, on standardized features)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    known, labels = _evenly_spaced(known), _evenly_spaced(labels)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=MAX_ITERATIONS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is a baseline all the same
        model.fit(known.double().numpy(), labels.numpy())
    return torch.from_numpy(model.predict(asked.double().numpy()))


def nearest_neighbour(
    known: Rows, targets: Num[Tensor, "rows *targets"], asked: Rows
) -> Num[Tensor, "asked *targets"]:
    """The target of the nearest row of `known`; features are scaled as the network reads them."""
    from sklearn.neighbors import NearestNeighbors

    known, targets = _evenly_spaced(known), _evenly_spaced(targets)
    nearest = NearestNeighbors(n_neighbors=1).fit(known.numpy())
    rows = nearest.kneighbors(asked.numpy(), return_distance=False)
    return targets[torch.from_numpy(rows[:, 0])]


def _evenly_spaced(rows: Tensor) -> Tensor:
    """All rows, or as many as are fitted."""
    if len(rows) <= MAX_FITTED:
        return rows
    return rows[torch.linspace(0, len(rows) - 1, MAX_FITTED).long()]
