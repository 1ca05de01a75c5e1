"""Vector: a vector in, a label or numbers out (one-to-one)."""

from rnnkit.tasks.vector.task import Vector, VectorOfNumbers

__all__ = ["Vector", "VectorOfNumbers"]
