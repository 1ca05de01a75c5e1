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
    found = find_run(settings, run)
    places.apply(settings)
    from flows.tracking import Registry
    from flows.tracking import register as register_model

    made = register_model(found, settings)
    if champion:
        Registry(settings).promote(made)
    alias = "@champion" if champion else f"/{made.version}"
    print(f"{found.id} is models:/{made.name}/{made.version}" + (", the champion" * champion))
    print(f"  predict  rnnkit predict models:/{made.name}{alias}")
    print(
        f"  serve    MLFLOW_TRACKING_URI={places.without_secrets(settings.tracking)} "
        f"mlflow models serve -m models:/{made.name}{alias} --env-manager local"
    )
