"""Comparisons: variants x seeds in worker processes, one table, one page, one run in MLflow.

Workers write only folders: a member is an ordinary run, which `rnnkit run` would find finished.
The parent alone writes MLflow. What is finished is not run again.
"""
