"""Examples of transcription: the features of recordings, and the tokens spoken in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch

from rnnkit.data.inputs.recordings import Recordings
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.facts import Facts
from rnnkit.data.prepare.fitted import Fitted, Texts
from rnnkit.data.prepare.split import Rows
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.source import Audio, Join
from rnnkit.runtime import numerics
from rnnkit.tasks.sequence_to_sequence.examples import TextFitted, slices


@dataclass(frozen=True, eq=False)
class TranscriptionFitted(TextFitted):
    """How recordings become features, and the tokenizer of the transcripts."""

    forms: ClassVar[Mapping[str, Any]] = {"audio": Recordings}
    ends: ClassVar[bool] = False

    @property
    def join(self) -> Join | None:
        """How recordings are joined to strings; None: they are taken as they are."""
        return self.data.source.join if isinstance(self.data.source, Audio) else None

    def texts(self, frame: pd.DataFrame, rows: np.ndarray) -> tuple[Texts, Texts]:
        names = dict(zip(rows.tolist(), frame["name"].iloc[rows], strict=True))
        return self.normal(frame["text"], rows), names

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> EncodedSplit:
        part = super().encode(frame, rows, split)
        refuse_too_few_frames(part, frame["name"].iloc[rows].tolist())
        return part

    def items_to_score(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
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
    def arranged(
        cls, frame: pd.DataFrame, rows: Rows, data: Data
    ) -> tuple[pd.DataFrame, Rows, Facts]:
        """Joined to strings, if the source says so."""
        if isinstance(data.source, Audio) and data.source.join is not None:
            frame, rows = joined(frame, rows, data.source.join)
        rate = frame.attrs["rate"]
        seconds = {
            split: float(sum(map(len, frame["samples"].iloc[own])) / rate)
            for split, own in rows.items()
        }
        return frame, rows, {"seconds": seconds, "rate": rate}


def refuse_too_few_frames(split: EncodedSplit, names: list[str]) -> None:
    """Raise InputError for a transcript with more tokens than its recording has frames, counting
    one more between two equal ones: no path of the network could give it.

    Args:
        split: recordings and transcripts.
        names: of the recordings.
    """
    frames = split.input_length.tolist()
    for name, tokens, length in zip(names, slices(split, "target"), frames, strict=True):
        needed = len(tokens) + sum(a == b for a, b in pairwise(tokens))
        if needed > length:
            raise InputError(
                f"{name}: its transcript needs {needed} frames, one for each of its {len(tokens)} "
                f"tokens and one between two that are equal, and the recording has {length}; "
                "correct the transcript, leave it out, or lower data.features.hop"
            )


def joined(frame: pd.DataFrame, rows: Rows, join: Join) -> tuple[pd.DataFrame, Rows]:
    """Strings of recordings, drawn for each split from its own, each recording at most once.

    Args:
        frame: samples, text, name and group.
        rows: of each split.
        join: how many, and how long.

    Raises:
        InputError: a group has fewer recordings in a split than a string needs.
    """
    strings, found = list[dict[str, object]](), {}
    for split, own in rows.items():
        draw = numerics.generator(join.seed, "join", split)
        groups = list(frame.iloc[own].groupby("group", sort=False))
        fewest, members = min(groups, key=lambda group: len(group[1]))
        if len(members) < join.high:
            raise InputError(
                f"data.source.join.high: {join.high} recordings are joined, and {fewest!r} has "
                f"{len(members)} in the {split} split; lower it"
            )
        first = len(strings)
        for _ in range(getattr(join, split)):
            group, members = groups[int(torch.randint(len(groups), (), generator=draw))]
            size = int(torch.randint(join.low, join.high + 1, (), generator=draw))
            chosen = members.iloc[torch.randperm(len(members), generator=draw)[:size].tolist()]
            strings.append(
                {
                    "samples": np.concatenate(chosen["samples"].tolist()),
                    "text": " ".join(chosen["text"]),
                    "name": " + ".join(chosen["name"]),
                    "group": group,
                }
            )
        found[split] = np.arange(first, len(strings))
    result = pd.DataFrame(strings, dtype=object)
    result.attrs = frame.attrs
    return result, found
