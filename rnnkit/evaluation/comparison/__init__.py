"""Comparisons: which runs there are to be, how each test item went, and whether one is better.

members      variants x seeds -> experiments
items        a run's predictions -> what each test item cost
bootstrap    the difference of two on the same items, and how sure it is
table        finished runs -> one row for each variant
comparable   whether an older model may be judged on a newer run's test items
"""
