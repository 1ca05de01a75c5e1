"""The only room with `import mlflow`: runs brought there, and models registered.

mirror      a run folder in MLflow, exactly once, live or later
locations   where MLflow has the output folder, brought up to date where it was moved
sync        all folders that MLflow does not have as they are
registry    models that are there by a name, and which of them is the champion
"""
