"""Numbers by which compiled code knows the recurrences, and their gates."""

from collections.abc import Mapping

TANH, RELU, SIGMOID, LSTM, GRU = range(5)

GATES: Mapping[int, int] = {TANH: 1, RELU: 1, SIGMOID: 1, LSTM: 4, GRU: 3}
"""Blocks of rows in the weights."""
STORED: Mapping[int, int] = {TANH: 1, RELU: 1, SIGMOID: 1, LSTM: 4, GRU: 4}
"""Values per unit and step that the backward pass needs: the gates, and W_hn h + b_hn of a GRU."""
