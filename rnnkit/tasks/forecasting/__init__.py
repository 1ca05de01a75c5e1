"""Forecasting: the next values of a series from a window of its past."""

from rnnkit.tasks.forecasting.task import Forecasting

__all__ = ["Forecasting"]
