"""`rnnkit evaluate`: a run's model against its baselines, on its test part or on a file."""

import json
from typing import Annotated

import typer

from flows.cli.options import MLRUNS, Home, Json, Run
from flows.cli.run_lookup import find_run


def evaluate(
    run: Run,
    file: Annotated[
        str | None, typer.Argument(help="Of the same kind as the run's data; none: its test part.")
    ] = None,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Score a run's model beside its baselines."""
    from flows import settings as places

    settings = places.read(mlruns)
    folder = find_run(settings, run)
    result = folder.result
    if file is not None:
        from rnnkit.evaluation.evaluate_file import evaluate_file
        from rnnkit.runtime import numerics, process_settings

        process_settings.settle()
        numerics.set_threads(1)
        result = evaluate_file(folder, file, settings.home)
    if as_json:
        print(json.dumps(result))
        return
    from flows.console import comparison, out

    out.print(comparison(f"{folder.id}: {file or 'test part'}", result))
    out.print(result["verdict"], markup=False)
    for metric, how in result.get("counted", {}).items():
        out.print(f"{metric}: {how}", markup=False)
    for note in result.get("notes", []):  # of a file: the run has printed those on its own data
        out.print(f"  {note}", markup=False)
