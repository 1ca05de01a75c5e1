"""Scalers."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnnkit.data.prepare import scale

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


def test_a_scaler_refuses_another_number_of_targets() -> None:
    scaler = scale.fit("none", np.ones((2, 2)), ("a", "b"), ("a",))
    with pytest.raises(ValueError, match="last dimension must be the 1 targets"):
        scaler.inverse(torch.zeros(3, 2))
