"""Splitting, tokenization, scaling and features of the data."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from rnnkit.params.block import Block, ColumnName, Names
from rnnkit.params.source import Source

Fraction = Annotated[float, Field(gt=0, lt=1)]


def _timestamp(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a moment such as 2017-06-26") from None
    return text


Timestamp = Annotated[str, AfterValidator(_timestamp)]


class Fractions(Block):
    """By hash of the item or of its group: an item stays in its split when data are added."""

    kind: Literal["fractions"] = "fractions"
    valid: Fraction = 0.1
    test: Fraction = 0.1


class Files(Block):
    """One file per split; the source's path is the training file."""

    kind: Literal["files"] = "files"
    valid: str | Fraction = 0.1
    """Validation file, or fraction of the training file to hold out by hash."""
    test: str


class Time(Block):
    """By time, oldest first: the last fraction of the rows, or all rows from a timestamp on.

    With several series, fractions apply to each series, timestamps to all.
    """

    kind: Literal["time"] = "time"
    valid: Fraction | Timestamp = 0.1
    """Fraction of all rows, or timestamp at which the validation split begins."""
    test: Fraction | Timestamp = 0.1
    """Fraction of all rows, or timestamp at which the test split begins."""
    until: Timestamp | None = None
    """Rows from this timestamp on are left out."""


class Column(Block):
    """By a column of the data with the values train, valid and test."""

    kind: Literal["column"] = "column"
    name: ColumnName = "split"


class Given(Block):
    """As in the source, which comes already split."""

    kind: Literal["given"] = "given"


class FileNames(Block):
    """By shell patterns for the recordings' file names: `*_[0-4].wav`."""

    kind: Literal["names"] = "names"
    valid: str | Fraction = 0.1
    """Pattern of the validation split, or fraction of the non-test files to hold out by hash."""
    test: str
    """Pattern of the test split."""


Split = Annotated[
    Fractions | Files | Time | Column | Given | FileNames, Field(discriminator="kind")
]


Normalization = Literal["NFC", "NFD", "NFKC", "NFKD"] | None


class Characters(Block):
    """Every character is a token."""

    kind: Literal["characters"] = "characters"
    lowercase: bool = False
    normalization: Normalization = None
    """Unicode normalization form of texts and tokens, applied first; null: as they stand. NFC joins
    letters and accents, NFD parts them; NFKC and NFKD also replace look-alikes such as full-width
    letters and ligatures. A step of a stream is normalized by itself."""
    vocabulary: int = Field(default=1_000, ge=2, le=1_000_000)
    """Maximum number of tokens, by frequency; the rest become the unknown token. Does not count
    the padding, unknown and end-of-item tokens."""


class Words(Block):
    """Every word is a token."""

    kind: Literal["words"] = "words"
    split: Literal["spaces", "whitespace", "punctuation"] = "spaces"
    """spaces: at single spaces only (text that comes tokenised); whitespace: at any white space;
    punctuation: at white space and around punctuation."""
    lowercase: bool = False
    normalization: Normalization = None
    """Unicode normalization form of texts and tokens, applied first; null: as they stand. NFC joins
    letters and accents, NFD parts them; NFKC and NFKD also replace look-alikes such as full-width
    letters and ligatures. A step of a stream is normalized by itself."""
    vocabulary: int = Field(default=30_000, ge=2, le=1_000_000)
    """Maximum number of tokens, by frequency; the rest become the unknown token. Does not count
    the padding, unknown and end-of-item tokens."""
    minimum_count: int = Field(default=1, ge=1)
    """Rarer words become the unknown token."""
    spelling: int | None = Field(default=None, ge=2, le=100)
    """Tagging: maximum number of characters per word for model.representation.characters; the
    middle of longer words is dropped. null: words only. Unit: characters."""


class BPE(Block):
    """Byte-pair encoding (Sennrich et al. 2016), learned on the training split; words of more than
    1,000 characters are cut there before pairs are counted."""

    kind: Literal["bpe"] = "bpe"
    lowercase: bool = False
    normalization: Normalization = None
    """Unicode normalization form of texts and tokens, applied first; null: as they stand. NFC joins
    letters and accents, NFD parts them; NFKC and NFKD also replace look-alikes such as full-width
    letters and ligatures. A step of a stream is normalized by itself."""
    vocabulary: int = Field(default=8_000, ge=300, le=1_000_000)
    """Maximum number of learned tokens; always includes the 256 bytes."""


Tokenizer = Annotated[Characters | Words | BPE, Field(discriminator="kind")]


class MFCC(Block):
    """Mel-frequency cepstral coefficients per frame: the cosine transform of the log energies in
    bands evenly spaced on the mel scale (Davis and Mermelstein 1980)."""

    coefficients: int = Field(default=13, ge=1, le=256)
    """Number of coefficients, from the first."""
    bands: int = Field(default=40, ge=1, le=256)
    window: float = Field(default=25.0, gt=0, le=1_000)
    """Length of a frame; unit: milliseconds."""
    hop: float = Field(default=10.0, gt=0, le=1_000)
    """Distance between frames; unit: milliseconds."""
    deltas: int = Field(default=2, ge=0, le=2)
    """1: adds the slope of each coefficient over nine frames; 2: also the slope of the slope."""
    normalize: Literal["per_utterance", "none"] = "per_utterance"
    """per_utterance: each coefficient has mean 0 and standard deviation 1 within a recording;
    none: scaled by data.scaling, fitted on the training split."""


class Covariates(Block):
    """Input columns of a forecast that are not targets."""

    past: Names | None = None
    """Columns known only in the past; null: every column that is neither a target nor in
    `future`. Columns in none of these are left out."""
    future: Names = ()
    """Known-future covariates, such as planned prices: also read over the horizon."""
    calendar: Annotated[tuple[Literal["hour", "weekday", "month"], ...], Field(strict=False)] = ()
    """Known-future covariates from the time: sine and cosine of each cycle."""


class Data(Block):
    """Source, split, tokenization, scaling and padding."""

    source: Source
    split: Split = Fractions()
    tokenizer: Tokenizer = Words()
    """Tokenizer of the text; translation: of the source."""
    target_tokenizer: Tokenizer | None = None
    """Translation: tokenizer of the target; null: as `tokenizer`, learned on the targets."""
    joint: bool = False
    """Translation: one vocabulary, learned on sources and targets together."""
    max_length: int | None = Field(default=None, ge=1, le=1_000_000)
    """Longer sequences are truncated in every split, test included; a note counts them and their
    missing steps, which of tags are not scored. Translation, captioning and transcription: items
    with a longer input or target are left out of the training split alone. One label per frame:
    longer sequences are cut into items of this length. Language modelling: the text is one
    stream, cut into windows of this length; null: one window per item. Unit: steps."""
    padding: Literal["post", "pre"] = "post"
    """Side of the padding; does not affect results beyond rounding, except that dropout draws other
    masks. Windows of `train.bptt` are padded behind, so that they start at the first step."""
    window: int = Field(default=96, ge=1, le=100_000)
    """Forecasting: number of past rows that the network reads."""
    segment: int = Field(default=1, ge=1, le=100_000)
    """Forecasting: rows per step of the recurrence. The window is cut into segments of this many
    rows, and the network reads a whole segment at a time (SegRNN, Lin et al. 2023); `window` must
    be a multiple of it. 1: row by row."""
    scaling: Literal["standard", "minmax", "none", "log"] = "standard"
    """Series and frames: scaling of each column, fitted on the training split. log: as standard,
    but of forecasting's targets ln(1 + value), for what is never negative and grows by factors,
    with values well above 1; forecasts are never negative."""
    covariates: Covariates = Covariates()
    """Forecasting: input columns besides the targets."""
    features: MFCC = MFCC()
    """Recordings: their features."""
    limit: int | None = Field(default=None, ge=1)
    """Maximum number of items per split; null: all. Text: the first; series: the latest windows;
    other data: the first by hash, so that added data replace few of them. With
    `data.source.join`: counts the single recordings, not the joined ones."""

    @property
    def output_tokenizer(self) -> tuple[Tokenizer, bool]:
        """Tokenizer of the decoded texts, and whether it is learned on the sources too."""
        return self.target_tokenizer or self.tokenizer, self.joint

    @property
    def text_changes(self) -> tuple[str, ...]:
        """How that tokenizer changes the reference texts, in words."""
        tokenizer, _ = self.output_tokenizer
        cut = isinstance(tokenizer, Words) and tokenizer.split == "punctuation"
        form = tokenizer.normalization
        changes = {
            f"in the form {form}": form is not None,
            "in lower case": tokenizer.lowercase,
            "cut at punctuation": cut,
        }
        return tuple(change for change, applies in changes.items() if applies)
