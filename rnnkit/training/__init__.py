"""The training loop: evaluation on a split, optimizer, clipping, learning rate, start weights."""
