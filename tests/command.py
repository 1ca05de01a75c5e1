"""The command as a person's shell would start it, for tests that do."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
RNNKIT = [sys.executable, "-m", "flows.cli"]


def environment(**more: str) -> dict[str, str]:
    """This process's own, without addresses of servers that run elsewhere, and more."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "MLFLOW_"))}
    return {**own, **more}
