"""Translation: a sequence in, another one out (encoder-decoder)."""
