"""Music: how piano rolls are read and laid out, and how notes are scored."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from rnnkit.data import sources
from rnnkit.data.batches import gather
from rnnkit.errors import InputError
from rnnkit.metrics import NoteMeter
from rnnkit.nn.losses import bernoulli
from rnnkit.params import Experiment
from rnnkit.params.data import Fractions, Given
from rnnkit.params.source import PianoRolls
from rnnkit.tasks import prepare, task_for
from rnnkit.tasks.baselines import score

PIECES = {
    "train": [[[60, 64], [62], [], [60]], [[61], [61]], [[60], [64]] * 5],
    "valid": [[[60], [64], [60]]],
    "test": [[[60, 64], [64, 67]], [[], [60], [61]]],
}


def rolls(folder: Path, content: object = PIECES, **changes: Any) -> PianoRolls:
    path = folder / "a.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return PianoRolls(path=str(path), **{"lowest": 60, "highest": 67, **changes})


def experiment(source: PianoRolls, **changes: Any) -> Experiment:
    tree = {
        "name": "m",
        "task": {"kind": "music"},
        "data": {"source": source.model_dump(), "split": {"kind": "given"}},
        "model": {"representation": {"kind": "raw"}, "hidden": 4},
    }
    return Experiment.model_validate(tree).replace(changes)


def test_a_roll_has_a_key_for_each_note_and_the_next_frame_is_the_target(tmp_path: Path) -> None:
    it = experiment(rolls(tmp_path))
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.fitted.inputs.features == 8
    train = prepared.splits["train"]
    assert train.input_length.tolist() == [3, 1, 9]  # the first frame of a piece is given
    batch = gather(train, torch.tensor([0, 1]), "post", torch.float32)
    keys = [[i for i in range(8) if frame[i]] for frame in batch.inputs[0].tolist()]
    assert keys == [[0, 4], [2], []]
    keys = [[i for i in range(8) if frame[i]] for frame in batch.targets[0].tolist()]
    assert keys == [[2], [], [0]]
    assert batch.targets[1, 1:].abs().sum() == 0
    assert prepared.facts["notes per frame"]["valid"] == 1


def test_the_loss_is_the_sum_over_keys_and_the_mean_over_real_frames(tmp_path: Path) -> None:
    it = experiment(rolls(tmp_path))
    prepared = prepare(it.data, it.task, tmp_path)
    task = task_for(it.task, prepared)
    batch = gather(prepared.splits["train"], torch.arange(3), "pre", torch.float64)
    outputs = torch.randn(batch.targets.shape, dtype=torch.float64)
    total, frames = 0.0, 0
    for row in range(3):
        for step in range(batch.inputs.shape[1]):
            if batch.mask is None or not batch.mask[row, step]:
                continue
            frames += 1
            for key in range(8):
                share = 1 / (1 + math.exp(-float(outputs[row, step, key])))
                total -= math.log(share if batch.targets[row, step, key] else 1 - share)
    assert float(task.loss(outputs, batch)) == pytest.approx(total / frames, rel=1e-12)
    assert task.weight(batch) == frames == 13
    logs = task.predictions(outputs, batch)["log_probability"]
    assert -sum(logs) == pytest.approx(total)


def test_bernoulli_refuses_other_shapes() -> None:
    with pytest.raises(ValueError, match="one shape"):
        bernoulli(torch.zeros(2, 3), torch.zeros(2, 1))


def test_notes_are_counted_by_hand() -> None:
    meter = NoteMeter()
    said = torch.tensor([[True, True, False], [False, False, True]])
    heard = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    meter.update(said, heard)  # two right, one too many, one missed
    found = meter.compute()
    assert found["precision"] == pytest.approx(2 / 3)
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx(2 / 3)
    assert found["accuracy"] == pytest.approx(2 / 4)


def test_the_baselines_are_as_counted_by_hand(tmp_path: Path) -> None:
    content = {"train": [[[60], [60], [60], [61]]], "valid": [[[60], [60]]], "test": [[[60], [61]]]}
    it = experiment(rolls(tmp_path, content, lowest=60, highest=61))
    prepared = prepare(it.data, it.task, tmp_path)
    beside = score(task_for(it.task, prepared), prepared, prepared.splits["test"])
    # three targets: 60, 60, 61; with one added to both counts, 60 sounds in 3 of 5, 61 in 2 of 5
    assert beside["independent keys"]["loss"] == pytest.approx(-math.log(2 / 5 * 2 / 5))
    # 60 sounded before all three; 61 never did
    assert beside["each key by itself"]["loss"] == pytest.approx(-math.log(2 / 5 * 2 / 5))


def test_pieces_in_one_list_are_split_by_hash(tmp_path: Path) -> None:
    pieces = [[[60 + i % 8], [60 + j % 8], [60]] for i in range(8) for j in range(8)]
    source = rolls(tmp_path, pieces)
    frame = sources.read(source, Fractions())
    assert len(frame) == 64
    it = experiment(source, **{"data.split": {"kind": "fractions", "valid": 0.2, "test": 0.2}})
    prepared = prepare(it.data, it.task, tmp_path)
    assert sum(len(split) for split in prepared.splits.values()) == 64


@pytest.mark.parametrize(
    ("content", "split", "message"),
    [
        ("{", Given(), "line 1, column 2: the file must be JSON"),
        (
            "[" * 100_000,
            Given(),
            "the file must be JSON of no more than 100 lists and obj",
        ),
        ([[[60], [61]]], Given(), "pieces in one list; write `split: {kind: fractions}`"),
        (PIECES, Fractions(), r"splits \(train, valid, test\); write `split: {kind: given}`"),
        ({"train": [], "dev": []}, Given(), "must be train, valid and test, but they are train"),
        ({**PIECES, "test": 3}, Given(), "pieces must be a list, but they are 3"),
        ({**PIECES, "valid": [[[60]]]}, Given(), "valid piece 1: a piece must be a list of at lea"),
        ([[[60], [59]]], Fractions(), "piece 1, frame 2: notes must be .* 60 to 67, but it is .59"),
        ([[[60], [60.5]]], Fractions(), "frame 2: notes must be a list of whole numbers"),
        ([[[60], 61]], Fractions(), "frame 2: notes must be a list of whole numbers"),
        ([], Fractions(), "the file holds no piece"),
    ],
)
def test_what_is_no_music_is_refused(
    content: object, split: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        sources.read(rolls(tmp_path, content), split)


def test_keys_and_parts_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must not lie below data\.source\.lowest"):
        experiment(rolls(tmp_path, highest=50))
    with pytest.raises(ValueError, match="would read the frame that is to be predicted"):
        experiment(rolls(tmp_path), **{"model.bidirectional": True})
    with pytest.raises(ValueError, match="has no predefined splits"):
        Experiment.model_validate(
            {
                "name": "x",
                "task": {"kind": "classification"},
                "data": {
                    "source": {"kind": "labelled_text", "path": "a"},
                    "split": {"kind": "given"},
                },
            }
        )


def test_the_chorales_have_the_published_parts(public_data: Any, tmp_path: Path) -> None:
    path = public_data("music_jsb") / "jsb-chorales-quarter.json"
    frame = sources.read(PianoRolls(path=str(path)), Given())
    assert frame["part"].value_counts().to_dict() == {"train": 229, "valid": 76, "test": 77}
