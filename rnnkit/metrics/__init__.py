"""Meters, in the data's units."""
