"""Vector: a vector in, a label or numbers out (one-to-one)."""
