"""Regression: a sequence in, numbers out, at its end or at every frame."""

from rnnkit.tasks.regression.task import Regression

__all__ = ["Regression"]
