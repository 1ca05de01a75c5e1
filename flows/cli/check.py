"""`rnnkit check`: what a run would be, before anything runs."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

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
)
from rnnkit.errors import InputError

if TYPE_CHECKING:
    from rnnkit.training.invariants import Measured

CALLED = {"steps_per_epoch": "steps", "seconds_per_epoch": "time"}
"""Key -> how the line for people is called, where that is another."""


def check(
    params: Params,
    set_: Set = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Check the network's invariants on these data.")
    ] = False,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Validate; show parameters, cost per epoch and padding before anything runs."""
    experiment = load_params(params, set_)
    from rnnkit.runtime import process_settings

    process_settings.settle()
    settings = places.read(mlruns)
    from rnnkit.tasks import prepare
    from rnnkit.training.cost import estimate

    prepared = prepare(experiment.data, experiment.task, settings.home)
    cost = estimate(experiment, prepared)
    measured: Mapping[str, Measured | None] = {}
    if deep:
        from rnnkit.training.invariants import measure_invariants

        measured = measure_invariants(experiment, prepared)
    if as_json:
        guarded = {name: found and asdict(found) for name, found in measured.items()}
        print_json({**cost, **({"guards": guarded} if deep else {})})  # null: does not apply
        return
    print_line(f"{params}: valid")
    print_aligned(_worded(cost))
    for line in _lines(measured):
        print_line(f"  {line}")
    if any(found is not None and not found.holds for found in measured.values()):
        raise InputError("the network breaks a rule that every network must keep; see above")
    verb = "compare" if experiment.variants or experiment.seeds else "run"
    more = [f"--set {shlex.quote(change)}" for change in set_ or []]
    more += [] if mlruns == MLRUNS else [f"--mlruns {shlex.quote(str(mlruns))}"]
    print_line(" ".join([f"\nNext: rnnkit {verb} {params}", *more]))


def _worded(cost: Mapping[str, Any]) -> dict[str, str]:
    """What `estimate` measured, in words."""
    words: dict[str, Callable[[Any], str]] = {
        "data": lambda source: source,
        "items": lambda items: ", ".join(f"{name} {count:,}" for name, count in items.items()),
        "longest": lambda steps: f"{steps:,} steps",
        "padding": lambda fraction: f"{fraction:.1%} of the steps",
        "notes": "; ".join,
        "parameters": lambda count: f"{count:,}",
        "kernel": lambda kernel: kernel,
        "steps_per_epoch": lambda steps: f"{steps:,} per epoch",
        "seconds_per_epoch": lambda seconds: (
            f"about {seconds:.1f} s per epoch on one of these cores"
        ),
        "sweep": lambda sweep: f"{sweep['trials']} trials of {sweep['epochs']} epochs",
        "comparison": lambda sizes: " x ".join(f"{count} {what}" for what, count in sizes.items()),
    }
    from rnnkit.data.prepare.facts import WORDS, format_facts

    worded = {}
    for name, value in cost.items():
        if name in words and value != []:
            worded[CALLED.get(name, name)] = words[name](value)
        elif name in WORDS:
            worded |= format_facts({name: value})
        elif value != []:
            worded[name] = value
    return worded


def _lines(measured: Mapping[str, Any]) -> Iterator[str]:
    from rnnkit.training.invariants import INVARIANTS

    for name, found in measured.items():
        mark = "–" if found is None else "✓" if found.holds else "✗"
        rest = "does not apply" if found is None else found.fault
        yield f"{mark} {name}: {INVARIANTS[name]}" + (f" ({rest})" if rest else "")
