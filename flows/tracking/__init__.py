"""The only room with `import mlflow`: runs brought there, and models registered.

mirror      a run folder in MLflow, exactly once, live or later
sync        all folders that MLflow does not have as they are
registry    models that are there by a name, and which of them is the champion
"""
