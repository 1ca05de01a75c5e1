"""From a source's frame to tensors on disk: split, tokenised or scaled by the training part alone.

The door is `prepare`. `data_sha256` names its result beforehand, without torch; what comes out is
`rnnkit.data.prepare.prepared.Prepared`. Reading files is for `sources`, padding for `batches`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rnnkit.data import sources
from rnnkit.params.data import Data
from rnnkit.params.public import hashed_params
from rnnkit.params.task import Forecasting, Memory, Task, Vector
from rnnkit.runtime.files import sha256_json

if TYPE_CHECKING:
    from rnnkit.data.prepare.prepared import Prepared

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
    shaping: dict[str, object] = {"kind": task.kind}
    if isinstance(task, Forecasting):
        shaping |= {"horizon": task.horizon, "targets": task.targets}
    if isinstance(task, Memory):
        shaping |= {"problem": task.problem, "length": task.length}
    if isinstance(task, Vector):
        shaping |= {"loss": task.loss}
    return sha256_json(
        {
            "version": OF_FORM.get(data.source.form, PREPARE_VERSION),
            "source": sources.fingerprint(data.source, data.split),
            "data": hashed_params(data, {"padding"}),
            "task": shaping,
        }
    )


def prepare(data: Data, task: Task, folder: Path) -> Prepared:
    """The prepared data, from `<folder>/prepared/<sha256>/` or built there.

    Args:
        data: the params' block.
        task: the params' block; it decides what inputs and targets are.
        folder: the output folder, `mlruns`.

    Raises:
        InputError: bad files or too little data, in one line.

    Warns:
        UserWarning: the stored data differ from their manifest; they are built again.
    """
    from rnnkit.data.prepare.store import load_or_build

    return load_or_build(data, task, data_sha256(data, task), folder / "prepared")
