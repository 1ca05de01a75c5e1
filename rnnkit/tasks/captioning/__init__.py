"""Captioning: a vector or a category in, a sequence out (one-to-many)."""

from rnnkit.tasks.captioning.task import Captioning

__all__ = ["Captioning"]
