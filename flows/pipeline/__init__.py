"""One run: prepare, tune, train, evaluate, draw, report."""
