"""`rnnkit lr`: the learning rate range test of a params file."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from flows import settings as places
from flows.cli.options import (
    MLRUNS,
    Home,
    Json,
    Params,
    Set,
    load_params,
    print_aligned,
    print_json,
    print_line,
    short,
)
from rnnkit.errors import InputError


def lr(
    params: Params,
    set_: Set = None,
    low: Annotated[float, typer.Option(help="The lowest learning rate.")] = 1e-6,
    high: Annotated[float, typer.Option(help="The highest learning rate.")] = 10.0,
    steps: Annotated[int, typer.Option(help="Training steps from one to the other.")] = 150,
    to: Annotated[
        Path | None,
        typer.Option(help="The picture, NAME.png; none: in the output folder."),
    ] = None,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Suggest a learning rate: a short training whose rate rises at every step, with a picture."""
    experiment = load_params(params, set_)
    if to is not None and to.suffix.lower() != ".png":
        raise InputError(f"--to {to}: the picture is written as PNG; name a file NAME.png")
    from rnnkit.runtime import process_settings

    process_settings.settle()
    settings = places.read(mlruns)
    from rnnkit.figures import range_test as figure_of
    from rnnkit.figures import save
    from rnnkit.tasks import prepare
    from rnnkit.training.range_test import range_test

    prepared = prepare(experiment.data, experiment.task, settings.home)
    tested = range_test(experiment, prepared, low, high, steps)
    present, suggested = experiment.train.optimizer.learning_rate, tested.suggested
    path = to or settings.home / "range_tests" / f"{experiment.name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    curves = tested.rates, tested.losses, tested.averages
    save(figure_of(*curves, suggested, present, experiment.name), path)
    override = f"train.optimizer.learning_rate={suggested:g}"
    if as_json:
        ends = {"lowest": tested.lowest, "diverged": tested.diverged, "picture": str(path)}
        values = dict(zip(("rates", "losses", "averages"), curves, strict=True))
        print_json({"suggested": suggested, "override": override, **ends, **values})
        return
    reached = f"at {tested.diverged:.2g}" if tested.diverged else f"not up to {high:g}"
    print_line(f"{experiment.name}: learning rate range test, {len(tested.rates)} steps")
    print_aligned(
        {
            "lowest loss": f"{min(tested.averages):.4g} at {tested.lowest:.2g}",
            "diverges": reached,
            "in the params": f"{present:g}",
            "suggested": f"{suggested:g}",
            "picture": short(path),
        }
    )
    changes = [f"--set {shlex.quote(change)}" for change in [*(set_ or []), override]]
    changes += [] if mlruns == MLRUNS else [f"--mlruns {shlex.quote(str(mlruns))}"]
    print_line(" ".join([f"\nNext: rnnkit run {params}", *changes]))
