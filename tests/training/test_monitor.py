"""What `train.monitor` is where it is left open: what decides whether a baseline is beaten."""

from pathlib import Path

import pytest

from flows.pipeline import steps
from rnnkit.params import Experiment, load
from rnnkit.runs.identity import identify
from rnnkit.runs.run_folder import RunFolder

ROOT = Path(__file__).parents[2]
ENTITIES, PARTS_OF_SPEECH = ("B-PER", "O", "B-LOC"), ("NOUN", "VERB", "DET")


def tagging(folder: Path, tags: tuple[str, ...]) -> Experiment:
    sentences = ["\n".join(f"w{i + k} {tags[(i + k) % 3]}" for k in range(4)) for i in range(60)]
    (folder / "s.conll").write_text("\n\n".join(sentences) + "\n")
    return Experiment.model_validate(
        {
            "name": "tags",
            "task": {"kind": "tagging"},
            "data": {"source": {"kind": "conll", "path": str(folder / "s.conll")}},
            "model": {"representation": {"kind": "embedding", "size": 3}, "hidden": 4},
        }
    )


@pytest.mark.parametrize(
    ("tags", "monitor"), [(ENTITIES, "valid/f1"), (PARTS_OF_SPEECH, "valid/accuracy")]
)
def test_tags_of_entities_are_monitored_by_f1(
    tmp_path: Path, tags: tuple[str, ...], monitor: str
) -> None:
    experiment = tagging(tmp_path, tags)
    (identity,) = identify([experiment])
    folder = RunFolder(tmp_path / "runs" / identity.run)
    folder.create(experiment, {})
    assert folder.experiment.train.monitor is None
    run, _ = steps.prepare(steps.Run(experiment, folder, tmp_path, identity.data))
    assert run.experiment.train.monitor == monitor == run.experiment.monitor
    assert folder.experiment == run.experiment
    assert identify([folder.params]) == [identity]  # what the data decided is no part of the id


@pytest.mark.parametrize(
    ("name", "monitor", "direction"),
    [
        ("names", "valid/perplexity", "minimize"),  # a category has no single right text
        ("spelled_digits", "valid/sequence_accuracy", "maximize"),
        ("co2", "valid/mae", "minimize"),
        ("demo", "valid/accuracy", "maximize"),
    ],
)
def test_the_deciding_metric_is_monitored(name: str, monitor: str, direction: str) -> None:
    experiment = load(ROOT / f"params/{name}.yaml", ["train.monitor=null"])
    assert (experiment.monitor, experiment.direction) == (monitor, direction)
