"""What a network must beat: simple predictors, fitted on the training split, scored alike."""

import pandas

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics
from rnnkit.tasks.interface import Task
from rnnkit.tasks.predictions import Predictions, Scored


def score(task: Task, prepared: Prepared, split: EncodedSplit) -> dict[str, Metrics]:
    """The metrics of every baseline of a task on a split, by the baseline's name.

    One that says nothing of a metric lacks it, and one that says nothing of any that is shown, as
    a constant text where no text is the right one, is left out.
    """
    scores = {name: baseline(task, prepared, split) for name, baseline in task.baselines.items()}
    return {name: metrics for name, metrics in scores.items() if metrics.keys() & set(task.shown)}


def predictions(task: Task, split: EncodedSplit, metrics: Metrics) -> Predictions | None:
    """A baseline's table of predictions, from its metrics of `score` on a split; None: it predicts
    no items."""
    if not isinstance(metrics, Scored):
        return None
    columns = metrics.columns()
    if "item" not in columns:
        of_items = len(next(iter(columns.values()))) == len(split)
        item = split.item if of_items else split.item.repeat_interleave(split.target_length)
        columns = {"item": item.numpy(), **columns}
    kind = task.predictions_type(task.params, task.fitted.data)
    table = pandas.DataFrame(dict(columns))
    lacking = [name for name in kind.columns if name not in table]
    return kind(table.assign(**dict.fromkeys(lacking)), task.params)
