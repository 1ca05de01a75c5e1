"""Transcription: what is said in a recording (synced, each frame a token or the blank)."""
