"""What a network must beat: simple predictors, fitted on the training split, scored alike."""

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics
from rnnkit.tasks.interface import Task


def score(task: Task, prepared: Prepared, split: EncodedSplit) -> dict[str, Metrics]:
    """The metrics of every baseline of a task on a split, by the baseline's name.

    One that says nothing of a metric lacks it, and one that says nothing of any that is shown, as
    a constant text where no text is the right one, is left out.
    """
    scores = {name: baseline(task, prepared, split) for name, baseline in task.baselines.items()}
    return {name: metrics for name, metrics in scores.items() if metrics.keys() & set(task.shown)}
