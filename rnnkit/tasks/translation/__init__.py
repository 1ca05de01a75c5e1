"""Translation: a sequence in, another one out (encoder-decoder)."""

from rnnkit.tasks.translation.task import Translation

__all__ = ["Translation"]
