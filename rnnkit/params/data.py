"""How a source is split, and how its items become tensors."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from rnnkit.params.block import Block, Names
from rnnkit.params.source import Source

Share = Annotated[float, Field(gt=0, lt=1)]


def _timestamp(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a moment such as 2017-06-26") from None
    return text


Timestamp = Annotated[str, AfterValidator(_timestamp)]


class Fractions(Block):
    """By a hash of the item or of its group: an item never changes side when the data grow."""

    kind: Literal["fractions"] = "fractions"
    valid: Share = 0.1
    test: Share = 0.1


class Files(Block):
    """A file for each part; the source's own path is the training file."""

    kind: Literal["files"] = "files"
    valid: str | Share = 0.1
    """The validation file, or the share of the training file to hold out by hash."""
    test: str


class Time(Block):
    """By time, oldest first: the last share, or everything from a given moment on.

    Of several series a share is taken of each; moments are the same for all.
    """

    kind: Literal["time"] = "time"
    valid: Share | Timestamp = 0.1
    """A share of all rows, or the moment the validation part begins."""
    test: Share | Timestamp = 0.1
    """A share of all rows, or the moment the test part begins."""
    until: Timestamp | None = None
    """Rows from this moment on are left out."""


class Column(Block):
    """By a column of the data that says train, valid or test."""

    kind: Literal["column"] = "column"
    name: str = "split"


class Given(Block):
    """As the source has it: it comes in parts."""

    kind: Literal["given"] = "given"


class FileNames(Block):
    """By the names of recordings' files, as patterns of the shell: `*_[0-4].wav`."""

    kind: Literal["names"] = "names"
    valid: str | Share = 0.1
    """The pattern of the validation part, or the share of what is left to hold out by hash."""
    test: str
    """The pattern of the test part."""


Split = Annotated[
    Fractions | Files | Time | Column | Given | FileNames, Field(discriminator="kind")
]


class Characters(Block):
    """Every character is a token."""

    kind: Literal["characters"] = "characters"
    lowercase: bool = False
    vocabulary: int = Field(default=1_000, ge=2, le=1_000_000)
    """At most this many tokens, the most frequent ones; the rest become the unknown token. Padding,
    unknown and end-of-item tokens are not counted."""


class Words(Block):
    """Every word is a token."""

    kind: Literal["words"] = "words"
    split: Literal["spaces", "whitespace", "punctuation"] = "spaces"
    """spaces: at single spaces only (text that comes tokenised); whitespace: at any white space;
    punctuation: at white space and around punctuation."""
    lowercase: bool = False
    vocabulary: int = Field(default=30_000, ge=2, le=1_000_000)
    """At most this many tokens, the most frequent ones; the rest become the unknown token. Padding,
    unknown and end-of-item tokens are not counted."""
    minimum_count: int = Field(default=1, ge=1)
    """Rarer words become the unknown token."""
    spelling: int | None = Field(default=None, ge=2, le=100)
    """Tagging: each word comes with its letters, at most so many: of a longer word the first half
    and the last. For model.representation.characters. Unit: characters."""


class BPE(Block):
    """Byte-pair encoding (Sennrich et al. 2016), learned on the training part."""

    kind: Literal["bpe"] = "bpe"
    lowercase: bool = False
    vocabulary: int = Field(default=8_000, ge=300, le=1_000_000)
    """At most this many tokens are learned; the 256 bytes are always among them."""


Tokenizer = Annotated[Characters | Words | BPE, Field(discriminator="kind")]


class MFCC(Block):
    """Mel-frequency cepstral coefficients, a frame of them every few milliseconds: the cosine
    transform of the log energies in bands that are evenly spaced on the mel scale (Davis and
    Mermelstein 1980)."""

    coefficients: int = Field(default=13, ge=1, le=256)
    """How many of them are kept, the first ones."""
    bands: int = Field(default=40, ge=1, le=256)
    window: float = Field(default=25.0, gt=0, le=1_000)
    """How much of the recording a frame hears; unit: milliseconds."""
    hop: float = Field(default=10.0, gt=0, le=1_000)
    """From a frame to the next; unit: milliseconds."""
    deltas: int = Field(default=2, ge=0, le=2)
    """1: beside each coefficient its slope over nine frames; 2: and the slope's slope."""
    normalize: Literal["per_utterance", "none"] = "per_utterance"
    """per_utterance: each coefficient has mean 0 and deviation 1 within a recording; none: it is
    scaled as data.scaling says, by the training part."""


class Covariates(Block):
    """Columns that help to forecast and are not forecast themselves."""

    past: Names | None = None
    """Columns known in the past alone; null: every column that is no target and not in `future`.
    A column that is in none of these is left out."""
    future: Names = ()
    """Columns known ahead, such as a price plan: their values over the horizon are read, too."""
    calendar: Annotated[tuple[Literal["hour", "weekday", "month"], ...], Field(strict=False)] = ()
    """What is known ahead from the time itself, each as the sine and cosine of its cycle."""

    @property
    def known_ahead(self) -> bool:
        """Whether anything is known over the horizon."""
        return bool(self.future or self.calendar)


class Data(Block):
    """From a source to padded batches."""

    source: Source
    split: Split = Fractions()
    tokenizer: Tokenizer = Words()
    """Of the text; translation: of the source."""
    target_tokenizer: Tokenizer | None = None
    """Translation: of the target; null: as the source's, learned on the targets."""
    joint: bool = False
    """Translation: one vocabulary, learned on the sources and the targets together."""
    max_length: int | None = Field(default=None, ge=1, le=1_000_000)
    """Longer sequences are cut here (and counted); translation, captioning and transcription: what
    is longer, read or written, is left out of the training part. Frames with a label each: longer
    sequences are cut into stretches of this length, each an item. Language modelling: the text is
    one stream, cut into windows of this length; null: one window for each item. Unit: steps."""
    padding: Literal["post", "pre"] = "post"
    """Where the padding lies; results are the same."""
    window: int = Field(default=96, ge=1, le=100_000)
    """Forecasting: how many past rows the network sees."""
    scaling: Literal["standard", "minmax", "none"] = "standard"
    """Series and frames: how each column is scaled, by the training part alone."""
    covariates: Covariates = Covariates()
    """Forecasting: which columns beside the targets the network sees."""
    features: MFCC = MFCC()
    """Recordings: what is heard of them."""
    limit: int | None = Field(default=None, ge=1)
    """Use at most this many items of each part; null: all. Text: the first ones; a series: the
    latest windows; other data: the first ones by hash, so that more data change few of them. With
    `data.source.join`: of the recordings that are joined, not of the strings."""

    @property
    def written(self) -> tuple[Tokenizer, bool]:
        """Of texts that are written or transcribed, their tokenizer, and whether it learns from the
        sources too."""
        return self.target_tokenizer or self.tokenizer, self.joint

    @property
    def altered(self) -> tuple[str, ...]:
        """What that tokenizer does to the true texts, in words."""
        tokenizer, _ = self.written
        cut = isinstance(tokenizer, Words) and tokenizer.split == "punctuation"
        changes = {"in lower case": tokenizer.lowercase, "cut at punctuation": cut}
        return tuple(change for change, made in changes.items() if made)
