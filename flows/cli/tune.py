"""`rnnkit tune`: a sweep over an experiment, whether its params file has a `tune` block or not."""

from typing import Annotated

import typer

from flows.cli.options import MLRUNS, Home, Json, Params, Set
from flows.cli.run import run_one


def tune(
    params: Params,
    set_: Set = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="How many; as the params say where left out.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as the params say where left out.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Run once more, beside the last.")] = False,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Search for the best values, clip and depth where the params name no others, and run them."""
    from rnnkit.params import change, load

    counts = {"trials": trials, "workers": workers}
    overrides = [f"tune.{key}={count}" for key, count in counts.items() if count is not None]
    experiment = load(params, [*(set_ or []), *overrides])
    if experiment.tune is None:
        experiment = change(experiment, {"tune": {}})
    run_one(experiment, mlruns, again, as_json)
