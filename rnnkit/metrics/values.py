"""Metrics by their names."""

Metrics = dict[str, float]
