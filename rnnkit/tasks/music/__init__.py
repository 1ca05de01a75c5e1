"""Music: which notes sound in the next frame, many at once (synced)."""
