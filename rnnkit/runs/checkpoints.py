"""Checkpoints of a training: atomic, named for their content, read only if whole.

    epoch-000003.step-000000420.0123456789abcdef.safetensors

`epoch` is the number of finished epochs, `step` the number of steps, then follows the start of the
content's SHA-256. A checkpoint holds tensors and facts. The facts name the file of the best epoch
so far, so that one file decides which epoch is the best. A checkpoint is whole if its content and
that of the best one have the hashes in their names.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnkit.runtime import files

KEPT = 2
"""Number of newest checkpoints to keep, of all and of those at the end of an epoch."""
BEST = "best_file"
"""The fact that names the file of the best epoch; None: this one, or there is no best epoch."""
_NAME = re.compile(r"epoch-(\d+)(?:\.step-(\d+))?\.([0-9a-f]{16})\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read.

    Args:
        name: of its file.
        tensors: by name.
        facts: JSON values; epoch, step, best_epoch and within (None at the end of an epoch) are
            among them.
    """

    name: str
    tensors: dict[str, Any]
    facts: dict[str, Any]

    @property
    def position(self) -> tuple[int, int]:
        """Finished epochs and steps."""
        return self.facts["epoch"], self.facts["step"]


class Checkpoints:
    """The checkpoints in a folder, existing or future."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, tensors: dict[str, Any], facts: dict[str, Any], best_file: str | None) -> str:
        """Write a checkpoint atomically.

        Args:
            facts: as in `Checkpoint`.
            best_file: name of the file of the best epoch; None: this one, or there is none.

        Returns: the name of the file.
        """
        from safetensors.torch import save

        content = save(tensors, metadata={"facts": json.dumps({**facts, BEST: best_file})})
        sha = files.sha256_bytes(content)[:16]
        name = f"epoch-{facts['epoch']:06d}.step-{facts['step']:09d}.{sha}.safetensors"
        self.folder.mkdir(exist_ok=True)
        files.write_atomic(self.folder / name, content)
        return name

    def whole(self) -> Iterator[Checkpoint]:
        """The whole checkpoints, newest first, each read when it is asked for."""
        for name in self.names():
            checkpoint = self._read(name)
            if checkpoint is not None and self._has_best(checkpoint):
                yield checkpoint

    def best_of(self, checkpoint: Checkpoint) -> Checkpoint | None:
        """The checkpoint of the best epoch; None if no epoch was the best, or if it is damaged."""
        name = self._best_name(checkpoint.name, checkpoint.facts)
        return checkpoint if name == checkpoint.name else self._read(name) if name else None

    def names(self) -> list[str]:
        """Names of the files, newest first."""
        names = (path.name for path in self.folder.glob("epoch-*"))
        return sorted(filter(_NAME.fullmatch, names), key=position_of, reverse=True)

    def delete(self, name: str) -> None:
        """Delete a checkpoint."""
        (self.folder / name).unlink()

    def delete_after(self, position: tuple[int, int]) -> None:
        """Delete the checkpoints behind a position (finished epochs, steps)."""
        for name in self.names():
            if position_of(name) > position:
                self.delete(name)

    def delete_old(self) -> None:
        """Keep the two newest, the two newest at the end of an epoch, and the best one of each."""
        names = self.names()
        facts = {name: self._facts(name) for name in names}
        ends = [name for name in names if facts[name] and facts[name].get("within") is None]
        newest = {*names[:KEPT], *ends[:KEPT]}
        best = {self._best_name(name, facts[name]) for name in newest}
        for name in names:
            if name not in newest | best:
                self.delete(name)

    def copy(self, checkpoint: Checkpoint, target: "Checkpoints") -> None:
        """Copy a checkpoint and its best one to an empty folder."""
        target.folder.mkdir(exist_ok=True)
        for name in (self._best_name(checkpoint.name, checkpoint.facts), checkpoint.name):
            if name:
                files.write_atomic(target.folder / name, (self.folder / name).read_bytes())

    def _has_best(self, checkpoint: Checkpoint) -> bool:
        """Whether the checkpoint's best one is whole, or no epoch was the best."""
        if not checkpoint.facts["best_epoch"]:
            return True
        name = self._best_name(checkpoint.name, checkpoint.facts)
        return name == checkpoint.name or (name is not None and self._content(name) is not None)

    def _best_name(self, name: str, facts: dict[str, Any]) -> str | None:
        """Name of the file of the best epoch; None if no epoch was the best."""
        best_epoch = facts.get("best_epoch")
        if not best_epoch:
            return None
        if best_epoch == position_of(name)[0] and facts.get("within") is None:
            return name
        if BEST in facts:
            return str(facts[BEST])
        ends = (other for other in self.names() if position_of(other)[0] == best_epoch)
        return next(ends, None)  # of an older version, whose names have no step

    def _content(self, name: str) -> bytes | None:
        """Content of a file; None if it is missing or damaged."""
        match, path = _NAME.fullmatch(name), self.folder / name
        if not match or not path.is_file():
            return None
        content = path.read_bytes()
        return content if files.sha256_bytes(content)[:16] == match[3] else None

    def _read(self, name: str) -> Checkpoint | None:
        from safetensors.torch import load

        content = self._content(name)
        if content is None:
            return None
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return Checkpoint(name, load(content), json.loads(header["__metadata__"]["facts"]))

    def _facts(self, name: str) -> dict[str, Any]:
        """Facts from the file's header, without a check of the hash; empty if it is damaged."""
        with (self.folder / name).open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            try:
                header = json.loads(file.read(min(size, MAX_HEADER_BYTES)))
                facts = json.loads(header["__metadata__"]["facts"])
            except (ValueError, KeyError, TypeError):
                return {}
        return facts if isinstance(facts, dict) else {}


MAX_HEADER_BYTES = 100_000_000
"""Limit of the safetensors format; a damaged length may be of any size."""


def position_of(name: str) -> tuple[int, int]:
    """Finished epochs and steps in a file's name; 0 steps in one of an older version."""
    match = _NAME.fullmatch(name)
    assert match is not None
    return int(match[1]), int(match[2] or 0)
