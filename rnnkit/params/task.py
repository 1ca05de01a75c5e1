"""What is learned: one block per task.

Each says which metrics it reports and which way each is better, which of them are shown (the first
decides whether a network beats a baseline), its topology, the forms of data it takes, and the keys
that have no effect on it: they are refused, for the reason given, unless they hold their default.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from rnnkit.params.block import Block, FrozenMapping, Names

Direction = Literal["minimize", "maximize"]

RIGHTNESS: Mapping[str, Direction] = {
    "loss": "minimize",
    "accuracy": "maximize",
    "precision": "maximize",
    "recall": "maximize",
    "f1": "maximize",
}

NO_SERIES = {
    "data.window": "only a series is cut into windows of the past",
    "data.covariates": "only a series has covariates",
}
NO_NUMBERS = {**NO_SERIES, "data.scaling": "only numbers are scaled"}
NO_TRUNCATION = {"train.bptt": "only a network with an answer at every step can be truncated"}
NO_READOUT = {"model.readout": "every step is read out"}


class TaskBlock(Block):
    """What every task's block says of itself."""

    shapes_data: ClassVar[tuple[str, ...]] = ()
    """Keys that change the prepared data."""
    changes_answers: ClassVar[tuple[str, ...]] = ()
    """Keys that change what an answer means: networks that differ in them cannot be compared."""

    gives_text: ClassVar[bool] = False
    """Whether targets are texts."""

    @property
    def carries_state(self) -> bool:
        """Whether the state is carried through the whole data, from window to window."""
        return False

    @property
    def folds_of(self) -> int | None:
        """Of a series: how many rows a fold of a backtest has at least; None: it is no series."""
        return None

    @property
    def overlap(self) -> int:
        """How many neighbouring items belong together, as windows of a series that overlap."""
        return 1


Weight = Annotated[float, Field(gt=0, le=1e6, strict=False)]
ClassWeights = FrozenMapping[str, Weight] | Literal["balanced"] | None


class Classification(TaskBlock):
    """A sequence in, one label out (many-to-one). Cross-entropy on the read-out."""

    metrics: ClassVar[Mapping[str, Direction]] = RIGHTNESS
    topology: ClassVar[str] = "many_to_one"
    forms: ClassVar[tuple[str, ...]] = ("labelled_text", "frames", "audio")
    unused: ClassVar[Mapping[str, str]] = {**NO_SERIES, **NO_TRUNCATION}
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "f1", "loss")

    kind: Literal["classification"] = "classification"
    class_weights: ClassWeights = None
    """What an item of each class counts in the loss, the reported one too: a weight by the class's
    name, each 1 unless it is named; balanced: one that is inverse to how often the class occurs in
    training, 1 on average; null: 1."""


class Tagging(TaskBlock):
    """A label for every token or frame (many-to-many, synced). Cross-entropy per real token."""

    metrics: ClassVar[Mapping[str, Direction]] = {**RIGHTNESS, "sequence_accuracy": "maximize"}
    topology: ClassVar[str] = "synced"
    forms: ClassVar[tuple[str, ...]] = ("tagged", "tagged_frames")
    unused: ClassVar[Mapping[str, str]] = {**NO_SERIES, **NO_READOUT}
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "f1", "sequence_accuracy")

    kind: Literal["tagging"] = "tagging"
    class_weights: ClassWeights = None
    """As of classification: what a token or a frame of each tag counts."""


class LanguageModeling(TaskBlock):
    """The next token from those before it (many-to-many, synced). Cross-entropy per token."""

    metrics: ClassVar[Mapping[str, Direction]] = {
        "loss": "minimize",
        "perplexity": "minimize",
        "bits": "minimize",
        "accuracy": "maximize",
    }
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
    """reset: every window or item begins at the initial state; carried: the text is read as
    `train.batch_size` parallel continuous streams, in windows of `train.bptt` steps, and each
    window goes on from the state of the one before. Evaluation reads one stream."""

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


class Forecasting(TaskBlock):
    """The next values of a series from a window of the past: one step (many-to-one) or several."""

    topology: ClassVar[str] = "many_to_one"
    forms: ClassVar[tuple[str, ...]] = ("series",)
    shapes_data: ClassVar[tuple[str, ...]] = ("horizon", "targets")
    changes_answers: ClassVar[tuple[str, ...]] = ("horizon",)
    unused: ClassVar[Mapping[str, str]] = {
        "data.max_length": "a series has windows, whose length is data.window",
        "data.padding": "windows are all equally long and need no padding",
        **NO_TRUNCATION,
    }
    shown: ClassVar[tuple[str, ...]] = ("mae", "rmse", "mase", "scaled_mse", "scaled_mae")

    kind: Literal["forecasting"] = "forecasting"
    horizon: int = Field(default=1, ge=1, le=10_000)
    """How many steps ahead are forecast, all at once; unit: rows of the table."""
    targets: Names | None = None
    """The columns to forecast; null: all columns of the table that are no covariates."""
    loss: Literal["squared", "absolute", "quantile"] = "squared"
    """The error that is trained on, on scaled data; quantile: the pinball loss of `quantiles`
    (Koenker and Bassett 1978), whose median is the forecast that is scored."""
    quantiles: Quantiles = (0.1, 0.5, 0.9)
    """Which ones are forecast; the outermost two are the ends of the interval."""
    relative_to: Literal["zero", "last", "season"] = "zero"
    """What the network's outputs are added to: nothing; the last value of the window (as NLinear,
    Zeng et al. 2023); or the values one season before, the seasonal naive forecast. With last and
    season the network reads its window relative to the last row, too: it sees no level."""
    season: int = Field(default=1, ge=1, le=100_000)
    """Rows in one season (24 for hours of a day): the seasonal naive baseline and MASE use it."""

    @property
    def metrics(self) -> Mapping[str, Direction]:
        """Which metrics are reported, and which way each is better."""
        names = ["loss", "mae", "rmse", "mape", "smape", "mase", "scaled_mse", "scaled_mae"]
        return dict.fromkeys([*names, "pinball"] if self.loss == "quantile" else names, "minimize")

    @property
    def folds_of(self) -> int | None:
        return self.horizon

    @property
    def overlap(self) -> int:
        return self.horizon


class Regression(TaskBlock):
    """A sequence of numbers or of tokens in, numbers out: one vector at the end (many-to-one), or
    one at every frame (synced). The labels of the source are the numbers, in their units; in
    training they are scaled as the inputs are."""

    metrics: ClassVar[Mapping[str, Direction]] = {
        "loss": "minimize",
        "mae": "minimize",
        "rmse": "minimize",
        "r2": "maximize",
    }
    shown: ClassVar[tuple[str, ...]] = ("mae", "rmse", "r2", "loss")
    shapes_data: ClassVar[tuple[str, ...]] = ("per",)
    changes_answers: ClassVar[tuple[str, ...]] = ("per",)

    kind: Literal["regression"] = "regression"
    per: Literal["sequence", "frame"] = "sequence"
    """sequence: one vector of numbers at the end of each sequence; frame: one at every frame."""
    loss: Literal["squared", "absolute"] = "squared"
    """The error that is trained on, on scaled data."""

    @property
    def topology(self) -> str:
        """Whether there is one answer or one at every step."""
        return "many_to_one" if self.per == "sequence" else "synced"

    @property
    def forms(self) -> tuple[str, ...]:
        """Forms of data whose labels can be numbers."""
        if self.per == "frame":
            return ("tagged_frames", "frames_with_numbers")
        return ("frames", "frames_to_numbers", "labelled_text")

    @property
    def unused(self) -> Mapping[str, str]:
        """Keys without effect, and why."""
        return {**NO_SERIES, **(NO_TRUNCATION if self.per == "sequence" else NO_READOUT)}


class Memory(TaskBlock):
    """A problem that only a long memory solves, at any length.

    adding: two marked numbers of a sequence are to be added at its end. temporal_order: in which
    order two marked symbols came. copying: ten symbols are to be given again after a pause.
    embedded_reber: the next symbol of a string whose last but one repeats its second.
    """

    metrics: ClassVar[Mapping[str, Direction]] = {"loss": "minimize", "accuracy": "maximize"}
    forms: ClassVar[tuple[str, ...]] = ("generated",)
    shapes_data: ClassVar[tuple[str, ...]] = ("problem", "length")
    changes_answers: ClassVar[tuple[str, ...]] = ("problem",)
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "loss")

    kind: Literal["memory"] = "memory"
    problem: Literal["adding", "copying", "temporal_order", "embedded_reber"] = "adding"
    """Which one; accuracy counts the answers that need the memory alone. Adding: right is what is
    less than .04 off (Hochreiter and Schmidhuber 1997)."""
    length: int = Field(default=100, ge=10, le=100_000)
    """adding, temporal_order: sequences have this many steps to a tenth more; copying: steps of the
    pause; embedded_reber: strings have at least this many symbols. Unit: steps."""

    @property
    def topology(self) -> str:
        """Whether there is one answer or one at every step."""
        return "many_to_one" if self.problem in ("adding", "temporal_order") else "synced"

    @property
    def numbers(self) -> bool:
        """Whether the inputs are numbers and no symbols."""
        return self.problem == "adding"

    @property
    def unused(self) -> Mapping[str, str]:
        """Keys without effect, and why."""
        online = {"model.bidirectional": "a backward direction would need no memory"}
        every = online if self.problem == "embedded_reber" else {}
        return {
            **NO_NUMBERS,
            **(NO_TRUNCATION if self.topology == "many_to_one" else {**NO_READOUT, **every}),
            "data.split": "the source says how many sequences each part has",
            "data.tokenizer": "its symbols are given",
            "data.max_length": "task.length says how long sequences are",
        }


class Music(TaskBlock):
    """The notes of the next frame from those before it (many-to-many, synced): many at once, each
    with a probability of its own. Bernoulli negative log-likelihood per frame."""

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
    """A vector in, a label or numbers out (one-to-one): the feed-forward baseline of the recurrent
    topologies, `model.depth` layers of `model.hidden` rectified units."""

    topology: ClassVar[str] = "one_to_one"
    forms: ClassVar[tuple[str, ...]] = ("vectors", "frames")
    shapes_data: ClassVar[tuple[str, ...]] = ("loss",)
    changes_answers: ClassVar[tuple[str, ...]] = ("loss",)
    unused: ClassVar[Mapping[str, str]] = {
        **NO_SERIES,
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
            ),
            "a vector is no sequence, and nothing recurs",
        ),
    }

    kind: Literal["vector"] = "vector"
    class_weights: ClassWeights = None
    """As of classification; for labels alone."""
    loss: Literal["cross_entropy", "squared"] = "cross_entropy"
    """cross_entropy: the target is a label; squared: the targets are numbers, which are scaled as
    the inputs are."""

    @property
    def metrics(self) -> Mapping[str, Direction]:
        """As of every task, by the loss."""
        if self.loss == "cross_entropy":
            return Classification.metrics
        return {"loss": "minimize", "mae": "minimize", "rmse": "minimize"}

    @property
    def shown(self) -> tuple[str, ...]:
        """As of every task, by the loss."""
        return Classification.shown if self.loss == "cross_entropy" else ("mae", "rmse", "loss")


class Writing(TaskBlock):
    """What all tasks have whose answer is a sequence of tokens, written one by one."""

    gives_text: ClassVar[bool] = True

    beam: int = Field(default=1, ge=1, le=100)
    """How many hypotheses are kept side by side when the test part is decoded; 1: greedy. The
    validation part is decoded greedily after each epoch."""
    length_penalty: float = Field(default=1.0, ge=0, le=10)
    """With a beam: of the hypotheses that ended, the one with the greatest log P / length^this is
    the answer; 0: the likeliest, which favours short ones."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """The share of each target's probability that is spread over all tokens in the loss that is
    trained on (Szegedy et al. 2016), not in those of valid and test."""
    scheduled_sampling: float = Field(default=0.0, ge=0, le=1)
    """The share of steps that read the network's own token and not the true one (Bengio et al.
    2015): from 0 in the first epoch it rises to this in the last, so that one epoch alone has none;
    0: teacher forcing."""
    bleu_tokenizer: Literal["13a", "intl", "char", "none"] = "13a"
    """How sacreBLEU cuts texts into words: none for text that comes tokenised."""


WRITTEN: Mapping[str, Direction] = {
    "loss": "minimize",
    "perplexity": "minimize",
    "accuracy": "maximize",
    "sequence_accuracy": "maximize",
    "bleu": "maximize",
    "wer": "minimize",
}
NO_TABLE = {
    "data.window": "only a series is cut into windows of the past",
    "data.covariates": "only a series has covariates",
    **NO_TRUNCATION,
}


class Translation(Writing):
    """A sequence in, another one out (encoder-decoder). Cross-entropy per real target token.

    Several targets of one source are references of which any is right. `wer`: the least edits to a
    reference, in words or whatever spaces part, over its length. bleu lies between 0 and 1.
    """

    metrics: ClassVar[Mapping[str, Direction]] = WRITTEN
    topology: ClassVar[str] = "encoder_decoder"
    forms: ClassVar[tuple[str, ...]] = ("pairs",)
    unused: ClassVar[Mapping[str, str]] = {
        **NO_TABLE,
        "data.scaling": "only numbers are scaled",
    }
    shown: ClassVar[tuple[str, ...]] = ("bleu", "sequence_accuracy", "wer", "perplexity")

    kind: Literal["translation"] = "translation"


class Captioning(Writing):
    """A vector or a category in, a sequence out (one-to-many). Cross-entropy per real token.

    The label of labelled text is the category, and the text is what is written.
    """

    metrics: ClassVar[Mapping[str, Direction]] = WRITTEN
    topology: ClassVar[str] = "one_to_many"
    forms: ClassVar[tuple[str, ...]] = ("vectors", "labelled_text")
    unused: ClassVar[Mapping[str, str]] = {
        **NO_TABLE,
        "data.padding": "a vector or a category is one step and needs no padding",
        **dict.fromkeys(
            ("model.bidirectional", "model.readout", "model.attention", "model.input_feeding"),
            "no sequence is read",
        ),
        "model.initial_state": "what is read decides where the network starts",
        "data.target_tokenizer": "data.tokenizer is of what is written",
        "data.joint": "only what is written is tokenised",
    }
    shown: ClassVar[tuple[str, ...]] = ("sequence_accuracy", "accuracy", "perplexity", "bleu")

    kind: Literal["captioning"] = "captioning"


class Transcription(TaskBlock):
    """What is said in a recording: a token at some of its frames, by connectionist temporal
    classification (Graves et al. 2006). The loss is nats per token of the transcript.

    `wer` and `cer`: the least edits to the transcript, in words or in characters without white
    space, over its length; where words are phonemes, wer is the phoneme error rate.
    """

    metrics: ClassVar[Mapping[str, Direction]] = {
        "loss": "minimize",
        "wer": "minimize",
        "cer": "minimize",
        "sequence_accuracy": "maximize",
    }
    topology: ClassVar[str] = "synced"
    forms: ClassVar[tuple[str, ...]] = ("audio",)
    unused: ClassVar[Mapping[str, str]] = {
        **NO_TABLE,
        **NO_READOUT,
        "train.bptt": "the loss is of a whole recording",
    }
    shown: ClassVar[tuple[str, ...]] = ("wer", "sequence_accuracy", "cer", "loss")

    gives_text: ClassVar[bool] = True

    kind: Literal["transcription"] = "transcription"
    beam: int = Field(default=1, ge=1, le=1_000)
    """How many transcripts are kept side by side when the test part is decoded (prefix beam search,
    Hannun et al. 2014); 1: the likeliest token of each frame."""


NO_WRITING = {
    "model.attention": "nothing is written",
    "model.input_feeding": "nothing is written",
    "model.target_embedding": "nothing is written",
    "data.target_tokenizer": "nothing is written",
    "data.joint": "nothing is written",
}
"""Of all tasks that are no `Writing`."""

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
