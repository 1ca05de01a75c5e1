"""Final scores, scores on a file, the champion, backtests and comparisons."""
