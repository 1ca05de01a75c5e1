"""`rnnkit sync`: sends MLflow the runs that it lacks."""

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
        for synced in bring(settings):
            done.append(synced)
            if synced.sent and not as_json:
                print(f"  {synced.run}  {synced.end}")
    except Unreachable as error:
        raise Failure(str(error)) from None
    if as_json:
        print(json.dumps([asdict(synced) for synced in done]))
        return
    sent = sum(synced.sent for synced in done)
    summary = f"{sent} sent to MLflow, {sum(not synced.sent for synced in done)} left as they were"
    for end, why in (("running", "are being worked on"), ("unreadable", "cannot be read")):
        count = sum(synced.end == end for synced in done)
        summary += f"; {count} {why}" if count else ""
    print(summary)
