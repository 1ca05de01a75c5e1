"""Classification: a sequence in, one label out (many-to-one)."""

from rnnkit.tasks.classification.task import Classification

__all__ = ["Classification"]
