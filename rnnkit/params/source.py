"""Where examples come from: one block per reader.

A `path` is a file of the user's own, from the folder where the command is started, or
`public:SET/FILE`, a file of a public data set (rnnkit.params.public).
"""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from rnnkit.params.block import Block, FrozenDict, FrozenMapping, Names

Form = Literal[
    "labelled_text",
    "tagged",
    "text",
    "series",
    "frames",
    "tagged_frames",
    "frames_to_numbers",
    "frames_with_numbers",
    "piano_rolls",
    "vectors",
    "pairs",
    "audio",
    "generated",
]

NUMBERS: frozenset[Form] = frozenset(
    {
        "series",
        "frames",
        "tagged_frames",
        "frames_to_numbers",
        "frames_with_numbers",
        "piano_rolls",
        "vectors",
        "audio",
    }
)
"""Forms whose inputs are numbers."""

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

ColumnName = Annotated[str, BeforeValidator(lambda name: str(name) if type(name) is int else name)]
"""Of a file without a header the columns are called by their numbers."""
ColumnNames = Annotated[tuple[ColumnName, ...], Field(strict=False)]


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
    """Which one; `rnnkit data list` describes them."""

    @property
    def form(self) -> Form:
        return BUILTINS[self.name]


class LabelledText(Block):
    """Texts with a label each: CSV, TSV, JSONL, Parquet, lines of `label text`, or a file for each
    label; plain, .gz, or inside a .zip as if that were a folder."""

    form: ClassVar[Form] = "labelled_text"

    kind: Literal["labelled_text"] = "labelled_text"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    format: Literal["auto", "csv", "tsv", "jsonl", "parquet", "label_text", "label_files"] = "auto"
    """auto: by the file's ending; label_files, as it is where the path has braces: a text in each
    line, and the labels stand in the braces, as in `names/{female,male}.txt`."""
    text: str = "text"
    """The column that holds the text."""
    label: str = "label"
    """The column that holds the label."""
    group: str | None = None
    """A column whose equal values stay on the same side of a split."""
    encoding: str = "utf-8"


class Tokens(Block):
    """Tokens with a tag each, as JSONL: two lists of equal length per line; plain or .gz."""

    form: ClassVar[Form] = "tagged"

    kind: Literal["tokens"] = "tokens"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    tokens: str = "tokens"
    """The key that holds the list of tokens."""
    tags: str = "tags"
    """The key that holds the list of tags."""
    group: str | None = None
    """A key whose equal values stay on the same side of a split."""
    encoding: str = "utf-8"


class Conll(Block):
    """Tokens with a tag each, in columns: a line for every token, a blank one after each sentence;
    plain or .gz. Lines that begin with the column `-DOCSTART-` are skipped."""

    form: ClassVar[Form] = "tagged"

    kind: Literal["conll"] = "conll"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    separator: Literal["whitespace", "tab", "space"] = "whitespace"
    """whitespace: any run of spaces and tabs; tab, space: each single one, so that a column may
    hold the other."""
    token: int = Field(default=1, ge=1, le=1_000)
    """The number of the token's column, counted from 1."""
    tag: int = Field(default=2, ge=1, le=1_000)
    """The number of the tag's column, counted from 1."""
    comment: Annotated[str, Field(min_length=1)] | None = None
    """Lines that begin with this are no data; null: there are none (a token may be `#`)."""
    token_prefix: Annotated[str, Field(min_length=1)] | None = None
    """Taken off every token, which must begin with it, as `en:` in WikiANN; null: nothing."""
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
    """The column that is the tag: universal or language-specific part of speech, morphological
    features, or the relation to the head."""
    encoding: str = "utf-8"


class Text(Block):
    """Plain text, for language modelling; plain or .gz."""

    form: ClassVar[Form] = "text"

    kind: Literal["text"] = "text"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    unit: Literal["line", "paragraph", "file"] = "line"
    """What one item is; an end-of-sequence token follows each. Empty lines are no items."""
    encoding: str = "utf-8"


class Table(Block):
    """Numbers with a time column, as CSV, TSV or Parquet; plain or .gz."""

    form: ClassVar[Form] = "series"

    kind: Literal["table"] = "table"
    path: str
    format: Literal["auto", "csv", "tsv", "parquet"] = "auto"
    """auto: by the file's ending."""
    time: str = "time"
    """The column that holds the time; rows are sorted by it, and equal times are refused."""
    id: str | None = None
    """The column that says which series a row belongs to, one row for each series and time; null:
    the table is one series. Each series is scaled by its own training rows, and no window crosses
    from one into another."""
    columns: Names | None = None
    """The columns to read; null: all but the time and the id."""
    gaps: Literal["refuse", "keep", "forward", "interpolate"] = "refuse"
    """Missing values, and times missing from a regular grid: refused; filled with the value before
    (forward), which a forecaster has, too; or linearly in time (interpolate), which looks ahead to
    the next value. keep takes the rows as they follow one another, and refuses missing values."""
    encoding: str = "utf-8"


class Frames(Block):
    """Sequences of frames, a row of numbers each, as CSV, TSV or Parquet; plain or .gz.

    A label belongs to a sequence (for classification) or to each frame (for tagging); of regression
    it is a number, or several.
    """

    kind: Literal["frames"] = "frames"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    format: Literal["auto", "csv", "tsv", "parquet"] = "auto"
    """auto: by the file's ending; csv where it says nothing."""
    label: str | Names = "label"
    """The column that holds the label; of regression the number, or several columns of numbers."""
    labels: Literal["per_sequence", "per_frame"] = "per_sequence"
    """per_sequence: all frames of a sequence have its one label; per_frame: each has its own."""
    sequence: str | None = None
    """The column whose equal values are one sequence; null, for per_frame alone: the whole file is
    one long sequence."""
    columns: Names | None = None
    """The columns that are features; null: all but those named here."""
    time: str | None = None
    """The column that holds the time, by which the frames of a sequence are sorted; null: they
    stand in order."""
    group: str | None = None
    """A column whose equal values stay on the same side of a split, as the person measured."""
    row_names: bool = False
    """Rows begin with a name that the header leaves out, as R writes tables."""
    encoding: str = "utf-8"

    @property
    def form(self) -> Form:
        if isinstance(self.label, str):
            return "frames" if self.labels == "per_sequence" else "tagged_frames"
        return "frames_to_numbers" if self.labels == "per_sequence" else "frames_with_numbers"


class TS(Block):
    """Sequences of frames with a label each, in the .ts format of the UEA and UCR archives; of
    regression (`@targetlabel`) the label is a number."""

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
    """The lowest note there is a key for; MIDI number (21: A0, a piano's lowest)."""
    highest: int = Field(default=108, ge=0, le=127)
    """The highest note there is a key for; MIDI number (108: C8, a piano's highest)."""
    encoding: str = "utf-8"


class Vectors(Block):
    """Vectors, one in a row, with what is to be told from them: CSV, TSV or Parquet."""

    form: ClassVar[Form] = "vectors"

    kind: Literal["vectors"] = "vectors"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    format: Literal["auto", "csv", "tsv", "parquet"] = "auto"
    """auto: by the file's ending; csv where it says nothing."""
    header: bool = True
    """Whether the first line names the columns; else they are called `1`, `2` and so on."""
    comment: Annotated[str, Field(min_length=1)] | None = None
    """Lines that begin with this are no data; null: there are none."""
    targets: ColumnNames = ("label",)
    """The column of the label or of the text, or the columns of the numbers that are to be told."""
    rename: FrozenMapping[str, str] = FrozenDict()
    """What a target is called instead of what stands in its column, as `7: seven`."""
    columns: ColumnNames | None = None
    """The columns that make up the vector; null: all but those named here."""
    group: ColumnName | None = None
    """A column whose equal values stay on the same side of a split."""
    encoding: str = "utf-8"


class Pairs(Block):
    """Two texts in a pair, as a sentence and its translation: two files whose lines belong
    together, or a table (CSV, TSV, JSONL, Parquet); plain, .gz, or inside a .zip as if that were a
    folder."""

    form: ClassVar[Form] = "pairs"

    kind: Literal["pairs"] = "pairs"
    path: str
    """Two files: their common path with the difference in braces, the source's first, as in
    `train.{de,en}`; or the table. With `split: {kind: files}` those of the training part."""
    format: Literal["auto", "csv", "tsv", "jsonl", "parquet"] = "auto"
    """Of a table; auto: by the file's ending."""
    header: bool = True
    """CSV and TSV: whether the first line names the columns; else they are called `1`, `2` and so
    on."""
    source: ColumnName = "source"
    """The column that holds the source text."""
    target: ColumnName = "target"
    """The column that holds the target text."""
    group: ColumnName | None = None
    """A column whose equal values stay on the same side of a split; null: equal sources do."""
    encoding: str = "utf-8"

    @staticmethod
    def two_files(path: str) -> bool:
        """Whether a path stands for two files, by its braces."""
        return "," in path.partition("{")[2].partition("}")[0]


class Pronunciations(Block):
    """A pronouncing dictionary: a line for each pronunciation, the word, its number and its
    phonemes, between white space; plain, .gz, or inside a .zip as if that were a folder. A word is
    read in lower case."""

    form: ClassVar[Form] = "pairs"

    kind: Literal["pronunciations"] = "pronunciations"
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    stress: bool = True
    """Whether vowels keep the digit that says how they are stressed."""
    encoding: str = "utf-8"


class Join(Block):
    """Recordings of one group, such as a speaker, joined to longer ones: each part's own."""

    low: int = Field(default=3, ge=1, le=1_000)
    """At least so many in a string."""
    high: int = Field(default=6, ge=1, le=1_000)
    """At most so many in a string."""
    train: int = Field(default=5_000, ge=1, le=1_000_000)
    """Strings to train on."""
    valid: int = Field(default=300, ge=1, le=1_000_000)
    """Strings to validate on."""
    test: int = Field(default=500, ge=1, le=1_000_000)
    """Strings to test on."""
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    """The data stay the same while the experiment's seed changes."""


FIELD = re.compile(r"\{([^{}]*)\}")
"""A field of the names of recordings."""


class Audio(Block):
    """Recordings (WAV) and what is said in them. Channels are mixed to one, and what has another
    rate is resampled; both are said."""

    form: ClassVar[Form] = "audio"

    kind: Literal["audio"] = "audio"
    path: str
    """A table (CSV, TSV, JSONL, Parquet) with a recording in each row, by a path that begins where
    the table lies; or, with `names`, a folder of .wav files. With `split: {kind: files}` the
    training table."""
    format: Literal["auto", "csv", "tsv", "jsonl", "parquet"] = "auto"
    """Of a table; auto: by the file's ending."""
    names: str | None = None
    """What the names of a folder's files are made of, as `{text}_{speaker}_{take}.wav`: each field
    is a column, and stands there once. null: the path is a table."""
    audio: str = "audio"
    """Of a table, the column that holds the path of the recording."""
    text: str = "text"
    """The column that holds what is said."""
    group: str | None = None
    """A column whose equal values stay on the same side of a split by fractions, as the speaker;
    with `join` the column whose equal values may be joined."""
    rate: int = Field(default=16_000, ge=1_000, le=192_000)
    """What all recordings are brought to; unit: samples per second."""
    join: Join | None = None
    """Transcription: join recordings to strings; null: take them as they are."""
    encoding: str = "utf-8"

    @property
    def fields(self) -> tuple[str, ...]:
        """What stands between the braces of `names`."""
        return tuple(FIELD.findall(self.names or ""))


class Generated(Block):
    """Sequences of a memory problem, drawn from a seed of their own."""

    form: ClassVar[Form] = "generated"

    kind: Literal["generated"] = "generated"
    train: int = Field(default=10_000, ge=1, le=10_000_000)
    """Sequences to train on."""
    valid: int = Field(default=1_000, ge=1, le=10_000_000)
    """Sequences to validate on."""
    test: int = Field(default=2_560, ge=1, le=10_000_000)
    """Sequences to test on, as many as Hochreiter and Schmidhuber (1997) took."""
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    """The data stay the same while the experiment's seed changes."""


Source = Annotated[
    Builtin
    | LabelledText
    | Tokens
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
