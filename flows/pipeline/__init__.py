"""One run: prepare, tune, train, evaluate, draw, report.

steps        what each step does, from values to values; a comparison's members are run by them, too
tasks        the same steps as Prefect tasks, with what Prefect's pages show of them
monitor      the run on the screen and in MLflow while it goes on
"""
