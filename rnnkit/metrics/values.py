"""Metrics by name."""

Metrics = dict[str, float]
