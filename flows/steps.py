"""Each library step as a Prefect task: a few lines, names, and what MLflow and the person see.

Prefect's own result cache is off: prepared data and run folders are the only caches.
"""

import shutil
import time
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.work import Work
from rnnkit import files
from rnnkit.params import Experiment, dump
from rnnkit.params.task import LanguageModeling
from rnnkit.train import Epoch, better, make_network, train_into
from rnnkit.prepare.prepared import Prepared


@task(name="prepare", cache_policy=NO_CACHE)
def prepare_data(work: Work) -> dict[str, Any]:
    """Tokenise, embed, pad: from the source to tensors on disk; told in facts."""
    stage = work.stages.begin("prepare", total=None)
    facts = dict(work.prepared.facts)
    items = facts["items"]
    note = " / ".join(f"{items[part]:,}" for part in ("train", "valid", "test"))
    work.stages.end(stage, f"{note} items for train / valid / test")
    return facts


@task(name="train", cache_policy=NO_CACHE)
def train_model(work: Work, experiment: Experiment, prepared: Prepared) -> None:
    """Trains in the run's own folder; every epoch is on disk and in MLflow before the next."""
    stage = work.stages.begin("train", total=experiment.train.epochs)
    note = ""
    for record in train_into(work.folder, experiment, prepared):
        if isinstance(record, Epoch):
            note = epoch_note(record.epoch, {**record.train, **record.valid}, experiment)
            work.stages.show(stage, record.epoch, note)
            work.mirror.advance()
    work.stages.end(stage, note)


@task(name="evaluate", cache_policy=NO_CACHE)
def evaluate_model(work: Work, experiment: Experiment) -> dict[str, Any]:
    """Scores the best epoch's network on the test part, beside the baselines."""
    from rnnkit import baselines
    from rnnkit.evaluate import evaluate
    from rnnkit.model.network import count_parameters
    from rnnkit.tasks import task_for

    stage = work.stages.begin("evaluate", total=None)
    tensors, facts = work.folder.best_checkpoint()
    task_ = task_for(experiment.task, work.prepared)
    network = make_network(experiment, task_)
    weights = {
        k.removeprefix("weights/"): v for k, v in tensors.items() if k.startswith("weights/")
    }
    network.load_state_dict(weights)
    test = work.prepared.parts["test"]
    scores = evaluate(network, task_, test, experiment, predictions=True)
    assert scores.predictions is not None
    work.folder.write_predictions(scores.predictions)
    work.folder.write_model(weights, dump(experiment))
    beside = baselines.score(task_, work.prepared, test)
    work.stages.end(stage, f"{len(test):,} items of the test part")
    return {
        "network": network_name(experiment),
        "test": scores.metrics,
        "baselines": beside,
        "best_epoch": facts["best_epoch"],
        "parameters": count_parameters(network),
        "verdict": verdict(experiment, scores.metrics, beside),
    }
