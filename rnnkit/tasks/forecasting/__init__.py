"""Forecasting: the next values of a series from a window of its past."""
