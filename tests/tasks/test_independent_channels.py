"""Forecasts with segments and with independent channels: examples, tables, and verbs."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from trained_runs import finish_in

from rnnkit.data.batches import gather
from rnnkit.data.prepare import data_sha256
from rnnkit.errors import InputError
from rnnkit.evaluation.champion import compare_with_champion
from rnnkit.inference.predict import load
from rnnkit.params import Experiment
from rnnkit.params.public import hashed_params
from rnnkit.runs.identity import identify
from rnnkit.tasks import prepare, task_for
from rnnkit.training.evaluate import evaluate
from rnnkit.training.invariants import measure_invariants
from rnnkit.training.trainer import make_network

HORIZON, WINDOW, SEGMENT = 5, 12, 4
KNOWN = {"covariates": {"past": ["load"], "future": ["price"], "calendar": ["hour"]}}


def rows() -> list[tuple[str, float, float, float, float]]:
    """160 hours of two targets, b a thousand times as large, and of two covariates."""
    return [
        (
            f"2024-01-{t // 24 + 1:02d}T{t % 24:02d}:00",
            math.sin(t / 4) + t / 100,
            1000 * math.cos(t / 7) + math.sin(t * t),
            math.sin(t * t),
            math.cos(t * t),
        )
        for t in range(160)
    ]


def write(folder: Path, melted: bool) -> Path:
    path = folder / ("melted.csv" if melted else "wide.csv")
    if melted:
        lines = [
            f"{t},{s},{v},{p},{q}" for t, a, b, p, q in rows() for s, v in (("a", a), ("b", b))
        ]
        path.write_text("\n".join(["time,series,value,load,price", *lines]))
    else:
        path.write_text(
            "\n".join(["time,a,b,load,price", *(",".join(map(str, r)) for r in rows())])
        )
    return path


def experiment_of(
    folder: Path, *, melted: bool = False, task: Any = None, model: Any = None, **data: Any
) -> Experiment:
    source = {"kind": "table", "path": str(write(folder, melted)), "time": "time"}
    return Experiment.model_validate(
        {
            "name": "x",
            "task": {
                "kind": "forecasting",
                "horizon": HORIZON,
                "season": 3,
                "targets": ["value"] if melted else ["a", "b"],
                "relative_to": "last",
                **(task or {}),
            },
            "data": {
                "source": source | ({"id": "series"} if melted else {}),
                "split": {"kind": "time", "valid": 0.2, "test": 0.2},
                "window": WINDOW,
                "segment": SEGMENT,
                "covariates": {"past": ["load"]},
                **data,
            },
            "model": {
                "representation": {"kind": "raw"},
                "hidden": 6,
                "channels": "together" if melted else "independent",
                **(model or {}),
            },
            "train": {"epochs": 1, "batch_size": 16},
        }
    )


def built(experiment: Experiment, folder: Path) -> tuple[Any, Any, Any]:
    prepared = prepare(experiment.data, experiment.task, folder)
    task = task_for(experiment.task, prepared)
    return prepared, task, make_network(experiment, task).eval()


@pytest.mark.parametrize("loss", ["absolute", "quantile"])
@pytest.mark.parametrize("covariates", [{}, KNOWN])
@pytest.mark.parametrize("relative_to", ["zero", "last", "season"])
def test_independent_channels_are_the_series_of_the_melted_table(
    tmp_path: Path, relative_to: str, covariates: Any, loss: str
) -> None:
    """The same weights give the same forecasts, intervals and metrics, without melting."""
    params = {"relative_to": relative_to, "loss": loss}
    wide = experiment_of(tmp_path, task=params, **covariates)
    long = experiment_of(tmp_path, melted=True, task=params, **covariates)
    tables, metrics = [], []
    weights = None
    for experiment in (wide, long):
        prepared, task, network = built(experiment, tmp_path)
        one = getattr(network, "network", network)
        weights = weights or one.state_dict()
        one.load_state_dict(weights)
        scores = evaluate(network, task, prepared.splits["test"], experiment, predictions=True)
        assert scores.predictions is not None
        tables.append(scores.predictions)
        metrics.append(scores.metrics)
    by_series = dict(list(tables[1].groupby("series")))
    shown = ["forecast", "truth"]
    shown += [f"quantile {q}" for q in (0.1, 0.5, 0.9)] if loss == "quantile" else []
    for name, series in by_series.items():
        for column in shown:
            values = tables[0][f"{column} {name}"].to_numpy()
            assert series[f"{column} value"].to_numpy() == pytest.approx(values, rel=1e-5, abs=1e-5)
    for name in ("loss", "scaled_mse", "scaled_mae", "mae"):
        assert metrics[0][name] == pytest.approx(metrics[1][name], rel=1e-5)


def test_neither_key_changes_the_prepared_data(tmp_path: Path) -> None:
    """Windows stay slices of one array: nothing is copied for a column or a segment."""
    plain = experiment_of(tmp_path, model={"channels": "together"}, segment=1)
    other = experiment_of(tmp_path)
    assert data_sha256(plain.data, plain.task) == data_sha256(other.data, other.task)
    assert len({each.run for each in identify([plain, other])}) == 2
    prepared = prepare(other.data, other.task, tmp_path)
    splits = prepared.splits
    assert len(splits["train"].inputs) == len(rows())
    assert len({split.inputs.data_ptr() for split in splits.values()}) == 1


def test_run_ids_are_those_of_versions_without_the_keys(tmp_path: Path) -> None:
    plain = experiment_of(tmp_path, model={"channels": "together"}, segment=1)
    params = hashed_params(plain)
    assert "segment" not in params["data"]
    assert not {"channels", "channel_embedding", "head_dropout"} & set(params["model"])
    changed = experiment_of(tmp_path, model={"head_dropout": 0.0, "channel_embedding": 2})
    assert hashed_params(changed)["data"]["segment"] == SEGMENT
    assert hashed_params(changed)["model"]["channels"] == "independent"
    assert hashed_params(changed)["model"]["channel_embedding"] == 2
    assert hashed_params(changed)["model"]["head_dropout"] == 0.0


@pytest.mark.parametrize("covariates", [{}, KNOWN])
@pytest.mark.parametrize("channels", ["together", "independent"])
def test_invariants(tmp_path: Path, channels: str, covariates: Any) -> None:
    experiment = experiment_of(tmp_path, model={"channels": channels}, **covariates)
    prepared = prepare(experiment.data, experiment.task, tmp_path)
    measured = measure_invariants(experiment, prepared)
    assert {name for name, value in measured.items() if value and not value.holds} == set()
    assert (measured["causality"] is not None) == bool(covariates)  # else one vector is read out


def test_what_is_known_of_a_later_segment_is_not_seen(tmp_path: Path) -> None:
    """The horizon's five rows are segments of four and of one."""
    experiment = experiment_of(tmp_path, **KNOWN)
    prepared, task, network = built(experiment, tmp_path)
    inputs = torch.randn(2, WINDOW + HORIZON, prepared.fitted.inputs.features)
    ahead = inputs.clone()
    ahead[:, WINDOW + SEGMENT :, -2] += 1  # a wave of the hour

    def forecast(values: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return task.forecast(network(values, None), values)

    same = (forecast(inputs) == forecast(ahead)).all(dim=2).all(dim=0)
    assert same.tolist() == [True] * SEGMENT + [False]
    batch = gather(prepared.splits["test"], torch.tensor([3]), "post", torch.float32)
    changed, steps = task.other_future(batch)  # what `check --deep` measures causality by
    differs = (changed.inputs != batch.inputs).any(dim=2)[0]
    assert differs.tolist() == [False] * (WINDOW + SEGMENT) + [True] * (HORIZON - SEGMENT)
    first = WINDOW // SEGMENT
    assert (steps.start, steps.stop) == (first, first + 1)


def test_one_target_is_not_independent_of_others(tmp_path: Path) -> None:
    experiment = experiment_of(tmp_path, task={"targets": ["b"]})
    prepared = prepare(experiment.data, experiment.task, tmp_path)
    message = (
        r"model\.channels: independent forecasts each target by itself, and there is one, b; leave"
    )
    with pytest.raises(InputError, match=message):
        make_network(experiment, task_for(experiment.task, prepared))


@pytest.mark.parametrize("covariates", [{}, KNOWN])
def test_a_finished_run_answers_and_is_compared(tmp_path: Path, covariates: Any) -> None:
    """`predict` gives the rows of the test table; a champion may read the columns otherwise."""
    independent = experiment_of(tmp_path, model={"channel_embedding": 2}, **covariates)
    old = finish_in(tmp_path, independent, "old")
    assert old.result["network"] == "GRU, 1 layer of 6, for each column by itself"
    predictor = load(old.folder.path)
    split, fitted = old.prepared.splits["test"], old.prepared.fitted
    start = int(split.input_start[0])
    scaler = fitted.inputs.scaler
    steps = WINDOW + (HORIZON if covariates else 0)
    offset, scale = (table[0].numpy() for table in scaler.tables)
    window = split.inputs[start : start + steps].numpy() * scale + offset
    answer = predictor([window])[0]
    table = evaluate(
        predictor.network, task_for(independent.task, old.prepared), split, independent, True
    ).predictions
    assert table is not None
    first = table[table["row"] - table["step"] + 1 == int(split.item[0])]
    for k, name in enumerate(("a", "b")):
        expected = first[f"forecast {name}"].to_numpy()
        assert np.array(answer["forecast"])[:, k] == pytest.approx(expected, rel=1e-4, abs=1e-4)
    changed = {"data.segment": 1, "data.window": WINDOW - 1}
    changed |= {"model.channels": "together", "model.channel_embedding": 0}
    new = finish_in(tmp_path, independent.replace(changed), "new")
    for run, champion in ((new, old), (old, new)):
        verdict = compare_with_champion(run.folder, champion.folder.path, tmp_path)
        assert verdict.change is not None, verdict.reason
        assert verdict.change.items > 0
