"""`rnnkit forecast`: the rows behind a table."""

from pathlib import Path
from typing import Annotated

import typer

from flows import settings as places
from flows.cli.inference import settle
from flows.cli.options import MLRUNS, Home, Json, Model, print_json, print_line, short
from flows.cli.runs import find_model


def forecast(
    run: Model,
    file: Annotated[
        str | None,
        typer.Argument(help="A table like the run's data; none: the run's own table, as it is."),
    ] = None,
    to: Annotated[
        list[Path] | None,
        typer.Option(
            help="A file to write: NAME.csv, NAME.parquet, or NAME.png, a picture; may be "
            "repeated. None: CSV on standard output."
        ),
    ] = None,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Forecast the rows behind a table's last ones, for each series and column, with intervals.

    Times go on at the table's own step, and the calendar is made. Covariates that are known ahead
    stand in the table's last rows, with their times, where the other columns are empty.
    """
    from rnnkit.inference import forecast as forecasts

    for path in to or ():
        forecasts.ending_of(path)
    model = find_model(places.read(mlruns), run)
    settle()
    from rnnkit.inference import predict

    made = forecasts.forecast(predict.load(model), file)
    for path in to or ():
        made.save(path)
        print_line(f"{len(made.rows):,} rows: {short(path)}")
    if as_json:
        for answer in made.answers:
            print_json(answer)
    elif not to:
        print_line(made.csv.removesuffix("\n"))
