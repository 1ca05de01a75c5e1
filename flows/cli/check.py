"""`rnnkit check`: what a run would be, before anything runs."""

import json

from flows.cli.options import MLRUNS, Home, Json, Params, Set


def check(params: Params, set_: Set = None, mlruns: Home = MLRUNS, as_json: Json = False) -> None:
    """Validate; tell parameters, cost per epoch and padding before anything runs."""
    from rnnkit.params import load

    experiment = load(params, set_ or [])
    from flows import settings as places
    from rnnkit import launch
    from rnnkit.prepare import prepare

    launch.settle()
    settings = places.read(mlruns)
    from rnnkit.cost import estimate

    prepared = prepare(experiment.data, experiment.task, settings.home)
    facts = estimate(experiment, prepared)
    if as_json:
        print(json.dumps(facts))
        return
    print(f"{params}: valid")
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"  {name:<{width}}  {value}")
    print(f"\nNext: rnnkit run {params}")
