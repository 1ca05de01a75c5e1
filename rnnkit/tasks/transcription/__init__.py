"""Transcription: the text spoken in a recording (synced, each frame a token or the blank)."""
