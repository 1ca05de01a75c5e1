"""`rnnkit generate`: text from a run's language model or captioner."""

import json
from typing import Annotated

import typer

from flows.cli.options import MLRUNS, Home, Json, Run
from flows.cli.run_lookup import find_run
from rnnkit.errors import InputError


def generate(
    run: Run,
    prompt: Annotated[
        str, typer.Option(help="How the text begins; of captioning its category or vector.")
    ] = "",
    tokens: Annotated[int, typer.Option(help="At most so many more tokens.")] = 100,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest token.")] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Draw from the k likeliest alone.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many texts.")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, help="The same seed, the same texts; none: 0.")
    ] = None,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Write text with a run's language model or captioner."""
    drawing = {"--top-k": top_k is not None, "--count": count > 1, "--seed": seed is not None}
    if temperature == 0 and any(drawing.values()):
        option = next(name for name, given in drawing.items() if given)
        raise InputError(
            f"{option} is for texts that are drawn, and --temperature 0 takes the likeliest token; "
            "leave one of them out"
        )
    from flows import settings as places

    folder = find_run(places.read(mlruns), run)
    from rnnkit.runtime import numerics, process_settings

    process_settings.settle()
    from rnnkit.inference import predict
    from rnnkit.inference.generate import generate as write

    numerics.set_threads(1)
    predictor = predict.load(folder.path)
    for number in range(count):
        drawn = numerics.seed_of(seed or 0, "text", number) if number else seed or 0
        text = write(predictor, prompt, tokens, temperature, top_k, drawn)
        print(json.dumps({"text": text}) if as_json else text, flush=True)
