"""Language modelling: P(w_t | w_1 … w_{t-1}), the next token at every step (synced)."""
