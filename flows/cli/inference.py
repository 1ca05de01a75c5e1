"""`rnnkit evaluate`, `rnnkit predict` and `rnnkit generate`: what a trained model does."""

import sys
import warnings
from itertools import islice
from typing import Annotated, Any

import typer

from flows import settings as places
from flows.cli.options import MLRUNS, Home, Json, Model, Run, print_json, print_line
from flows.cli.runs import find_model, find_run
from rnnkit.errors import InputError, Note

INPUTS_PER_BATCH = 64  # inputs in one batch


def evaluate(
    run: Run,
    file: Annotated[
        str | None, typer.Argument(help="Of the same kind as the run's data; none: its test split.")
    ] = None,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Score a run's model beside its baselines."""
    settings = places.read(mlruns)
    folder = find_run(settings, run)
    result = folder.result
    if file is not None:
        from rnnkit.evaluation.evaluate_file import evaluate_file

        settle()
        result = evaluate_file(folder, file, settings.home)
    if as_json:
        print_json(result)
        return
    from flows.console import comparison, out

    out.print(comparison(f"{folder.id}: {file or 'test split'}", result))
    out.print(result["verdict"], markup=False)
    for metric, how in result.get("counted", {}).items():
        out.print(f"{metric}: {how}", markup=False)
    for note in result.get("notes", []):  # of a file: the run has printed those on its own data
        out.print(f"  {note}", markup=False)


def predict(
    run: Model,
    file: Annotated[
        str,
        typer.Argument(
            help="An input in a line, a file like the run's data, or a WAV file; - for standard "
            "input."
        ),
    ] = "-",
    stream: Annotated[
        bool,
        typer.Option(
            "--stream",
            help="A step in a line, answered at once: a token, or numbers or samples as JSON.",
        ),
    ] = False,
    json_lines: Annotated[
        bool, typer.Option("--json-lines", help="Lines are JSON, as of a file named .jsonl.")
    ] = False,
    lines: Annotated[
        bool,
        typer.Option("--lines", help="Lines are inputs, also in a file like the run's data."),
    ] = False,
    mlruns: Home = MLRUNS,
) -> None:
    """Answer new inputs with a run's model, as JSON lines.

    A line is a text, or tokens with blanks between them; of recordings the path of a WAV file; of
    numbers it is JSON, a list of steps. A file in the form of the run's data, with or without its
    targets, is read as those were. The encoding is that of the run's source.
    """
    model = find_model(places.read(mlruns), run)
    from rnnkit.inference import input_files
    from rnnkit.inference import predict as prediction

    settle()
    predictor = prediction.load(model)
    form = input_files.Form(json_lines, lines, stream)
    inputs = input_files.inputs(predictor, file, form, sys.stdin.buffer)
    if stream:
        _stream(predictor, inputs)
        return
    empty = True
    while chunk := list(islice(inputs, INPUTS_PER_BATCH)):
        empty = False
        names, values = zip(*chunk, strict=True)
        for answer in predictor(values, names):
            print_json(answer)
    if empty:
        name = "standard input" if file == "-" else file
        raise InputError(f"{name}: there is no input in it")


def _stream(predictor: Any, inputs: Any) -> None:
    from rnnkit.inference.stream import Stream

    sequence, answer = Stream(predictor), {}
    for where, value in inputs:
        answer = sequence.step(value, where)
        print_json(answer)
    if answer == {"frames": 0}:
        note = "the stream ended before its first frame; without --stream silence is put behind it"
        warnings.warn(note, Note, stacklevel=2)
    if (end := sequence.end()) is not None:
        print_json({"end": True, **end})


def generate(
    run: Run,
    prompt: Annotated[
        str, typer.Option(help="How the text begins; of captioning its category or vector.")
    ] = "",
    tokens: Annotated[int, typer.Option(help="At most so many more tokens.")] = 100,
    temperature: Annotated[float, typer.Option(help="0 takes the most probable token.")] = 1.0,
    top_k: Annotated[
        int | None, typer.Option(help="Draw from the k most probable tokens only.")
    ] = None,
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
            f"{option} is for sampled texts, and --temperature 0 takes the most probable token; "
            "leave one of them out"
        )
    folder = find_run(places.read(mlruns), run)
    settle()
    from rnnkit.inference import predict
    from rnnkit.inference.generate import generate as write
    from rnnkit.runtime.numerics import seed_of

    predictor = predict.load(folder.path)
    for number in range(count):
        drawn = seed_of(seed or 0, "text", number) if number else seed or 0
        text = write(predictor, prompt, tokens, temperature, top_k, drawn)
        if as_json:
            print_json({"text": text})
        else:
            print_line(text)


def settle() -> None:
    """Settles this process for one thread: a process that answers has one input at a time."""
    from rnnkit.runtime import numerics, process_settings

    process_settings.settle()
    numerics.set_threads(1)
