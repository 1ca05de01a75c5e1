"""An older network on the test items of a newer run, and whether the newer one is better.

Data change: labels and scales of the two are matched by their names and units, and texts are read
again, so that both answer the same items with all that they know.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas

from rnnkit.data import sources
from rnnkit.data.prepare import data_sha256
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.errors import InputError
from rnnkit.evaluation.comparison.bootstrap import Difference, difference
from rnnkit.evaluation.comparison.comparable import refuse_another_question, refuse_seen
from rnnkit.evaluation.finalize import predictions_of
from rnnkit.inference.predict import Predictor, load
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import load_prepared, task_for
from rnnkit.tasks import predictions_of as typed_predictions
from rnnkit.tasks.predictions import Predictions, one_measure
from rnnkit.training.evaluate import evaluate


@dataclass(frozen=True)
class Verdict:
    """What a challenge ended with.

    Args:
        change: the newer run's measure less the older model's; None where they cannot be compared.
        reason: a sentence.
    """

    change: Difference | None
    reason: str

    @property
    def is_better(self) -> bool:
        """Whether the newer one is to take the older one's place."""
        return self.change is not None and self.change.is_better


def compare_with_champion(run: RunFolder, champion: Path, home: Path) -> Verdict:
    """A finished run against an older model, on the run's own test split.

    Args:
        run: the newer one.
        champion: the older one's model folder.
        home: the output folder, where prepared data lie.
    """
    place = home / "prepared" / run.result["prepared"]
    try:
        if not place.exists():
            raise InputError("the run's prepared data are gone")
        predictor, experiment = load(champion), load(run.path).experiment
        prepared = load_prepared(place, experiment.data, experiment.task)
        refuse_another_question(predictor.experiment, experiment)
        refuse_seen(predictor.prepared.fitted, prepared.fitted)
        theirs = champion_predictions(predictor, experiment, prepared).measured()
        ours = predictions_of(run).measured()
        measure, overlap = one_measure([ours.name, theirs.name]), experiment.task.overlap
        change = difference(measure, [ours.items], [theirs.items], overlap, seed=0)
    except InputError as error:
        return Verdict(
            None,
            f"they cannot be compared: {error}; to make the new one champion all the same: "
            f"rnnkit register {run.id} --champion",
        )
    relation = "better" if change.is_better else "not better"
    return Verdict(
        change,
        f"{relation} on the same {change.items:,} test items: {measure} {change.value:+.4g}, 95 % "
        f"interval {change.low:+.3g} to {change.high:+.3g}",
    )


def champion_predictions(
    predictor: Predictor, experiment: Experiment, prepared: Prepared
) -> Predictions:
    """A model's predictions for the test split of data that it was not prepared with.

    Texts are read again where the two know other words, so that neither loses what it knows.

    Args:
        predictor: the older model, which was asked the same question.
        experiment: of the newer run, whose data they are.
        prepared: those data.

    Raises:
        InputError: the model cannot read these data, or its answers mean other things.
    """
    ours, theirs = prepared.fitted, predictor.prepared.fitted
    part = prepared.parts["test"]
    if ours.tokens == theirs.tokens:
        part = theirs.align(part, ours)
    else:
        frame = _source_frame(experiment, prepared, theirs)
        part = theirs.encode(frame, np.unique(part.item.numpy()), "test")
    # The task wants a training split for metrics that are of no interest here.
    task = task_for(
        predictor.experiment.task,
        replace(
            predictor.prepared,
            parts=prepared.parts,
            fitted=theirs.with_series_of(ours),
            references=prepared.references,
            sources=prepared.sources,
        ),
    )
    scores = evaluate(predictor.network, task, part, predictor.experiment, predictions=True)
    assert scores.predictions is not None
    return typed_predictions(predictor.experiment, scores.predictions)


def _source_frame(experiment: Experiment, prepared: Prepared, theirs: Fitted) -> pandas.DataFrame:
    """The source's frame, to encode the test items again with another model's tokens."""
    theirs.refuse_other_tokens(prepared.fitted)
    if data_sha256(experiment.data, experiment.task) != prepared.sha256:
        raise InputError("the data have changed since the run was prepared")
    return sources.read(experiment.data.source, experiment.data.split)
