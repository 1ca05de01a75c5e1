"""Sources, public data sets, prepared data, batches and windows."""
