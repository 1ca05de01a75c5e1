"""Captioning: a vector or a category in, a sequence out (one-to-many)."""
