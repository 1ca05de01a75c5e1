"""The process behind a schedule: it asks Prefect for runs that are due, and starts them."""

from datetime import timedelta
from typing import Any

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.types.entrypoint import EntrypointType

from flows.schedule.flow import run_scheduled
from rnnkit.params import Experiment


def serve(
    experiment: Experiment, options: dict[str, Any], cron: str | None, every: timedelta | None
) -> None:
    """Starts the schedule's runs until it is interrupted; one at a time.

    Args:
        experiment: what to run.
        options: further parameters of `run_scheduled`.
        cron: when, as cron has it; or
        every: how often.
    """
    run_scheduled.serve(
        name=experiment.name,
        cron=cron,
        interval=every,
        parameters={"experiment": experiment.model_dump(mode="json"), **options},
        global_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
        ),
        limit=1,
        description=f"{experiment.name}, {cron or f'every {every}'}",
        print_starting_message=False,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
