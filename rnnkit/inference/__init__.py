"""A finished run on new inputs: predict, stream, generate, serve."""
