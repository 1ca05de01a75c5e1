"""Memory: what was seen long ago is asked for (many-to-one, or synced)."""

from rnnkit.tasks.memory.task import Memory

__all__ = ["Memory"]
