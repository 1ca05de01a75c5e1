"""Walk-forward backtests: a series' test part in several folds, each forecast from all before it.

Every fold is an experiment of its own, whose run resumes, is listed and compared like any other.

Reference: L. J. Tashman, Out-of-sample tests of forecasting accuracy: an analysis and review,
International Journal of Forecasting 16, 2000 (rolling origin, with a growing training part).
"""

from rnnkit.data import sources
from rnnkit.data.prepare.split_series import split_rows
from rnnkit.errors import InputError
from rnnkit.params import Experiment


def walk_forward(experiment: Experiment, count: int) -> list[Experiment]:
    """The experiment once for each fold.

    The test part's moments are cut into folds of about equal length. In each the training part
    goes from the series' beginning to a validation part as long as the experiment's own, which ends
    where the fold begins.

    Args:
        experiment: of forecasting, split by time.
        count: folds.

    Raises:
        InputError: another task, or folds that are shorter than the horizon.
    """
    task = experiment.task
    horizon = task.folds_of
    if horizon is None:
        raise InputError(f"only forecasts are tested in folds, and the task is {task.kind}")
    frame = sources.read(experiment.data.source, experiment.data.split)
    times = frame["time"].drop_duplicates().sort_values(ignore_index=True)
    whole = times.to_frame()
    stretches = split_rows(whole, experiment.data.split)
    (valid, test), (_, stop) = stretches["valid"], stretches["test"]
    if (stop - test) // count < horizon:
        raise InputError(
            f"every fold must hold a horizon of {horizon} rows, but the test part has "
            f"{stop - test} for {count} folds; take fewer folds or a longer test part"
        )
    borders = [test + (stop - test) * k // count for k in range(count + 1)]
    moments = [times.iloc[row].isoformat() if row < len(times) else None for row in borders]
    ahead = test - valid
    return [
        experiment.replace(
            {
                "data.split": {
                    "kind": "time",
                    "valid": times.iloc[borders[k] - ahead].isoformat(),
                    "test": moments[k],
                    "until": moments[k + 1],
                }
            }
        )
        for k in range(count)
    ]
