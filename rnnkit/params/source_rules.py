"""Rules for sources: frames, pairs in two files, recordings and their file names."""

from collections.abc import Iterator
from typing import get_args

from rnnkit.params.data import FileNames, Files, Fractions, Time
from rnnkit.params.delimited import LAYOUT, WHITESPACE, Delimited, WithNumbers
from rnnkit.params.source import Audio, Frames, Pairs, Table, TokenForm, Vectors, WithTimes
from rnnkit.params.task import Regression, Transcription
from rnnkit.params.unchecked import UncheckedExperiment


def source_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Violated rules for sources, each as `params path: reason`."""
    yield from table_rules(experiment)
    if experiment.data.source.form in get_args(TokenForm) and experiment.is_changed("data.scaling"):
        yield "data.scaling: this source gives tokens, and nothing is scaled; leave it out"
    yield from frames_rules(experiment)
    yield from pairs_rules(experiment)
    yield from audio_rules(experiment)
    yield from names_rules(experiment)
    yield from group_rules(experiment)
    yield from delimited_rules(experiment)


TABLE_KEYS = tuple(key for key in LAYOUT if key in Delimited.model_fields)
"""Keys of every table that may be CSV or TSV."""


def delimited_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for the layout of CSV and TSV, and for how numbers and times are written."""
    source = experiment.data.source
    if not isinstance(source, Delimited):
        return
    if source.separator == WHITESPACE and source.quotes:
        yield (
            "data.source.quotes: fields that any white space separates have none; name a single "
            'separator, such as " ", or leave it out'
        )
    if isinstance(source, WithNumbers) and source.decimal == source.thousands:
        yield f"data.source.thousands: {source.decimal!r} is the decimal mark; choose another"
    if isinstance(source, WithTimes) and None not in (source.time_format, source.time_unit):
        yield (
            "data.source.time_unit: it is for times that are numbers, and data.source.time_format "
            "for text; leave one of them out"
        )
    if isinstance(source, Frames) and source.row_names and not source.header:
        yield "data.source.row_names: without a header none is left out of it; leave it out"


def table_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for series from a table."""
    source = experiment.data.source
    if isinstance(source, Table) and source.frequency is not None and source.gaps == "keep":
        yield (
            "data.source.frequency: with gaps: keep the rows are the steps and have no grid; leave "
            "one of them out"
        )


def frames_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for frames from a file, and for the columns of numbers predicted from them."""
    source, split = experiment.data.source, experiment.data.split
    if not isinstance(source, Frames):
        return
    if source.sequence is None:
        if source.labels == "per_sequence":
            yield (
                "data.source.sequence: a label per sequence needs the column whose equal values "
                "are one sequence; name it, or write labels: per_frame"
            )
        if source.group is not None:
            yield (
                "data.source.group: one long sequence has no groups; leave it out, or name "
                "data.source.sequence"
            )
        if not isinstance(split, Time | Files):
            yield (
                "data.split: one long sequence is cut into stretches, and a hash would put "
                "neighbours on both sides; write split: {kind: time}, give files, or name "
                "data.source.sequence"
            )
    for key in ("timezone", "time_format", "time_unit"):
        if source.time is None and getattr(source, key) is not None:
            yield f"data.source.{key}: the frames have no time; name data.source.time"
    moments = (split.valid, split.test, split.until) if isinstance(split, Time) else ()
    if source.time is None and any(isinstance(moment, str) for moment in moments):
        yield "data.split: a moment needs the frames' time; name data.source.time, or give shares"
    targets = (source.label,) if isinstance(source.label, str) else source.label
    if not targets or len(set(targets)) < len(targets):
        yield "data.source.label: name at least one column, and each once"
    read = sorted(set(targets) & set(source.columns or ()))
    if isinstance(experiment.task, Regression) and read:
        yield (
            "data.source.columns: the network would read what it predicts, "
            f"{', '.join(read)}; leave it out"
        )


def pairs_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for pairs in two files."""
    source, split = experiment.data.source, experiment.data.split
    if not isinstance(source, Pairs):
        return
    held_out = (split.valid, split.test) if isinstance(split, Files) else ()
    paths = [source.path, *(path for path in held_out if isinstance(path, str))]
    if all("," in path.partition("{")[2].partition("}")[0] for path in paths):
        for key in ("format", "source", "target", *TABLE_KEYS):
            if experiment.is_changed(f"data.source.{key}"):
                yield f"data.source.{key}: lines of two files have no columns; leave it out"


def audio_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for recordings."""
    data = experiment.data
    source, features = data.source, data.features
    if source.form != "audio" and experiment.is_changed("data.features"):
        yield "data.features: only recordings have features; leave it out"
    if source.form == "audio" and features.coefficients > features.bands:
        yield (
            "data.features.coefficients: there cannot be more coefficients than bands, got "
            f"{features.coefficients} and {features.bands}"
        )
    by_itself = source.form == "audio" and features.normalize == "per_utterance"
    if by_itself and experiment.is_changed("data.scaling"):
        yield (
            "data.scaling: every recording is scaled by itself; write data.features.normalize: "
            "none, or leave it out"
        )
    if isinstance(data.split, FileNames) and not isinstance(source, Audio):
        yield (
            "data.split: only recordings have files of their own; choose fractions, files or column"
        )
    if not isinstance(source, Audio) or source.join is None:
        return
    if not isinstance(experiment.task, Transcription):
        yield (
            "data.source.join: a string of recordings has a transcript and no label; write task: "
            "{kind: transcription}, or leave it out"
        )
    if source.group is None:
        yield "data.source.join: only recordings of one group are joined; name data.source.group"
    if source.join.high < source.join.low:
        yield "data.source.join.high: must not lie below data.source.join.low"


def names_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for recordings described by their file names."""
    source = experiment.data.source
    if not isinstance(source, Audio) or source.names is None:
        return
    fields = source.fields
    for field in fields:
        if not field.isidentifier():
            yield (
                "data.source.names: a field is a word of letters, digits and underscores that "
                f"begins with no digit, got {{{field}}}; rename it"
            )
    for field in fields:
        if fields.count(field) > 1:
            yield (
                f"data.source.names: each field stands in it once, and {{{field}}} is there again; "
                "give it a name of its own"
            )
    if source.text not in fields:
        yield (
            f"data.source.names: must have {{{source.text}}} in it, the field that holds "
            "the transcript"
        )
    for key in ("audio", "format", "encoding", *TABLE_KEYS):
        if experiment.is_changed(f"data.source.{key}"):
            yield f"data.source.{key}: with data.source.names there is no table; leave it out"


def group_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """The group column must affect the split, the features or joined recordings."""
    source, split = experiment.data.source, experiment.data.split
    valid_by_hash = isinstance(split, Files) and not isinstance(split.valid, str)
    by_hash = isinstance(split, Fractions) or valid_by_hash
    used = by_hash or isinstance(source, Frames | Vectors) or getattr(source, "join", None)
    if getattr(source, "group", None) is not None and not used:
        yield "data.source.group: the split does not ask for it; leave it out"
