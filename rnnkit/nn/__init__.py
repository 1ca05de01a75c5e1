"""Networks: cells, kernels, the loop over time, models, losses, CTC and beam search."""
