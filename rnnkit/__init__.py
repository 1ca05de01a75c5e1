"""rnnkit: recurrent networks, their training, diagnosis and comparison."""
