"""Where a comparison lies; no torch and no Prefect, so that a finished one is quick."""

from collections.abc import Sequence

from flows.settings import Settings
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime.files import sha256_json


def comparison_folder(
    settings: Settings, name: str, runs: Sequence[RunFolder], variants: Sequence[str] = ()
) -> RunFolder:
    """Where the comparison of some runs lies; its name follows from theirs.

    Args:
        name: of the experiment.
        runs: in their order.
        variants: their names in the table; empty for runs given by their ids.
    """
    ids = [run.id for run in runs]
    what = sha256_json([ids, list(variants)] if variants else ids)[:10]
    return RunFolder(settings.comparisons / f"{name}-compare-{what}")
