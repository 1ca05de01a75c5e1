"""An older network on the test items of a newer run, and whether the newer one is better.

Data change: labels and scales of the two are matched by their names and units, and texts are read
again, so that both answer the same items with all that they know.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas

from rnnkit.data import sources
from rnnkit.data.prepare import data_sha256
from rnnkit.data.prepare.align import translated, windowed
from rnnkit.data.prepare.new_inputs import unseen
from rnnkit.data.prepare.prepared import Part, Prepared
from rnnkit.data.prepare.store import load as load_prepared
from rnnkit.errors import InputError
from rnnkit.evaluation.comparison.bootstrap import Difference, difference
from rnnkit.evaluation.comparison.comparable import refuse_another_question, refuse_seen
from rnnkit.evaluation.comparison.items import measured, one_measure
from rnnkit.evaluation.comparison.table import block_of
from rnnkit.evaluation.finalize import PREDICTIONS
from rnnkit.inference.predict import Predictor, load
from rnnkit.params import Experiment
from rnnkit.params.block import FrozenDict
from rnnkit.params.task import Forecasting
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import task_for
from rnnkit.training.evaluate import evaluate


@dataclass(frozen=True)
class Verdict:
    """What a challenge ended with.

    Args:
        found: the newer run's measure less the older model's; None where they cannot be compared.
        reason: a sentence.
    """

    found: Difference | None
    reason: str

    @property
    def is_better(self) -> bool:
        """Whether the newer one is to take the older one's place."""
        return self.found is not None and self.found.is_better


def challenge(run: RunFolder, champion: Path, home: Path) -> Verdict:
    """A finished run against an older model, on the run's own test part.

    Args:
        run: the newer one.
        champion: the older one's model folder.
        home: the output folder, where prepared data lie.
    """
    place = home / "prepared" / run.result["prepared"]
    try:
        if not place.exists():
            raise InputError("the run's prepared data are gone")
        predictor, own, prepared = load(champion), load(run.path).experiment, load_prepared(place)
        refuse_another_question(predictor.experiment, own)
        refuse_seen(predictor.experiment, own, predictor.prepared.facts, prepared.facts)
        theirs = answers_of(predictor, own, prepared)
        mine = pandas.read_parquet(run.path / PREDICTIONS)
        (measure, ours), (other, items) = (measured(t, run.result["shown"]) for t in (mine, theirs))
        one_measure([measure, other])
        found = difference(measure, [ours], [items], block_of(run), seed=0)
    except InputError as error:
        return Verdict(
            None,
            f"they cannot be compared: {error}; to make the new one champion all the same: "
            f"rnnkit register {run.id} --champion",
        )
    relation = "better" if found.is_better else "not better"
    return Verdict(
        found,
        f"{relation} on the same {found.items:,} test items: {measure} {found.value:+.4g}, 95 % "
        f"interval {found.low:+.3g} to {found.high:+.3g}",
    )


def answers_of(
    predictor: Predictor, experiment: Experiment, prepared: Prepared
) -> pandas.DataFrame:
    """A model's predictions for the test part of data that it was not prepared with.

    Texts are read again where the two know other words, so that neither loses what it knows.

    Args:
        predictor: the older model, which was asked the same question.
        experiment: of the newer run, whose data they are.
        prepared: those data.

    Raises:
        InputError: the model cannot read these data, or its answers mean other things.
    """
    theirs, part, items = predictor.prepared, prepared.parts["test"], None
    if isinstance(experiment.task, Forecasting):
        assert prepared.scaler is not None
        part = windowed(part, predictor.experiment.data.window, prepared.scaler)
    same = _words(prepared) == _words(theirs)
    if same or (prepared.vocabulary is None and prepared.target is None):
        part = translated(part, prepared, theirs)
    else:
        part, items = _read_again(predictor, experiment, prepared)
    scaler = theirs.scaler
    if scaler is not None and prepared.scaler is not None:
        scaler = replace(scaler, begin=prepared.scaler.begin)
    texts = [prepared.references, prepared.sources]
    if items is not None and prepared.target is not None:
        rows = list(enumerate(items.tolist()))
        texts = [FrozenDict({i: own[row] for i, row in rows if row in own}) for own in texts]
    references, read = texts
    # The task wants a training part for metrics that are of no interest here.
    task = task_for(
        predictor.experiment.task,
        replace(theirs, parts=prepared.parts, scaler=scaler, references=references, sources=read),
    )
    found = evaluate(predictor.network, task, part, predictor.experiment, True).predictions
    assert found is not None
    if items is not None:
        found["item"] = items[found["item"].to_numpy()]
    return found


def _read_again(
    predictor: Predictor, experiment: Experiment, prepared: Prepared
) -> tuple[Part, np.ndarray]:
    """The test items from their source, and which row of it each is."""
    kind, form = experiment.task.kind, experiment.data.source.form
    written = kind == "captioning" and form == "labelled_text"
    if kind == "language_modeling" or (
        written and _words(prepared)[-1] != _words(predictor.prepared)[-1]
    ):
        raise InputError(
            "their vocabularies differ, and so would the tokens that are predicted; train on the "
            "champion's text, or on characters"
        )
    if data_sha256(experiment.data, experiment.task) != prepared.sha256:
        raise InputError("the data have changed since the run was prepared")
    if getattr(experiment.data.source, "join", None) is not None:
        raise InputError("their vocabularies differ, and joined recordings cannot be read again")
    frame = sources.read(experiment.data.source, experiment.data.split)
    items = np.unique(prepared.parts["test"].item.numpy())
    own = predictor.experiment
    rows = frame.iloc[items].reset_index(drop=True)
    part = unseen(rows, own.data, own.task, predictor.prepared, predictor.tokenizer)
    return part, items


def _words(prepared: Prepared) -> tuple[Any, ...]:
    target = None if prepared.target is None else prepared.target.vocabulary
    return prepared.vocabulary, prepared.letters, target
