"""States of runs as Prefect's API takes them."""

import sys
from collections.abc import Mapping
from typing import Any

from flows.settings import without_secrets

State = Mapping[str, Any]


def state(type_: str, name: str = "", message: str = "") -> State:
    return {"type": type_, "name": name or type_.capitalize(), "message": message}


def state_of(error: BaseException) -> State:
    """The state of what raised an error; of a signal as Prefect's engine has it."""
    if _is_cancellation(error):
        return state("CANCELLED", message="Flow run was cancelled.")
    if isinstance(error, TimeoutError):
        return state("FAILED", "TimedOut", failure(error))
    if isinstance(error, Exception):
        return state("FAILED", message=failure(error))
    return state("CRASHED", message=f"Execution was interrupted: {type(error).__name__}")


def failure(error: BaseException) -> str:
    return without_secrets(f"{type(error).__name__}: {error}")


def _is_cancellation(error: BaseException) -> bool:
    """Whether Prefect's runner ends this process because its flow run was cancelled."""
    if "prefect" not in sys.modules:  # it has not started this process
        return False
    from prefect._internal.control_listener import get_intent
    from prefect.exceptions import TerminationSignal

    return isinstance(error, TerminationSignal) and get_intent() == "cancel"
