"""Music: which notes sound in the next frame, many at once (synced)."""

from rnnkit.tasks.music.task import Music

__all__ = ["Music"]
