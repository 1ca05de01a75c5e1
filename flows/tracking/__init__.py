"""The only room with `import mlflow`: runs brought there, and models registered.

rows        the rows of a run, as its folder has them, each once
machine_load  CPU, memory and GPU while a run goes on
descriptions  a run's name, description and tags in MLflow's pages
views       the columns of its list of runs, as saved views
view_links  their addresses
mirror      a run folder in MLflow, exactly once, live or later
sender      the thread that sends a run while it goes on
unsent      which runs MLflow may lack the end of
sync        all folders that MLflow does not have as they are
database    MLflow's SQLite file: made whole or not at all, and checked
rebuild     a new SQLite file from the run folders, where the old one is damaged
locations   where MLflow has the output folder, brought up to date where it was moved
registry    models that are there by a name, and which of them is the champion
model_example  what a model reads and answers, from its run's test split
served_model   a registered model as MLflow loads it
registered  the same in a file of the output folder
failures    MLflow's errors in one line
"""
