"""Tasks, one block each.

A block declares its metrics and directions, which metrics to show (the first decides whether a
network beats a baseline), its topology, its forms of data, and keys without effect, which are
refused with the given reason unless they hold their default.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from rnnkit.params.block import Block, FrozenMapping, Names

Direction = Literal["minimize", "maximize"]

MAXIMIZED = {"accuracy", "sequence_accuracy", "precision", "recall", "f1", "r2", "bleu"}


def directed(*metrics: str) -> Mapping[str, Direction]:
    """Metric -> direction."""
    return {name: "maximize" if name in MAXIMIZED else "minimize" for name in metrics}


RIGHTNESS = directed("loss", "accuracy", "precision", "recall", "f1")
TEXT_METRICS = directed("loss", "perplexity", "accuracy", "sequence_accuracy", "bleu", "wer")

NO_SERIES = {
    "data.window": "only a series is cut into windows of the past",
    "data.segment": "only the window of a series is cut into segments",
    "data.covariates": "only a series has covariates",
    "model.channels": "only the columns of a series can be forecast each by itself",
    "model.channel_embedding": "only the columns of a series can be forecast each by itself",
}
NO_DECODER = dict.fromkeys(
    (
        "model.attention",
        "model.input_feeding",
        "model.target_embedding",
        "data.target_tokenizer",
        "data.joint",
    ),
    "the task decodes no tokens",
)
UNUSED_BY_MOST = {**NO_DECODER, **NO_SERIES}
NO_SCALING = {"data.scaling": "only numbers are scaled"}
NO_NUMBERS = {**UNUSED_BY_MOST, **NO_SCALING}
NO_TRUNCATION = {"train.bptt": "only a network with an answer at every step can be truncated"}
NO_HEAD = {"model.head_dropout": "model.dropout is on what the decoder reads and gives"}
NO_READOUT = {"model.readout": "every step is read out"}


class TaskBlock(Block):
    """Declarations of a task."""

    data_keys: ClassVar[tuple[str, ...]] = ()
    """Keys that change the prepared data."""
    output_keys: ClassVar[tuple[str, ...]] = ()
    """Keys that change the meaning of outputs: networks that differ in them are not comparable."""

    word_scale: ClassVar[float] = 1.0
    """Default of `model.initialization.embedding` where tokens are words or byte pairs."""

    decodes_text: ClassVar[bool] = False
    """Whether targets are texts."""

    @property
    def shown(self) -> tuple[str, ...]:
        """Metrics to show, the deciding one first."""
        raise NotImplementedError

    def deciding(self, form: str) -> str:
        """The metric that decides whether a network beats a baseline, for data of a form."""
        return self.shown[0]

    @property
    def data_version(self) -> int:
        """Part of the prepared data's hash; raise it when equal data give other examples."""
        return 0

    @property
    def carries_state(self) -> bool:
        """Whether the hidden state is carried from window to window."""
        return False

    @property
    def window_overlap(self) -> int | None:
        """Minimum rows of a backtest fold, and number of neighbouring windows of a series that
        overlap; None: the data are not a series."""
        return None


Weight = Annotated[float, Field(gt=0, le=1e6, strict=False)]
ClassWeights = FrozenMapping[str, Weight] | Literal["balanced"] | None


class Classification(TaskBlock):
    """One label per sequence (many-to-one). Cross-entropy on the read-out."""

    metrics: ClassVar[Mapping[str, Direction]] = RIGHTNESS
    word_scale: ClassVar[float] = 0.1
    topology: ClassVar[str] = "many_to_one"
    forms: ClassVar[tuple[str, ...]] = ("labelled_text", "frames", "audio")
    unused: ClassVar[Mapping[str, str]] = {**UNUSED_BY_MOST, **NO_TRUNCATION}
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "f1", "loss")

    kind: Literal["classification"] = "classification"
    class_weights: ClassWeights = None
    """Class weights in the training loss and the reported loss: class name -> weight, 1 for other
    classes; balanced: inverse to the class frequency in training, 1 on average; null: all 1."""


class Tagging(TaskBlock):
    """One label per token or frame (many-to-many, synced). Cross-entropy per real token."""

    metrics: ClassVar[Mapping[str, Direction]] = directed(*RIGHTNESS, "sequence_accuracy")
    word_scale: ClassVar[float] = 0.1
    topology: ClassVar[str] = "synced"
    forms: ClassVar[tuple[str, ...]] = ("tagged", "tagged_frames")
    unused: ClassVar[Mapping[str, str]] = {**UNUSED_BY_MOST, **NO_READOUT}
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "f1", "sequence_accuracy")

    kind: Literal["tagging"] = "tagging"
    class_weights: ClassWeights = None
    """As in classification: the weight of a token or frame by its tag."""


class LanguageModeling(TaskBlock):
    """Next-token prediction (many-to-many, synced). Cross-entropy per token."""

    metrics: ClassVar[Mapping[str, Direction]] = directed("loss", "perplexity", "bits", "accuracy")
    topology: ClassVar[str] = "synced"
    forms: ClassVar[tuple[str, ...]] = ("text",)
    unused: ClassVar[Mapping[str, str]] = {
        **NO_NUMBERS,
        **NO_READOUT,
        "model.bidirectional": "a backward direction would read the token that is to be predicted",
    }
    shown: ClassVar[tuple[str, ...]] = ("perplexity", "bits", "accuracy")

    kind: Literal["language_modeling"] = "language_modeling"
    state: Literal["reset", "carried"] = "reset"
    """reset: every window or item starts at the initial state; carried: the text is read as
    `train.batch_size` parallel streams in windows of `train.bptt` steps, each starting from the
    final state of the previous window. Evaluation reads one stream."""

    @property
    def carries_state(self) -> bool:
        return self.state == "carried"


def _ordered(quantiles: tuple[float, ...]) -> tuple[float, ...]:
    between = all(0 < quantile < 1 for quantile in quantiles)
    if not between or list(quantiles) != sorted(set(quantiles)) or 0.5 not in quantiles:
        raise ValueError("must rise from above 0 to below 1 and hold the median, 0.5")
    if len(quantiles) < 3:
        raise ValueError("must hold at least three: the ends of an interval and the median")
    return quantiles


Quantiles = Annotated[tuple[float, ...], Field(strict=False), AfterValidator(_ordered)]


INTERVAL = 0.9
"""Default of `task.interval`."""


class Forecasting(TaskBlock):
    """The next values of a series from a window of past values (many-to-one)."""

    topology: ClassVar[str] = "many_to_one"
    forms: ClassVar[tuple[str, ...]] = ("series",)
    data_keys: ClassVar[tuple[str, ...]] = ("horizon", "targets")
    output_keys: ClassVar[tuple[str, ...]] = ("horizon",)
    unused: ClassVar[Mapping[str, str]] = {
        **NO_DECODER,
        "data.max_length": "a series has windows, whose length is data.window",
        "data.padding": "windows are all equally long and need no padding",
        **NO_TRUNCATION,
    }
    shown: ClassVar[tuple[str, ...]] = (
        *("mae", "rmse", "mase", "scaled_mse", "scaled_mae"),
        *("coverage", "interval_width", "pinball"),
    )

    kind: Literal["forecasting"] = "forecasting"
    horizon: int = Field(default=1, ge=1, le=10_000)
    """Number of steps to forecast, all at once; unit: rows of the table."""
    targets: Names | None = None
    """The columns to forecast; null: all columns of the table except covariates."""
    loss: Literal["squared", "absolute", "quantile"] = "squared"
    """Training loss, on scaled data; quantile: the pinball loss of `quantiles` (Koenker and Bassett
    1978), whose median is the scored forecast."""
    quantiles: Quantiles = (0.1, 0.5, 0.9)
    """Quantiles to forecast; the outermost two bound the interval. Those beside the median are
    calibrated on the validation split."""
    interval: float | None = Field(default=None, gt=0, lt=1)
    """Fraction of the values that the interval around the forecast is to hold, calibrated on the
    validation split; null: 0.9. With `loss: quantile` the quantiles say it."""
    lower: float | None = None
    """Lower bound of forecasts and intervals, such as 0 for what cannot be negative; null: none.
    Unit: that of the targets."""
    upper: float | None = None
    """Upper bound of forecasts and intervals; null: none. Unit: that of the targets."""
    relative_to: Literal["zero", "last", "season"] = "zero"
    """Base to which the outputs are added. zero: none; last: the last value of the window (as in
    NLinear, Zeng et al. 2023); season: the values one season before (seasonal naive forecast). With
    last and season the inputs are relative to the last row, too, so the level is removed."""
    season: int = Field(default=1, ge=1, le=100_000)
    """Rows per season (24 for hours of a day), for the seasonal naive baseline and MASE. MASE needs
    more training rows than this."""

    @property
    def levels(self) -> tuple[float, ...]:
        """Quantiles of a calibrated forecast."""
        if self.loss == "quantile":
            return self.quantiles
        tail = round((1 - (self.interval or INTERVAL)) / 2, 9)
        return tail, 0.5, 1 - tail

    @property
    def metrics(self) -> Mapping[str, Direction]:
        names = ["loss", "mae", "rmse", "mape", "smape", "mase", "scaled_mse", "scaled_mae"]
        return directed(*names, *(["pinball"] if self.loss == "quantile" else []))

    @property
    def data_version(self) -> int:
        return 1

    @property
    def window_overlap(self) -> int | None:
        return self.horizon


class Regression(TaskBlock):
    """Numbers from a sequence of numbers or tokens: one vector per sequence (many-to-one) or per
    frame (synced). The labels of the source are the numbers, in their units; training scales them
    like the inputs."""

    metrics: ClassVar[Mapping[str, Direction]] = directed("loss", "mae", "rmse", "r2")
    shown: ClassVar[tuple[str, ...]] = ("mae", "rmse", "r2", "loss")
    data_keys: ClassVar[tuple[str, ...]] = ("per",)
    output_keys: ClassVar[tuple[str, ...]] = ("per",)

    kind: Literal["regression"] = "regression"
    per: Literal["sequence", "frame"] = "sequence"
    """sequence: one vector of numbers per sequence; frame: one per frame."""
    loss: Literal["squared", "absolute"] = "squared"
    """Training loss, on scaled data."""

    @property
    def data_version(self) -> int:
        return 1

    @property
    def topology(self) -> str:
        return "many_to_one" if self.per == "sequence" else "synced"

    @property
    def forms(self) -> tuple[str, ...]:
        if self.per == "frame":
            return ("tagged_frames", "frames_with_numbers")
        return ("frames", "frames_to_numbers", "labelled_text")

    @property
    def unused(self) -> Mapping[str, str]:
        return {**UNUSED_BY_MOST, **(NO_TRUNCATION if self.per == "sequence" else NO_READOUT)}


class Memory(TaskBlock):
    """A synthetic long-term memory problem.

    adding: the sum of two marked numbers of a sequence. temporal_order: the order of two marked
    symbols. copying: repeat ten symbols after a pause. embedded_reber: the next symbol of a string
    whose last but one symbol repeats its second.
    """

    metrics: ClassVar[Mapping[str, Direction]] = directed("loss", "accuracy")
    forms: ClassVar[tuple[str, ...]] = ("generated",)
    data_keys: ClassVar[tuple[str, ...]] = ("problem", "length")
    output_keys: ClassVar[tuple[str, ...]] = ("problem",)
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "loss")

    kind: Literal["memory"] = "memory"
    problem: Literal["adding", "copying", "temporal_order", "embedded_reber"] = "adding"
    """Problem; accuracy counts only outputs that need the memory. Adding: an error below .04 is
    correct (Hochreiter and Schmidhuber 1997)."""
    length: int = Field(default=100, ge=10, le=100_000)
    """adding, temporal_order: minimum sequence length, the maximum is a tenth more; copying: length
    of the pause; embedded_reber: minimum string length. Unit: steps."""

    @property
    def topology(self) -> str:
        return "many_to_one" if self.problem in ("adding", "temporal_order") else "synced"

    @property
    def numbers(self) -> bool:
        """Whether the inputs are numbers, not symbols."""
        return self.problem == "adding"

    @property
    def unused(self) -> Mapping[str, str]:
        online = {"model.bidirectional": "a backward direction would need no memory"}
        return {
            **NO_NUMBERS,
            **(NO_TRUNCATION if self.topology == "many_to_one" else NO_READOUT),
            **(online if self.problem == "embedded_reber" else {}),
            "data.split": "the source says how many sequences each split has",
            "data.tokenizer": "its symbols are given",
            "data.max_length": "task.length says how long sequences are",
        }


class Music(TaskBlock):
    """Prediction of the notes of the next frame (many-to-many, synced), independent
    probabilities per note. Bernoulli negative log-likelihood per frame."""

    metrics: ClassVar[Mapping[str, Direction]] = RIGHTNESS
    topology: ClassVar[str] = "synced"
    forms: ClassVar[tuple[str, ...]] = ("piano_rolls",)
    unused: ClassVar[Mapping[str, str]] = {
        **NO_NUMBERS,
        **NO_READOUT,
        "model.bidirectional": "a backward direction would read the frame that is to be predicted",
    }
    shown: ClassVar[tuple[str, ...]] = ("loss", "f1", "accuracy")

    kind: Literal["music"] = "music"


class Vector(TaskBlock):
    """A label or numbers from a vector (one-to-one): the feed-forward baseline of the recurrent
    topologies, `model.depth` layers of `model.hidden` ReLU units."""

    topology: ClassVar[str] = "one_to_one"
    forms: ClassVar[tuple[str, ...]] = ("vectors", "frames")
    data_keys: ClassVar[tuple[str, ...]] = ("loss",)
    output_keys: ClassVar[tuple[str, ...]] = ("loss",)
    unused: ClassVar[Mapping[str, str]] = {
        **UNUSED_BY_MOST,
        **NO_TRUNCATION,
        **dict.fromkeys(
            (
                "data.max_length",
                "data.padding",
                "model.cell",
                "model.bidirectional",
                "model.readout",
                "model.recurrent_dropout",
                "model.initial_state",
                "model.initialization.recurrent",
                "model.initialization.scale",
                "train.kernel",
            ),
            "a vector is no sequence, and nothing recurs",
        ),
    }

    kind: Literal["vector"] = "vector"
    class_weights: ClassWeights = None
    """As in classification; only for labels."""
    loss: Literal["cross_entropy", "squared"] = "cross_entropy"
    """cross_entropy: the target is a label; squared: the targets are numbers, scaled like the
    inputs."""

    @property
    def data_version(self) -> int:
        return 1 if self.loss == "squared" else 0

    @property
    def metrics(self) -> Mapping[str, Direction]:
        if self.loss == "cross_entropy":
            return Classification.metrics
        return directed("loss", "mae", "rmse")

    @property
    def shown(self) -> tuple[str, ...]:
        return Classification.shown if self.loss == "cross_entropy" else ("mae", "rmse", "loss")


class TextGeneration(TaskBlock):
    """Base of the tasks that decode a sequence of tokens."""

    decodes_text: ClassVar[bool] = True

    beam: int = Field(default=1, ge=1, le=100)
    """Beam size for decoding the test split; 1: greedy. The validation split is decoded greedily
    after each epoch."""
    length_penalty: float = Field(default=1.0, ge=0, le=10)
    """Beam search selects the complete hypothesis with the greatest log P / length^length_penalty;
    0: the most probable, which favours short ones."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Fraction of each target's probability spread over all tokens in the training loss (Szegedy et
    al. 2016), not in the validation and test loss."""
    scheduled_sampling: float = Field(default=0.0, ge=0, le=1)
    """Fraction of steps that read the predicted token instead of the target (Bengio et al. 2015):
    rises from 0 in the first epoch (also the only one) to this value in the last; 0: teacher
    forcing."""
    bleu_tokenizer: Literal["13a", "intl", "char", "none"] = "13a"
    """Tokenizer of sacreBLEU; none: for text that is already tokenised."""


class Translation(TextGeneration):
    """Sequence-to-sequence (encoder-decoder). Cross-entropy per real target token.

    Several targets of one source are alternative references. `wer`: the minimum edits to a
    reference, in space-separated words, over its length. bleu lies between 0 and 1.
    """

    metrics: ClassVar[Mapping[str, Direction]] = TEXT_METRICS
    topology: ClassVar[str] = "encoder_decoder"
    forms: ClassVar[tuple[str, ...]] = ("pairs",)
    unused: ClassVar[Mapping[str, str]] = {**NO_SERIES, **NO_TRUNCATION, **NO_SCALING, **NO_HEAD}
    shown: ClassVar[tuple[str, ...]] = ("bleu", "sequence_accuracy", "wer", "perplexity")

    kind: Literal["translation"] = "translation"


class Captioning(TextGeneration):
    """A sequence from a vector or category (one-to-many). Cross-entropy per real token.

    Of labelled text, the label is the category and the text is the target.
    """

    metrics: ClassVar[Mapping[str, Direction]] = TEXT_METRICS
    topology: ClassVar[str] = "one_to_many"
    forms: ClassVar[tuple[str, ...]] = ("vectors", "labelled_text")
    unused: ClassVar[Mapping[str, str]] = {
        **NO_SERIES,
        **NO_TRUNCATION,
        **NO_HEAD,
        "data.padding": "a vector or a category is one step and needs no padding",
        **dict.fromkeys(
            ("model.bidirectional", "model.readout", "model.attention", "model.input_feeding"),
            "no sequence is read",
        ),
        "model.initial_state": "what is read decides where the network starts",
        "data.target_tokenizer": "data.tokenizer is for the decoded tokens",
        "data.joint": "only the decoded texts are tokenised",
    }
    shown: ClassVar[tuple[str, ...]] = ("sequence_accuracy", "accuracy", "perplexity", "bleu")

    kind: Literal["captioning"] = "captioning"

    def deciding(self, form: str) -> str:
        """A category has no single reference text: the likelihood of the texts decides."""
        return "perplexity" if form == "labelled_text" else super().deciding(form)


class Transcription(TaskBlock):
    """The transcript of a recording, by connectionist temporal classification (Graves et al. 2006).
    The loss is in nats per token of the transcript.

    `wer` and `cer`: the minimum edits to the transcript, in words or in characters without white
    space, over its length; if words are phonemes, wer is the phoneme error rate.
    """

    metrics: ClassVar[Mapping[str, Direction]] = directed("loss", "wer", "cer", "sequence_accuracy")
    topology: ClassVar[str] = "synced"
    forms: ClassVar[tuple[str, ...]] = ("audio",)
    unused: ClassVar[Mapping[str, str]] = {
        **UNUSED_BY_MOST,
        **NO_READOUT,
        "train.bptt": "the loss is of a whole recording",
    }
    shown: ClassVar[tuple[str, ...]] = ("wer", "sequence_accuracy", "cer", "loss")

    decodes_text: ClassVar[bool] = True

    kind: Literal["transcription"] = "transcription"
    beam: int = Field(default=1, ge=1, le=1_000)
    """Beam size for decoding the test split (prefix beam search, Hannun et al. 2014); 1: the best
    token of each frame."""


Task = Annotated[
    Classification
    | Tagging
    | LanguageModeling
    | Forecasting
    | Regression
    | Memory
    | Music
    | Vector
    | Translation
    | Captioning
    | Transcription,
    Field(discriminator="kind"),
]
