"""Prefect's task runners for a sweep's workers: processes here, or a Dask or Ray cluster."""

import logging
import os
from typing import Any

from prefect.task_runners import ProcessPoolTaskRunner

from flows.settings import Settings
from rnnkit.errors import InputError


def make_runner(settings: Settings, workers: int, initializer: Any) -> Any:
    """The task runner that the settings name, with a place for each worker.

    Args:
        initializer: called in each new process of the process runner.

    Raises:
        InputError: its package is not installed.
    """
    if settings.runner == "process":
        return ProcessPoolTaskRunner(max_workers=workers, initializer=initializer)
    try:
        if settings.runner == "dask":
            return _dask(settings.cluster, workers)
        return _ray(settings.cluster, workers)
    except ImportError as error:
        raise InputError(
            f"runner: {settings.runner} needs a package that is not installed ({error.name}); "
            f"pip install 'rnnkit[{settings.runner}]'"
        ) from None


def is_done(future: Any) -> bool:
    """Whether a submitted task has ended, one way or another."""
    inner = future.wrapped_future
    if hasattr(inner, "done"):
        return bool(inner.done())
    import ray

    return bool(ray.wait([inner], timeout=0)[0])


def _dask(cluster: str | None, workers: int) -> Any:
    from prefect_dask.task_runners import DaskTaskRunner

    logging.getLogger("distributed").setLevel(logging.ERROR)  # it tells of every connection
    if cluster:
        return DaskTaskRunner(address=cluster)
    own = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    own["silence_logs"] = logging.ERROR
    return DaskTaskRunner(cluster_kwargs=own)


def _ray(cluster: str | None, workers: int) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns at every start
    from prefect_ray import RayTaskRunner

    if cluster:
        return RayTaskRunner(address=cluster)
    own = {"num_cpus": workers, "include_dashboard": False, "log_to_driver": False}
    return RayTaskRunner(init_kwargs=own | {"logging_level": "error"})
