"""The clip report of a journal, its sentences, and its verdicts."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from small_training import experiment_of, prepared_of

from rnnkit.diagnose import clip
from rnnkit.diagnose.subject import Case
from rnnkit.params import Experiment
from rnnkit.tasks import task_for
from rnnkit.training.loop import train
from rnnkit.training.state import Epoch, State, Step
from rnnkit.training.trainer import Trainer

SGD = {"train.optimizer.kind": "sgd", "train.optimizer.learning_rate": 0.5}
Journal = list[dict[str, Any]]


def steps(norms: Sequence[float], threshold: float | None, per_epoch: int = 10) -> Journal:
    """A journal with a record for each step, as a training with these norms has it."""
    lines = []
    for number, norm in enumerate(norms, start=1):
        is_clipped = threshold is not None and norm > threshold
        lines.append(
            {
                "kind": "step",
                "epoch": (number - 1) // per_epoch + 1,
                "step": number,
                "gradient_norm": norm,
                "gradient_norm_max": norm,
                "clipped_fraction": float(is_clipped),
                "clip_scale": threshold / norm if threshold and is_clipped else 1.0,
                "norm_max_step": number,
                "threshold": threshold,
                "refused": 0,
            }
        )
    return lines


def epochs(losses: Sequence[float], per_epoch: int = 10) -> Journal:
    return [
        {"kind": "epoch", "epoch": n, "step": n * per_epoch, "train": {"loss": loss}}
        for n, loss in enumerate(losses, start=1)
    ]


def case_of(journal: Journal, changes: Mapping[str, Any], *, learned: bool = False) -> Case:
    experiment = experiment_of(changes)
    task = task_for(experiment.task, prepared_of(experiment))
    return Case(experiment, task, journal, learned=learned)


def trained(experiment: Experiment) -> Journal:
    """The journal of a training."""
    records = train(experiment, prepared_of(experiment), State.start())
    return [
        {"kind": type(record).__name__.lower(), **dataclasses.asdict(record)}
        for record in records
        if isinstance(record, Step | Epoch)
    ]


def test_share_scale_and_percentiles_equal_those_of_the_norms() -> None:
    norms = np.random.default_rng(0).lognormal(size=40)
    report = clip.clip_report(steps(norms.tolist(), 1.0))
    assert report["share"] == pytest.approx((norms > 1).mean())
    assert report["scale"] == pytest.approx(np.minimum(1, 1 / norms).mean())
    assert report["percentiles"]["50"] == pytest.approx(np.median(norms))
    assert (norms > report["suggested"]).mean() == pytest.approx(0.1, abs=0.03)
    assert report["range"]["low"] == pytest.approx(np.percentile(norms, 10), rel=1e-2)


def test_the_share_and_scale_of_a_training_are_those_of_its_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Measured once more, from the norm of every update."""
    norms: list[float] = []
    update = Trainer.update

    def recorded(trainer: Trainer, *window: Any) -> None:
        update(trainer, *window)
        norms.append(trainer.recent.norm_max if trainer.recent.steps == 1 else np.nan)

    monkeypatch.setattr(Trainer, "update", recorded)
    report = clip.clip_report(trained(experiment_of({"train.clip": 0.3})))
    assert np.isfinite(norms).all()
    assert 0 < report["share"] < 1
    assert report["share"] == pytest.approx((np.array(norms) > 0.3).mean())
    assert report["scale"] == pytest.approx(np.minimum(1, 0.3 / np.array(norms)).mean())


def test_a_journal_of_an_older_version_has_no_scale() -> None:
    old = [
        {k: v for k, v in line.items() if k not in ("clip_scale", "norm_max_step")}
        for line in steps([1.0, 2.0], 0.5)
    ]
    report = clip.clip_report(old)
    assert report["scale"] is None
    assert "clips every step" in clip.sentence(report, experiment_of({}))


def test_without_a_finite_norm_there_is_no_report() -> None:
    assert clip.clip_report([]) == {}
    nothing = [{**line, "gradient_norm": "nan"} for line in steps([1.0], 5.0)]
    assert clip.clip_report(nothing) == {}


@pytest.mark.parametrize(
    ("threshold", "sentence"),
    [
        (None, "gradients are not clipped: the median norm is 1.5, the largest 2"),
        (5.0, "never clips: the threshold 5 does nothing"),
        (1.2, "the threshold 1.2 clips 50.0% of the steps"),
        (
            0.01,
            "clips every step: the threshold 0.01 only scales the learning rate, it multiplies ",
        ),
    ],
)
def test_the_report_in_a_sentence(threshold: float | None, sentence: str) -> None:
    report = clip.clip_report(steps([1.0, 2.0] * 10, threshold))
    assert clip.sentence(report, experiment_of(SGD)).startswith(sentence)


def test_a_threshold_that_clips_every_step_is_named_where_nothing_is_learned() -> None:
    journal = trained(experiment_of({**SGD, "train.clip": 0.001}))
    case = case_of(journal, {**SGD, "train.clip": 0.001})
    (verdict,) = clip.judge(case)
    assert verdict.name == "clips_every_step"
    assert verdict.sentence.startswith("clips every step: the threshold 0.001 only scales the")
    (override,) = verdict.overrides
    assert override["train.clip"] > 0.1
    assert list(clip.judge(dataclasses.replace(case, learned=True))) == []


def test_a_threshold_that_clips_now_and_then_is_no_verdict() -> None:
    assert list(clip.judge(case_of(steps([1.0, 2.0] * 10, 1.5), SGD))) == []
    every = steps([1.0, 2.0] * 10, 0.5)  # by half: the learning rate makes up for it
    assert list(clip.judge(case_of(every, SGD))) == []


def test_spikes_are_named_with_their_epoch_step_and_items() -> None:
    norms = [1.0] * 20
    norms[12] = 50.0  # step 13, the third of epoch 3, which has five batches
    journal = steps(norms, None, per_epoch=5) + epochs([1.0, 0.9, 0.95, 0.8], per_epoch=5)
    case = case_of(journal, {"train.clip": None})
    (verdict,) = clip.judge(case)
    assert verdict.name == "spikes"
    items = clip.items_of_step(case.experiment, case.task, 3, 13, 11)
    assert len(items) == 8
    shown = ", ".join(map(str, items[:4]))
    assert f"50 in epoch 3 (step 13, items {shown}, …), where the median is 1" in verdict.sentence
    assert [spike["step"] for spike in verdict.evidence["spikes"]] == [13]


def test_a_spike_that_was_clipped_or_did_no_harm_is_no_verdict() -> None:
    norms = [1.0] * 20
    norms[12] = 50.0
    rising, falling = epochs([1.0, 0.9, 0.95, 0.8], 5), epochs([1.0, 0.9, 0.85, 0.8], 5)
    clipped = steps(norms, 2.0, per_epoch=5) + rising
    assert list(clip.judge(case_of(clipped, {"train.clip": 2.0}))) == []
    harmless = steps(norms, None, per_epoch=5) + falling
    assert list(clip.judge(case_of(harmless, {"train.clip": None}))) == []


def test_the_items_of_a_step_are_those_of_the_training() -> None:
    """The batches of an epoch, in order, are what the trainer reads."""
    experiment = experiment_of({})
    prepared = prepared_of(experiment)
    trainer = Trainer(experiment, prepared, State.start())
    task = task_for(experiment.task, prepared)
    for number, window in enumerate(trainer.windows(State.start()), start=1):
        assert clip.items_of_step(experiment, task, 1, number, 1) == window.batch.item.tolist()
    assert clip.items_of_step(experiment, task, 1, 99, 1) == []
