"""Rules for sources: frames, pairs in two files, recordings and their file names."""

from rnnkit.params.block import default_of
from rnnkit.params.data import Data, FileNames, Files, Fractions, Time
from rnnkit.params.rule import Blocks, Rule
from rnnkit.params.source import Audio, Frames, Pairs, Vectors
from rnnkit.params.task import Regression, Transcription


def source_rules(blocks: Blocks) -> list[Rule]:
    """All rules for sources: (path, whether it is violated, message)."""
    families = (frames_rules, pairs_rules, audio_rules, names_rules, group_rules)
    return [rule for rules in families for rule in rules(blocks)]


def frames_rules(blocks: Blocks) -> list[Rule]:
    """Rules for scaling, and for frames from a file."""
    source, split = blocks.data.source, blocks.data.split
    tokens = blocks.data.source.form in ("labelled_text", "tagged", "text", "pairs")
    scaled = blocks.data.scaling != default_of(Data, "scaling")
    frames = isinstance(source, Frames)
    single = isinstance(source, Frames) and source.sequence is None
    timed = isinstance(source, Frames) and source.time is not None
    moments = isinstance(split, Time) and any(
        isinstance(moment, str) for moment in (split.valid, split.test, split.until)
    )
    return [
        (
            "data.scaling",
            tokens and scaled,
            "this source gives tokens, and nothing is scaled; leave it out",
        ),
        (
            "data.source.sequence",
            isinstance(source, Frames) and single and source.labels == "per_sequence",
            "a label per sequence needs the column whose equal values are one sequence; name "
            "it, or write labels: per_frame",
        ),
        (
            "data.source.group",
            isinstance(source, Frames) and single and source.group is not None,
            "one long sequence has no groups; leave it out, or name data.source.sequence",
        ),
        (
            "data.split",
            single and not isinstance(split, Time | Files),
            "one long sequence is cut into stretches, and a hash would put neighbours on both "
            "sides; write split: {kind: time}, give files, or name data.source.sequence",
        ),
        (
            "data.split",
            frames and not timed and moments,
            "a moment needs the frames' time; name data.source.time, or give shares",
        ),
        *target_rules(blocks),
    ]


def target_rules(blocks: Blocks) -> list[Rule]:
    """Rules for the columns of numbers that are predicted from frames."""
    source = blocks.data.source
    if not isinstance(source, Frames):
        return []
    targets = (source.label,) if isinstance(source.label, str) else source.label
    read = sorted(set(targets) & set(source.columns or ()))
    return [
        (
            "data.source.label",
            not targets or len(set(targets)) < len(targets),
            "name at least one column, and each once",
        ),
        (
            "data.source.columns",
            isinstance(blocks.task, Regression) and bool(read),
            f"the network would read what it predicts, {', '.join(read)}; leave it out",
        ),
    ]


def pairs_rules(blocks: Blocks) -> list[Rule]:
    """Rules for pairs in two files."""
    source, split = blocks.data.source, blocks.data.split
    if not isinstance(source, Pairs):
        return []
    held_out = (split.valid, split.test) if isinstance(split, Files) else ()
    paths = [source.path, *(path for path in held_out if isinstance(path, str))]
    two_files = all(map(Pairs.two_files, paths))
    return [
        (
            f"data.source.{key}",
            two_files
            and blocks.value(f"data.source.{key}") != blocks.default(f"data.source.{key}"),
            "lines of two files have no columns; leave it out",
        )
        for key in ("header", "format", "source", "target")
    ]


def audio_rules(blocks: Blocks) -> list[Rule]:
    """Rules for recordings."""
    data, source = blocks.data, blocks.data.source
    recorded = isinstance(source, Audio)
    features, is_audio = data.features, source.form == "audio"
    join = source.join if isinstance(source, Audio) else None
    return [
        (
            "data.features",
            not is_audio and features != default_of(Data, "features"),
            "only recordings have features; leave it out",
        ),
        (
            "data.features.coefficients",
            is_audio and features.coefficients > features.bands,
            f"there cannot be more coefficients than bands, got {features.coefficients} and "
            f"{features.bands}",
        ),
        (
            "data.scaling",
            is_audio
            and features.normalize == "per_utterance"
            and data.scaling != default_of(Data, "scaling"),
            "every recording is scaled by itself; write data.features.normalize: none, or leave it "
            "out",
        ),
        (
            "data.split",
            isinstance(data.split, FileNames) and not recorded,
            "only recordings have files of their own; choose fractions, files or column",
        ),
        (
            "data.source.join",
            join is not None and not isinstance(blocks.task, Transcription),
            "a string of recordings has a transcript and no label; write task: "
            "{kind: transcription}, or leave it out",
        ),
        (
            "data.source.join",
            join is not None and isinstance(source, Audio) and source.group is None,
            "only recordings of one group are joined; name data.source.group",
        ),
        (
            "data.source.join.high",
            join is not None and join.high < join.low,
            "must not lie below data.source.join.low",
        ),
    ]


def group_rules(blocks: Blocks) -> list[Rule]:
    """Rules for the group column: it must affect the split, the features or joined recordings."""
    source, split = blocks.data.source, blocks.data.split
    valid_by_hash = isinstance(split, Files) and not isinstance(split.valid, str)
    by_hash = isinstance(split, Fractions) or valid_by_hash
    used = by_hash or isinstance(source, Frames | Vectors) or getattr(source, "join", None)
    return [
        (
            "data.source.group",
            getattr(source, "group", None) is not None and not used,
            "the split does not ask for it; leave it out",
        )
    ]


def names_rules(blocks: Blocks) -> list[Rule]:
    """Rules for recordings described by their file names."""
    source = blocks.data.source
    if not isinstance(source, Audio):
        return []
    named, fields, text = source.names is not None, source.fields, source.text
    invalid = next((field for field in fields if not field.isidentifier()), "")
    twice = next((field for field in fields if fields.count(field) > 1), "")
    return [
        (
            "data.source.names",
            any(not field.isidentifier() for field in fields),
            "a field is a word of letters, digits and underscores that begins with no digit, got "
            f"{{{invalid}}}; rename it",
        ),
        (
            "data.source.names",
            bool(twice),
            f"each field stands in it once, and {{{twice}}} is there again; give it a name of its "
            "own",
        ),
        (
            "data.source.names",
            named and text not in fields,
            f"must have {{{text}}} in it, the field that says what is said",
        ),
        *(
            (
                f"data.source.{key}",
                named
                and blocks.value(f"data.source.{key}") != blocks.default(f"data.source.{key}"),
                "with data.source.names there is no table; leave it out",
            )
            for key in ("audio", "format", "encoding")
        ),
    ]
