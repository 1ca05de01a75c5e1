"""Classification: a sequence in, one label out (many-to-one)."""
