"""Walk-forward backtests: the test split in folds, each forecast from all data before it.

Each fold is a separate experiment, whose run is resumed, listed and compared like any other.

Reference: L. J. Tashman, Out-of-sample tests of forecasting accuracy: an analysis and review,
International Journal of Forecasting 16, 2000 (rolling origin, with a growing training split).
"""

from rnnkit.data import sources
from rnnkit.data.prepare.split_series import split_rows
from rnnkit.errors import InputError
from rnnkit.params import Experiment


def walk_forward(experiment: Experiment, count: int) -> list[Experiment]:
    """One experiment per fold of an experiment in forecasting that is split by time.

    The time stamps of the test split are cut into folds of about equal length. Each fold is
    preceded by a validation split as long as the experiment's, and that by the training split.

    Raises:
        InputError: another task, or folds shorter than the horizon.
    """
    task = experiment.task
    horizon = task.window_overlap
    if horizon is None:
        raise InputError(f"only forecasts are tested in folds, and the task is {task.kind}")
    frame = sources.read(experiment.data.source, experiment.data.split)
    times = frame["time"].drop_duplicates().sort_values(ignore_index=True)
    splits = split_rows(times.to_frame(), experiment.data.split)
    (valid, test), (_, stop) = splits["valid"], splits["test"]
    if (stop - test) // count < horizon:
        raise InputError(
            f"every fold must hold a horizon of {horizon} rows, but the test split has "
            f"{stop - test} for {count} folds; take fewer folds or a longer test split"
        )
    borders = [test + (stop - test) * k // count for k in range(count + 1)]
    moments = [times.iloc[row].isoformat() if row < len(times) else None for row in borders]
    begins = [times.iloc[row - (test - valid)].isoformat() for row in borders[:-1]]
    bounds = zip(begins, moments[:-1], moments[1:], strict=True)
    return [
        experiment.replace({"data.split": {"kind": "time", "valid": a, "test": b, "until": c}})
        for a, b, c in bounds
    ]
