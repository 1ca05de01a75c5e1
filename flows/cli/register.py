"""`rnnkit register`: a run's model under a name, for others to use."""

from typing import Annotated

import typer

from flows.cli.options import MLRUNS, Home, Run
from flows.cli.run_lookup import find_run


def register(
    run: Run,
    champion: Annotated[
        bool, typer.Option("--champion", help="Make it the champion of its name.")
    ] = False,
    mlruns: Home = MLRUNS,
) -> None:
    """Register a run's model in MLflow, under its experiment's name."""
    from flows import settings as places

    settings = places.read(mlruns)
    folder = find_run(settings, run)
    places.apply(settings)
    from flows.tracking import Registry
    from flows.tracking import register as register_model

    model = register_model(folder, settings)
    if champion:
        Registry(settings).promote(model)
    alias = "@champion" if champion else f"/{model.version}"
    print(f"{folder.id} is models:/{model.name}/{model.version}" + (", the champion" * champion))
    print(f"  predict  rnnkit predict models:/{model.name}{alias}")
    print(
        f"  serve    MLFLOW_TRACKING_URI={places.without_secrets(settings.tracking)} "
        f"mlflow models serve -m models:/{model.name}{alias} --env-manager local"
    )
