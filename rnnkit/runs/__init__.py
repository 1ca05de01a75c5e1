"""Run folders, run ids, and cleaning."""
