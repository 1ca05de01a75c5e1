"""Servers and worker processes."""
