"""Regression: a sequence in, numbers out, at its end or at every frame."""
