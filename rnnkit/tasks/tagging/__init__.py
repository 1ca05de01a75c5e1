"""Tagging: a label for every token or frame (many-to-many, synced)."""

from rnnkit.tasks.tagging.task import Tagging

__all__ = ["Tagging"]
