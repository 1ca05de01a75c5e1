"""Comparisons: variants x seeds in worker processes, one table, one page, one run in MLflow.

Workers write only folders: a member is an ordinary run, which `rnnkit run` would find finished.
The parent alone writes MLflow. What is finished is not run again.
"""

from collections.abc import Sequence

from flows.settings import Settings
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime.files import sha256_json


def comparison_folder(
    settings: Settings, name: str, runs: Sequence[str], variants: Sequence[str] = ()
) -> RunFolder:
    """Where the comparison of some runs lies; its name follows from the experiment's and their ids.

    Args:
        variants: their names in the table; empty for runs given by their ids.
    """
    what = sha256_json([[*runs], [*variants]] if variants else [*runs])[:10]
    return RunFolder(settings.comparisons / f"{name}-compare-{what}")
