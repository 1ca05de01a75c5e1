"""Scalers."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnnkit.data.prepare import scale
from rnnkit.errors import InputError

# Scaler
VALUES = arrays(
    np.float64,
    st.tuples(st.integers(1, 8), st.integers(1, 4)),
    elements=st.floats(-1e6, 1e6, allow_subnormal=False),
)


@given(VALUES, st.sampled_from(["standard", "minmax", "none"]))
def test_a_scaler_is_undone_by_its_inverse(values: np.ndarray, kind: str) -> None:
    columns = tuple(f"c{k}" for k in range(values.shape[1]))
    scaler = scale.fit(kind, values, columns, columns[::-1])
    scaled = scaler.transform(values)
    assert np.isfinite(scaled).all()
    back = scaler.inverse(torch.from_numpy(scaled[:, ::-1].copy())).numpy()[:, ::-1]
    # Rounding of the values and of their difference from the offset, at most 1e6.
    assert np.allclose(back, values, rtol=1e-12, atol=1e-8)
    if kind == "minmax":
        assert scaled.min() >= 0
        assert scaled.max() <= 1
    assert scale.Scaler.from_json(json.loads(json.dumps(scaler.to_json()))) == scaler


@given(VALUES.map(np.abs))
def test_logs_are_undone_and_never_negative(values: np.ndarray) -> None:
    columns = tuple(f"c{k}" for k in range(values.shape[1]))
    scaler = scale.fit("log", values, columns, columns[:1])
    scaled = scaler.transform(values)
    assert np.isfinite(scaled).all()
    back = scaler.inverse(torch.from_numpy(scaled[:, :1].copy())).numpy()
    assert np.allclose(back, values[:, :1], rtol=1e-9, atol=1e-9)
    plain = scale.fit("standard", values, columns, columns[:1])
    assert np.array_equal(scaled[:, 1:], plain.transform(values)[:, 1:])  # only the target
    assert (scaler.inverse(torch.full((2, 1), -1e3)) >= 0).all()
    assert scale.Scaler.from_json(json.loads(json.dumps(scaler.to_json()))) == scaler
    assert "log" not in plain.to_json()  # as in records of earlier versions


def test_logs_by_hand() -> None:
    values = np.array([[0.0, 5.0], [np.e - 1, -5.0], [np.e**2 - 1, 0.0]])
    scaler = scale.fit("log", values, ("sales", "heat"), ("sales",))
    deviation = np.sqrt(2 / 3)  # of 0, 1 and 2
    expected = np.array([-1, 0, 1]) / deviation
    assert scaler.transform(values)[:, 0] == pytest.approx(expected)
    assert scaler.inverse(torch.tensor([[0.0], [1 / deviation]])).flatten().tolist() == (
        pytest.approx([np.e - 1, np.e**2 - 1])
    )
    logs = scaler.in_target_logs(torch.tensor([[np.e - 1], [-3.0]]).double())
    assert logs.flatten().tolist() == pytest.approx([1, 0])
    message = "a.csv: data.scaling: log is for values that are never negative, but column 'sales'"
    with pytest.raises(InputError, match=message):
        scale.refuse_negative(np.array([[1.0, -1.0], [-0.5, 0.0]]), scaler, "a.csv")


def test_a_scaler_refuses_another_number_of_targets() -> None:
    scaler = scale.fit("none", np.ones((2, 2)), ("a", "b"), ("a",))
    with pytest.raises(ValueError, match="last dimension must be the 1 targets"):
        scaler.inverse(torch.zeros(3, 2))
