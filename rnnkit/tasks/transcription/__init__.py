"""Transcription: what is said in a recording (synced, each frame a token or the blank)."""

from rnnkit.tasks.transcription.task import Transcription

__all__ = ["Transcription"]
