"""The only room with `import mlflow`: runs brought there, and models registered.

mirror      a run folder in MLflow, exactly once, live or later
sync        all folders that MLflow does not have as they are
registry    models that are there by a name, and which of them is the champion
"""

from flows.tracking.mirror import ENDS, STATUS, VARIANT, End, Mirror, Tracker, register
from flows.tracking.registry import Registered, Registry
from flows.tracking.sync import Synced, Unreachable, sync

__all__ = [
    "ENDS",
    "STATUS",
    "VARIANT",
    "End",
    "Mirror",
    "Registered",
    "Registry",
    "Synced",
    "Tracker",
    "Unreachable",
    "register",
    "sync",
]
