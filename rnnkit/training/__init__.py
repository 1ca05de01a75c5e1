"""Training: the loop, evaluation on a split, optimizer, clipping, learning rate, pretraining."""
