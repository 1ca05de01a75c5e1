"""Memory: what was seen long ago is asked for (many-to-one, or synced)."""
