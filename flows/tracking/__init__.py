"""The only room with `import mlflow`: runs brought there, and models registered.

mirror      a run folder in MLflow, exactly once, live or later
registry    models that are there by a name, and which of them is the champion
"""

from flows.tracking.mirror import STATUS, End, Mirror, Tracker, register
from flows.tracking.registry import Registered, Registry

__all__ = ["STATUS", "End", "Mirror", "Registered", "Registry", "Tracker", "register"]
