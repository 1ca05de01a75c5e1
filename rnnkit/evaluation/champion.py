"""Compare a finished run with an older model, the champion.

If the data changed, labels are matched by name, scales by unit, and texts are encoded again with
the older model's tokenizer.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rnnkit.data import sources
from rnnkit.data.prepare import data_sha256
from rnnkit.data.prepare.facts import unseen_note
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.errors import InputError
from rnnkit.evaluation.comparison.bootstrap import Difference, difference
from rnnkit.evaluation.comparison.comparable import refuse_other_task, refuse_seen
from rnnkit.evaluation.evaluate_file import prepared_of
from rnnkit.evaluation.finalize import predictions_of
from rnnkit.inference.predict import Predictor, load
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import predictions_of as typed_predictions
from rnnkit.tasks import task_for
from rnnkit.tasks.predictions import Predictions, one_measure
from rnnkit.training.evaluate import evaluate


@dataclass(frozen=True)
class Verdict:
    """The newer run's measure minus the older model's, None if not comparable; and a sentence."""

    change: Difference | None
    reason: str

    @property
    def is_better(self) -> bool:
        """Whether the newer run should become the champion."""
        return self.change is not None and self.change.verdict == "better"


def compare_with_champion(run: RunFolder, champion: Path, home: Path) -> Verdict:
    """Compare a finished run with an older run or model folder on the run's test split.

    The run's prepared data are in `home`, the output folder.
    """
    try:
        predictor, experiment = load(champion), load(run.path).experiment
        prepared = prepared_of(run, experiment, home)
        refuse_other_task(predictor.experiment, experiment)
        refuse_seen(predictor.prepared.fitted, prepared.fitted)
        older = champion_predictions(predictor, experiment, prepared).measured()
        newer = predictions_of(run).measured()
        measure, overlap = (
            one_measure([newer.name, older.name]),
            experiment.task.window_overlap or 1,
        )
        change = difference(measure, [newer.items], [older.items], overlap, seed=0)
    except InputError as error:
        return Verdict(None, incomparable(run, error))
    unseen = prepared.fitted.unseen(prepared.splits["test"], predictor.prepared.fitted)
    lacks = f"; for the older model, {unseen_note('test', unseen)}" if unseen else ""
    relation = "better" if change.verdict == "better" else "not better"
    sentence = f"{relation} on the same {change.items:,} test items: {change}{lacks}"
    return Verdict(change, sentence)


def incomparable(run: RunFolder, error: InputError) -> str:
    """The reason of a verdict without a comparison, and how to promote the run by hand."""
    return (
        f"they cannot be compared: {error}; to make the new one champion all the same: "
        f"rnnkit register {run.id} --champion"
    )


def champion_predictions(
    predictor: Predictor, experiment: Experiment, prepared: Prepared
) -> Predictions:
    """Predictions of an older model for the test split of a newer run of the same task.

    Texts are encoded again if the vocabularies differ.

    Raises:
        InputError: the model cannot encode these data, or its outputs are not comparable.
    """
    newer = prepared.fitted
    older = predictor.prepared.fitted.including_labels(newer.all_labels)
    part = prepared.splits["test"]
    if newer.tokens == older.tokens:
        part = older.align(part, newer)
    else:
        older.refuse_other_tokens(newer)
        if data_sha256(experiment.data, experiment.task) != prepared.sha256:
            raise InputError("the data have changed since the run was prepared")
        frame = sources.read(experiment.data.source, experiment.data.split)
        part = older.encode(frame, np.unique(part.item.numpy()), "test")
    # The task needs a training split for metrics that are not used here.
    together = replace(
        predictor.prepared,
        splits=prepared.splits,
        fitted=older.with_series_of(newer),
        references=prepared.references,
        sources=prepared.sources,
    )
    task = task_for(predictor.experiment.task, together)
    scores = evaluate(predictor.network, task, part, predictor.experiment, predictions=True)
    assert scores.predictions is not None
    return typed_predictions(predictor.experiment, scores.predictions)
