"""The run folder, its identity, and cleaning."""
