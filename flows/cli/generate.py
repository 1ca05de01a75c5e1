"""`rnnkit generate`: text from a run's language model or captioner."""

import json
from typing import Annotated

import typer

from flows.cli.finding import find_run
from flows.cli.options import MLRUNS, Home, Json, Run


def generate(
    run: Run,
    prompt: Annotated[
        str, typer.Option(help="How the text begins; of captioning its category or vector.")
    ] = "",
    tokens: Annotated[int, typer.Option(help="At most so many more tokens.")] = 100,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest token.")] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Draw from the k likeliest alone.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many texts.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same texts.")] = 0,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Write text with a run's language model or captioner."""
    from flows import settings as places

    found = find_run(places.read(mlruns), run)
    from rnnkit import launch, numerics

    launch.settle()
    from rnnkit import predict
    from rnnkit.generate import generate as write

    numerics.set_threads(1)
    predictor = predict.load(found.path)
    for number in range(count):
        drawn = numerics.seed_of(seed, "text", number) if number else seed
        text = write(predictor, prompt, tokens, temperature, top_k, drawn)
        print(json.dumps({"text": text}) if as_json else text, flush=True)
