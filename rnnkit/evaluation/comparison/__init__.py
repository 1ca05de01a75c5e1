"""Comparisons of runs on the same test items.

members      variants x seeds -> experiments
bootstrap    paired bootstrap interval of the difference of two networks
table        finished runs -> one row for each variant
comparable   whether an older model can be compared on a newer run's test items
"""
