"""Examples of transcription: the features of recordings, and the tokens that are said in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from rnnkit.data.inputs.recordings import Recordings
from rnnkit.data.prepare.facts import Facts
from rnnkit.data.prepare.fitted import Fitted, refuse_no_tokens
from rnnkit.data.prepare.part import Flat, Part, begin
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.split import Rows, duplicates, split_items
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.prepare.tokenize import fit as fit_tokenizer
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.source import Audio, Join
from rnnkit.params.task import Transcription
from rnnkit.runtime import numerics
from rnnkit.tasks.sequence_to_sequence.examples import TextTargets, longest_targets, prepared

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class TranscriptionFitted(TextTargets):
    """How recordings become features, and the tokenizer of the transcripts."""

    ends: ClassVar[bool] = False

    task: Transcription
    inputs: Recordings

    @property
    def join(self) -> Join | None:
        """How recordings are joined to strings; None: they are taken as they are."""
        return self.data.source.join if isinstance(self.data.source, Audio) else None

    def targets(self, frame: pd.DataFrame) -> pd.Series:
        return frame["text"]

    def texts(
        self, frame: pd.DataFrame, rows: np.ndarray
    ) -> tuple[Mapping[int, str], Mapping[int, str]]:
        names = dict(zip(rows.tolist(), frame["name"].iloc[rows], strict=True))
        return self.normal(frame["text"], rows), names

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> Part:
        wanted = self.target_tokenizer.encode(frame["text"].iloc[rows].tolist())
        refuse_no_tokens(split, wanted[1], rows)
        read = self.flat(frame, rows, split)
        refuse_too_few_frames(read[1], wanted, frame["name"].iloc[rows].tolist())
        return Part.sequence_to_sequence(read, wanted, rows)

    def drawn(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        """Joined to strings, where the run's own test split was."""
        if self.join is None:
            return frame, []
        singles = len(frame)
        strings, _ = joined(frame, {"test": np.arange(singles)}, self.join)
        return strings, [f"{len(strings):,} strings were joined from {singles:,} recordings"]

    def described(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        seconds = facts.get("seconds", {})  # absent in data prepared by an older version
        return {**super().described(facts), "seconds": sum(seconds.values())}

    def refuse_other_tokens(self, of: Fitted) -> None:
        assert isinstance(of, TranscriptionFitted)
        if of.join is not None:
            raise InputError(
                "their vocabularies differ, and joined recordings cannot be read again"
            )

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Transcription) -> TranscriptionFitted:
        inputs = Recordings.load(stored, data)
        return cls(task, data, inputs, stored.target, longest_targets(stored))


def fit(frame: pd.DataFrame, data: Data, task: Transcription) -> Prepared[TranscriptionFitted]:
    """Splits, joins where it is asked for, computes features, numbers the tokens.

    Args:
        frame: samples and text.

    Raises:
        InputError: too little data, a transcript without tokens or with more than it has frames.
    """
    rows = split_items(frame, "audio", data)
    facts: Facts = {"duplicates": duplicates(frame, "audio", rows)}
    if isinstance(data.source, Audio) and data.source.join is not None:
        frame, rows = joined(frame, rows, data.source.join)
    facts["seconds"] = {
        split: float(sum(map(len, frame["samples"].iloc[own])) / frame.attrs["rate"])
        for split, own in rows.items()
    }
    inputs, frame = Recordings.fit(frame, rows, data)
    facts["rate"] = inputs.rate
    target = fit_tokenizer(data.tokenizer, frame["text"].iloc[rows["train"]].tolist(), end=False)
    return prepared(TranscriptionFitted(task, data, inputs, target, {}), frame, rows, facts)


def refuse_too_few_frames(lengths: np.ndarray, wanted: Flat, names: list[str]) -> None:
    """Raises InputError for a transcript with more tokens than its recording has frames, counting
    one more between two that are equal: nothing could be right.

    Args:
        lengths: [items] frames.
        wanted: the tokens of all transcripts.
        names: what recordings are called.
    """
    tokens, counts = wanted
    start = begin(counts)
    for item, count in enumerate(counts):
        own = tokens[start[item] : start[item] + count]
        needed = int(count + (own[1:] == own[:-1]).sum())
        if needed > lengths[item]:
            raise InputError(
                f"{names[item]}: its transcript needs {needed} frames, one for each of its {count} "
                f"tokens and one between two that are equal, and the recording has "
                f"{lengths[item]}; correct the transcript, leave it out, or lower "
                "data.features.hop"
            )


def joined(frame: pd.DataFrame, rows: Rows, join: Join) -> tuple[pd.DataFrame, Rows]:
    """Strings of recordings, drawn for each part from its own, without one twice in a string.

    Args:
        frame: samples, text, name and group.
        rows: of each part.
        join: how many, and how long.

    Raises:
        InputError: a group has fewer recordings in a part than a string needs.
    """
    import pandas as pd

    samples, texts, names, groups = (
        frame[name].tolist() for name in ("samples", "text", "name", "group")
    )
    strings: dict[str, list[object]] = {name: [] for name in ("samples", "text", "name", "group")}
    found, count = {}, 0
    for part in rows:
        draw = numerics.generator(join.seed, "join", part)
        of: dict[object, list[int]] = {}
        for row in rows[part].tolist():
            of.setdefault(groups[row], []).append(row)
        fewest = min(of, key=lambda group: len(of[group]))
        if len(of[fewest]) < join.high:
            raise InputError(
                f"data.source.join.high: {join.high} recordings are joined, and {fewest!r} has "
                f"{len(of[fewest])} in the {part} part; lower it"
            )
        wanted = getattr(join, part)
        for _ in range(wanted):
            group = list(of)[int(torch.randint(len(of), (), generator=draw))]
            size = int(torch.randint(join.low, join.high + 1, (), generator=draw))
            order = torch.randperm(len(of[group]), generator=draw)[:size].tolist()
            chosen = [of[group][k] for k in order]
            strings["samples"].append(np.concatenate([samples[row] for row in chosen]))
            strings["text"].append(" ".join(texts[row] for row in chosen))
            strings["name"].append(" + ".join(names[row] for row in chosen))
            strings["group"].append(group)
        found[part] = np.arange(count, count + wanted)
        count += wanted
    result = pd.DataFrame(
        {name: pd.Series(values, dtype=object) for name, values in strings.items()}
    )
    result.attrs = frame.attrs
    return result, found
