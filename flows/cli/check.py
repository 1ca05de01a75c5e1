"""`rnnkit check`: what a run would be, before anything runs."""

import json
import shlex
from typing import Annotated

import typer

from flows.cli.options import MLRUNS, Home, Json, Params, Set
from rnnkit.errors import InputError


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
    from rnnkit.params import load

    experiment = load(params, set_ or [])
    from flows import settings as places
    from rnnkit.data.prepare import prepare
    from rnnkit.runtime import process_settings

    process_settings.settle()
    settings = places.read(mlruns)
    from rnnkit.training.cost import estimate

    prepared = prepare(experiment.data, experiment.task, settings.home)
    facts = estimate(experiment, prepared)
    faults = {}
    if deep:
        from rnnkit.training.invariants import guards

        faults = guards(experiment, prepared)
    if as_json:
        print(json.dumps({**facts, **({"guards": faults} if deep else {})}))
        return
    print(f"{params}: valid")
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"  {name:<{width}}  {value}")
    for name, fault in faults.items():
        mark = "–" if fault is None else "✗" if fault else "✓"
        print(f"  {mark} {name}{': ' if fault else ''}{fault or ''}")
    if any(faults.values()):
        raise InputError("the network breaks a rule that every network must keep; see above")
    verb = "compare" if experiment.variants or experiment.seeds else "run"
    more = [f"--set {shlex.quote(change)}" for change in set_ or []]
    more += [] if mlruns == MLRUNS else [f"--mlruns {shlex.quote(str(mlruns))}"]
    print(" ".join([f"\nNext: rnnkit {verb} {params}", *more]))
