"""The only room with `import optuna`: a sweep of trials in worker processes, over one study.

Workers write only folders: a trial is a run folder under its parent's `trials/`. The parent alone
writes MLflow. What is finished in a folder is finished; a killed sweep does the rest.
"""
