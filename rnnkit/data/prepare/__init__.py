"""From a source's frame to tensors on disk: split, tokenised or scaled by the training part alone.

`data_sha256` names the result beforehand, without torch. What a task makes of the data is in its
folder, which has the door `rnnkit.tasks.prepare`; what comes out is
`rnnkit.data.prepare.prepared.Prepared`. Reading files is for `sources`, padding for `batches`.
"""

from __future__ import annotations

from rnnkit.data import sources
from rnnkit.params.data import Data
from rnnkit.params.public import hashed_params
from rnnkit.params.task import Task
from rnnkit.runtime.files import sha256_json

PREPARE_VERSION = 4
"""Raise it when equal source bytes and params give other data than before."""
OF_FORM = {"pairs": 5, "audio": 5}
"""The same of sources of a form whose data alone have changed since."""


def data_sha256(data: Data, task: Task) -> str:
    """What the prepared data depend on, as one hash. Fast, and imports neither torch nor pandas.

    Over the source's bytes, the data params, the task's params that shape the data, and the
    version of the preparing code. Not over `padding`, which is the batches' business.

    Raises:
        InputError: a file is missing, empty or a folder.
    """
    shaping = {"kind": task.kind, **{key: getattr(task, key) for key in task.shapes_data}}
    return sha256_json(
        {
            "version": OF_FORM.get(data.source.form, PREPARE_VERSION),
            "source": sources.fingerprint(data.source, data.split),
            "data": hashed_params(data, {"padding"}),
            "task": shaping,
        }
    )
