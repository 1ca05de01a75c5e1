"""Prepared data: split, tokenized or scaled by a fit on the training split, and stored.

`data_sha256` computes the id of the result without torch. `rnnkit.tasks.prepare` prepares the data
of a task; the result is `rnnkit.data.prepare.prepared.Prepared`. `sources` reads files, `batches`
pads.
"""

from __future__ import annotations

from rnnkit.data import sources
from rnnkit.params.data import Data
from rnnkit.params.public import hashed_params
from rnnkit.params.task import Task
from rnnkit.runtime.files import sha256_json

PREPARE_VERSION = 4
"""Raise it when equal source bytes and params give different data."""
FORM_VERSIONS = {
    "pairs": 5,
    "audio": 5,
    "text": 5,
    "series": 5,
    "tagged_frames": 5,
    "frames_with_numbers": 5,
}
"""Versions of forms that changed since then."""


def data_sha256(data: Data, task: Task) -> str:
    """Hash of everything the prepared data depend on. Fast; imports neither torch nor pandas.

    Covers the source's bytes, the data params except `padding` and `segment`, the task's params
    that affect the data, and the code version.

    Raises:
        InputError: a file is missing, empty or a folder.
    """
    shaping = {"kind": task.kind, **{key: getattr(task, key) for key in task.data_keys}}
    return sha256_json(
        {
            "version": FORM_VERSIONS.get(data.source.form, PREPARE_VERSION) + task.data_version,
            "source": sources.fingerprint(data.source, data.split),
            "data": hashed_params(data, {"padding", "segment"}),
            "task": shaping,
        }
    )
