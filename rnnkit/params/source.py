"""Data sources: one block per reader.

A `path` is a user file, relative to the working folder, or `public:SET/FILE`, a file of a public
data set (rnnkit.params.public).
"""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from rnnkit.params.block import Block, ColumnName, FrozenDict, FrozenMapping, Names
from rnnkit.params.delimited import Delimited, TimeFormat, WithNumbers

TokenForm = Literal["labelled_text", "tagged", "text", "pairs"]
FrameForm = Literal["frames", "tagged_frames", "frames_to_numbers", "frames_with_numbers"]
NumberForm = Literal[FrameForm, "series", "piano_rolls", "vectors", "audio"]
Form = Literal[TokenForm, NumberForm, "generated"]

NUMBERS: frozenset[Form] = frozenset(get_args(NumberForm))
"""Forms with numeric inputs."""

BUILTINS: Mapping[str, Form] = {
    "python_tokens": "tagged",
    "python_docstrings": "labelled_text",
    "python_docs": "text",
    "sunspots": "series",
    "co2": "series",
    "digits": "frames",
    "dates": "pairs",
    "spelled_digits": "vectors",
    "touch_tones": "audio",
}


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: a folder of zones
        raise ValueError("must be a time zone such as Europe/Berlin") from None
    return name


Timezone = Annotated[str, AfterValidator(_timezone)]
TimeUnit = Literal[
    "years",
    "days",
    "hours",
    "minutes",
    "seconds",
    "milliseconds",
    "microseconds",
    "nanoseconds",
]


class Builtin(Block):
    """Real data that comes with the installed packages: nothing is downloaded."""

    kind: Literal["builtin"] = "builtin"
    name: Literal[
        "python_tokens",
        "python_docstrings",
        "python_docs",
        "sunspots",
        "co2",
        "digits",
        "dates",
        "spelled_digits",
        "touch_tones",
    ]
    """Name of the data; `rnnkit data list` describes them."""

    @property
    def form(self) -> Form:
        return BUILTINS[self.name]


class LabelledText(WithNumbers):
    """Texts with a label each: CSV, TSV, JSONL, Parquet, lines of `label text`, or a file for each
    label; plain, .gz, or inside a .zip as if that were a folder."""

    form: ClassVar[Form] = "labelled_text"

    kind: Literal["labelled_text"] = "labelled_text"
    format: Literal["auto", "csv", "tsv", "jsonl", "parquet", "label_text", "label_files"] = "auto"
    """auto: label_files if the path has braces, else by the file's ending; jsonl: a JSON object per
    line, also of .json; label_files: a text per line, labels in braces, as in
    `names/{female,male}.txt`."""
    text: ColumnName = "text"
    """The column with the text."""
    label: ColumnName = "label"
    """The column with the label."""
    group: ColumnName | None = None
    """A column whose equal values stay in one split."""


class Tokens(Block):
    """Tokens with a tag each, as JSONL: two lists of equal length per line; plain or .gz."""

    form: ClassVar[Form] = "tagged"

    kind: Literal["tokens"] = "tokens"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    tokens: str = "tokens"
    """The key with the list of tokens."""
    tags: str = "tags"
    """The key with the list of tags."""
    group: str | None = None
    """A key whose equal values stay in one split."""
    encoding: str = "utf-8"


class TokenTable(Delimited):
    """Tokens with a tag each, a row for every token: CSV, TSV or Parquet; plain or .gz."""

    form: ClassVar[Form] = "tagged"

    kind: Literal["token_table"] = "token_table"
    format: Literal["auto", "csv", "tsv", "parquet"] = "auto"
    """auto: by the file's ending; csv if unknown."""
    token: ColumnName = "token"
    """The column with the token."""
    tag: ColumnName = "tag"
    """The column with the tag."""
    sentence: ColumnName = "sentence"
    """The column that names a token's sentence, in every row or in the first row of each; a row
    where it is empty belongs to the sentence above."""
    group: ColumnName | None = None
    """A column whose equal values stay in one split, such as the document."""


class Conll(Block):
    """Tokens with a tag each, in columns: a line for every token, a blank one after each sentence;
    plain or .gz. Lines that begin with the column `-DOCSTART-` are skipped. Sentences may differ in
    their number of columns, as in CoNLL-2009 and 2012."""

    form: ClassVar[Form] = "tagged"

    kind: Literal["conll"] = "conll"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    separator: Literal["whitespace", "tab", "space"] = "whitespace"
    """whitespace: any run of spaces and tabs; tab, space: each single one, so that a column may
    contain the other."""
    token: int = Field(default=1, ge=1, le=1_000)
    """Number of the token column, from 1."""
    tag: int = Field(default=2, ge=1, le=1_000)
    """Number of the tag column, from 1."""
    comment: Annotated[str, Field(min_length=1)] | None = None
    """Prefix of comment lines; null: no comments (a token may be `#`)."""
    token_prefix: Annotated[str, Field(min_length=1)] | None = None
    """Prefix of every token, to remove, such as `en:` in WikiANN; null: none."""
    encoding: str = "utf-8"


class Conllu(Block):
    """A Universal Dependencies treebank in CoNLL-U: word forms with a tag each; plain or .gz.

    Multi-word tokens (`3-4`) and empty nodes (`8.1`) are skipped: the words themselves are there.
    """

    form: ClassVar[Form] = "tagged"

    kind: Literal["conllu"] = "conllu"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    tag: Literal["upos", "xpos", "feats", "deprel"] = "upos"
    """The tag column: universal or language-specific part of speech, morphological features, or the
    relation to the head."""
    encoding: str = "utf-8"


class Text(Block):
    """Plain text, for language modelling; plain or .gz."""

    form: ClassVar[Form] = "text"

    kind: Literal["text"] = "text"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    unit: Literal["line", "paragraph", "file"] = "line"
    """Unit of an item; an end-of-sequence token follows each. Empty lines are skipped."""
    encoding: str = "utf-8"


class WithTimes(WithNumbers):
    """How the times of a table are read."""

    timezone: Timezone | None = None
    """The time zone of the times, such as Europe/Berlin: times without an offset are its local
    times, and others are converted to it. Hours and days are those of this zone; null: as in the
    file, and UTC if the offsets in the file differ."""
    time_format: TimeFormat | None = None
    """How times are written, in Python's codes, such as `%d/%m/%Y %H:%M`; null: ISO 8601."""
    time_unit: TimeUnit | None = None
    """The unit of times that are numbers: years, or the time since 1970. null: whole numbers are
    years if all lie between 1500 and 2200, dates such as 202412 or 20241231, or seconds."""


class Table(WithTimes):
    """Numbers with a time column, as CSV, TSV or Parquet; plain or .gz."""

    form: ClassVar[Form] = "series"

    kind: Literal["table"] = "table"
    path: str
    format: Literal["auto", "csv", "tsv", "parquet"] = "auto"
    """auto: by the file's ending."""
    time: ColumnName | Annotated[Names, Field(min_length=1)] = "time"
    """The time column; of a Parquet file it may be the index. Rows are sorted by it, and equal
    times are refused. Several columns, such as a date and a time of day, are joined with spaces."""
    id: ColumnName | None = None
    """The column with the series of a row, one row per series and time; null: the table is one
    series. Scaling is fitted per series, and no window spans two series."""
    columns: Names | None = None
    """The columns to read; null: all except the time and the id."""
    gaps: Literal["refuse", "keep", "forward", "interpolate"] = "refuse"
    """Missing values, and times missing from a regular grid. refuse: an error; forward: filled with
    the previous value; interpolate: filled linearly in time, which uses the next value; keep: rows
    are the time steps, and missing values are refused. Filled values are read as inputs; they are
    no targets, neither in training nor in a metric."""
    frequency: Annotated[str, Field(min_length=1)] | None = None
    """The grid of the times, as a frequency of pandas: B (business days), BME (last business day of
    the month), W-FRI, 15min; null: inferred from the times."""


class Frames(WithTimes):
    """Sequences of frames, a row of numbers each, as CSV, TSV or Parquet; plain or .gz.

    A label belongs to a sequence (for classification) or to each frame (for tagging); of regression
    it is a number, or several.
    """

    kind: Literal["frames"] = "frames"
    format: Literal["auto", "csv", "tsv", "parquet"] = "auto"
    """auto: by the file's ending; csv if unknown."""
    label: ColumnName | Names = "label"
    """The label column; regression: the column, or columns, of the target numbers."""
    labels: Literal["per_sequence", "per_frame"] = "per_sequence"
    """per_sequence: one label for all frames of a sequence; per_frame: one label per frame."""
    sequence: ColumnName | None = None
    """The column that identifies a sequence; null, only for per_frame: the file is one sequence."""
    columns: Names | None = None
    """The feature columns; null: all columns not named in this block."""
    time: ColumnName | Annotated[Names, Field(min_length=1)] | None = None
    """The time column, which sorts the frames of a sequence; null: frames are in order. With a
    label per frame, sequences are cut where times are missing. Several columns, such as a date and
    a time of day, are joined with spaces."""
    group: ColumnName | None = None
    """A column whose equal values stay in one split, such as the subject."""
    row_names: bool = False
    """Rows begin with a name that has no header field, as in tables written by R."""

    @property
    def form(self) -> Form:
        if isinstance(self.label, str):
            return "frames" if self.labels == "per_sequence" else "tagged_frames"
        return "frames_to_numbers" if self.labels == "per_sequence" else "frames_with_numbers"


class TS(Block):
    """Sequences of frames with a label each, in the .ts format of the UEA and UCR archives; with
    `@targetlabel true` the label is a number, for regression."""

    form: ClassVar[Form] = "frames"

    kind: Literal["ts"] = "ts"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    encoding: str = "utf-8"


class PianoRolls(Block):
    """Music as JSON: a list of pieces, a piece a list of frames, a frame the list of the notes that
    sound, as MIDI numbers; or an object of such lists with the keys train, valid and test."""

    form: ClassVar[Form] = "piano_rolls"

    kind: Literal["piano_rolls"] = "piano_rolls"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    lowest: int = Field(default=21, ge=0, le=127)
    """Lowest note; MIDI number (21: A0, a piano's lowest)."""
    highest: int = Field(default=108, ge=0, le=127)
    """Highest note; MIDI number (108: C8, a piano's highest)."""
    encoding: str = "utf-8"


class Vectors(WithNumbers):
    """Vectors with targets, one per row: CSV, TSV or Parquet."""

    form: ClassVar[Form] = "vectors"

    kind: Literal["vectors"] = "vectors"
    format: Literal["auto", "csv", "tsv", "parquet"] = "auto"
    """auto: by the file's ending; csv if unknown."""
    targets: Names = ("label",)
    """The column of the label or text, or the columns of the target numbers."""
    rename: FrozenMapping[str, str] = FrozenDict()
    """Value in the target column -> the target to use, such as `7: seven`."""
    columns: Names | None = None
    """The columns of the vector; null: all columns not named in this block."""
    group: ColumnName | None = None
    """A column whose equal values stay in one split."""


class Pairs(Delimited):
    """Pairs of texts, such as a sentence and its translation: two files aligned by line, or a table
    (CSV, TSV, JSONL, Parquet); plain, .gz, or inside a .zip as if that were a folder."""

    form: ClassVar[Form] = "pairs"

    kind: Literal["pairs"] = "pairs"
    path: str
    """Two files: their common path with the difference in braces, source first, as in
    `train.{de,en}`; or the table. With `split: {kind: files}`, the training files."""
    format: Literal["auto", "csv", "tsv", "jsonl", "parquet"] = "auto"
    """Of a table; auto: by the file's ending."""
    source: ColumnName = "source"
    """The column with the source text."""
    target: ColumnName = "target"
    """The column with the target text."""
    group: ColumnName | None = None
    """A column whose equal values stay in one split; null: equal sources do."""


class Pronunciations(Block):
    """A pronouncing dictionary, one pronunciation per line: word, number and phonemes, separated by
    white space; plain, .gz, or inside a .zip as if that were a folder. Words are lower-cased."""

    form: ClassVar[Form] = "pairs"

    kind: Literal["pronunciations"] = "pronunciations"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    stress: bool = True
    """Whether vowels keep their stress digit."""
    encoding: str = "utf-8"


class Join(Block):
    """Random concatenations of recordings of one group, such as a speaker, within each split."""

    low: int = Field(default=3, ge=1, le=1_000)
    """Minimum number of recordings to concatenate."""
    high: int = Field(default=6, ge=1, le=1_000)
    """Maximum number of recordings to concatenate."""
    train: int = Field(default=5_000, ge=1, le=1_000_000)
    """Concatenations in the training split."""
    valid: int = Field(default=300, ge=1, le=1_000_000)
    """Concatenations in the validation split."""
    test: int = Field(default=500, ge=1, le=1_000_000)
    """Concatenations in the test split."""
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    """Seed of the data, independent of the experiment's seed."""


FIELD = re.compile(r"\{([^{}]*)\}")
"""A field in the pattern of recordings' file names."""


class Audio(Delimited):
    """Recordings (WAV) with transcripts. Channels are mixed to one and other rates are resampled;
    notes report both."""

    form: ClassVar[Form] = "audio"

    kind: Literal["audio"] = "audio"
    path: str
    """A table (CSV, TSV, JSONL, Parquet), one recording per row, with paths relative to the table;
    or, with `names`, a folder of .wav files. With `split: {kind: files}`, the training table."""
    format: Literal["auto", "csv", "tsv", "jsonl", "parquet"] = "auto"
    """Of a table; auto: by the file's ending."""
    names: str | None = None
    """Pattern of a folder's file names, such as `{text}_{speaker}_{take}.wav`, or with the folders
    in it, as `{text}/{take}.wav`: each field, named once, is a column. null: the path is a
    table."""
    audio: ColumnName = "audio"
    """Of a table, the column with the path of the recording."""
    text: ColumnName = "text"
    """The column with the transcript."""
    group: ColumnName | None = None
    """A column, such as the speaker, whose equal values stay in one split (by fractions); `join`
    concatenates only recordings with equal values."""
    rate: int = Field(default=16_000, ge=1_000, le=192_000)
    """Sampling rate to convert to; unit: samples per second."""
    join: Join | None = None
    """Transcription: concatenate recordings; null: use them unchanged."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields in `names`."""
        return tuple(FIELD.findall(self.names or ""))


class Generated(Block):
    """Sequences of a memory problem, generated from a separate seed."""

    form: ClassVar[Form] = "generated"

    kind: Literal["generated"] = "generated"
    train: int = Field(default=10_000, ge=1, le=10_000_000)
    """Sequences in the training split."""
    valid: int = Field(default=1_000, ge=1, le=10_000_000)
    """Sequences in the validation split."""
    test: int = Field(default=2_560, ge=1, le=10_000_000)
    """Sequences in the test split; default as in Hochreiter and Schmidhuber (1997)."""
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    """Seed of the data, independent of the experiment's seed."""


Source = Annotated[
    Builtin
    | LabelledText
    | Tokens
    | TokenTable
    | Conll
    | Conllu
    | Text
    | Table
    | Frames
    | TS
    | PianoRolls
    | Vectors
    | Pairs
    | Pronunciations
    | Audio
    | Generated,
    Field(discriminator="kind"),
]
