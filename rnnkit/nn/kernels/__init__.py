"""Fused recurrences over all steps at once, tested equal to the loop over the cell's step."""
