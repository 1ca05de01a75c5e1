"""`rnnkit sync`: brings to MLflow what it could not be told of."""

import json
from dataclasses import asdict

from flows.cli.options import MLRUNS, Home, Json
from flows.launcher import Failure


def sync(mlruns: Home = MLRUNS, as_json: Json = False) -> None:
    """Send MLflow the runs that it lacks, because it was down or is another one now."""
    from flows import settings as places

    settings = places.read(mlruns)
    places.apply(settings)
    from flows.tracking import Unreachable
    from flows.tracking import sync as bring

    done = []
    try:
        for each in bring(settings):
            done.append(each)
            if each.sent and not as_json:
                print(f"  {each.run}  {each.end}")
    except Unreachable as error:
        raise Failure(str(error)) from None
    if as_json:
        print(json.dumps([asdict(each) for each in done]))
        return
    sent = sum(each.sent for each in done)
    told = f"{sent} sent to MLflow, {sum(not each.sent for each in done)} left as they were"
    for end, why in (("running", "are being worked on"), ("unreadable", "cannot be read")):
        count = sum(each.end == end for each in done)
        told += f"; {count} {why}" if count else ""
    print(told)
