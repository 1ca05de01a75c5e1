"""Tagging: a label for every token or frame (many-to-many, synced)."""
