"""Verdicts on the memory span beside the data's dependence and `train.bptt`."""

from typing import Any

import pytest
from small_training import experiment_of, prepared_of
from test_memory_span import delay_line, delayed, remembering

from rnnkit.diagnose import truncation
from rnnkit.diagnose.dependence import INFORMATION
from rnnkit.diagnose.subject import Case, Subject
from rnnkit.tasks import task_for


def judged(
    span: int,
    reach: int | None,
    bptt: int | None,
    *,
    learned: bool = False,
    is_bounded: bool = True,
) -> list[Any]:
    experiment = experiment_of({"train.bptt": bptt, "model.cell.kind": "rnn"})
    task = task_for(experiment.task, prepared_of(experiment))
    measured = {
        truncation.SPAN: {"span": span, "is_bounded": is_bounded},
        truncation.DEPENDENCE: {"reach": reach, "measure": INFORMATION},
    }
    return [*truncation.judge(Case(experiment, task, (), measured, learned))]


def test_a_network_that_forgets_what_the_data_need_is_named() -> None:
    (verdict,) = judged(span=4, reach=40, bptt=None)
    assert verdict.name == "forgets"
    assert verdict.sentence == (
        "forgets too early: the network uses inputs up to 4 steps back; the data depend on theirs "
        "up to 40 (mutual information)"
    )
    assert verdict.options[0] == "--set model.cell.kind=lstm"
    assert judged(span=4, reach=40, bptt=None, learned=True) == []
    assert judged(span=30, reach=40, bptt=None) == []
    assert judged(span=4, reach=None, bptt=None) == []
    assert judged(span=4, reach=40, bptt=None, is_bounded=False) == []


def test_a_truncation_below_the_memory_span_is_named() -> None:
    (verdict,) = judged(span=30, reach=30, bptt=20)
    assert verdict.name == "truncation_too_short"
    assert verdict.sentence.startswith("training is truncated to 20 steps, and the network uses ")
    assert verdict.options == ("--set train.bptt=60",)
    assert judged(span=20, reach=30, bptt=20) == []


def test_a_truncation_far_beyond_the_memory_span_is_named() -> None:
    (verdict,) = judged(span=5, reach=3, bptt=200)
    assert verdict.name == "truncation_too_long"
    assert verdict.options == ("--set train.bptt=20",)
    assert judged(span=5, reach=50, bptt=200, learned=True) == []
    assert judged(span=5, reach=3, bptt=40) == []
    assert judged(span=5, reach=3, bptt=200, is_bounded=False) == []


def test_nothing_is_judged_without_a_memory_span() -> None:
    experiment = experiment_of({})
    task = task_for(experiment.task, prepared_of(experiment))
    assert list(truncation.judge(Case(experiment, task, ()))) == []


@pytest.mark.parametrize("delay", [3])
def test_measured_on_a_network_both_spans_are_in_a_sentence(delay: int) -> None:
    experiment = remembering("tagging", delay)
    prepared = delayed(experiment, 120, 40, delay)
    task = task_for(experiment.task, prepared)
    subject = Subject(experiment, task, delay_line(experiment, task, delay).eval(), prepared)
    span, depends = truncation.measure_span(subject), truncation.measure_dependence(subject)
    assert (span["span"], depends["reach"]) == (delay, delay)
    assert span["worth"] > 1
    assert truncation.sentence(span, depends) == (
        "the network uses inputs up to 3 steps back; the data depend on theirs up to 3 "
        "(mutual information)"
    )
    assert truncation.sentence(span, {}) == "the network uses inputs up to 3 steps back"
    nothing = {**depends, "reach": None}
    assert "the data show no dependence" in truncation.sentence(span, nothing)
    assert "at least 3" in truncation.sentence({**span, "is_bounded": False}, {})


def test_a_long_curve_is_kept_at_fewer_lags_with_its_span() -> None:
    experiment = remembering("tagging", 61)
    prepared = delayed(experiment, 60, 160, 61)
    task = task_for(experiment.task, prepared)
    subject = Subject(experiment, task, delay_line(experiment, task, 61).eval(), prepared)
    measured = truncation.measure_span(subject)
    assert measured["span"] == 61
    assert 61 in measured["lags"]
    assert list(measured["lags"][:33]) == list(range(33))
    assert len(measured["lags"]) < 60 < 100 < measured["lags"][-1]
    assert len(measured["lags"]) == len(measured["excess"]) == len(measured["error"])
