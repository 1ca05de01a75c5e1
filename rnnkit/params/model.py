"""Network architecture: input representation, cell, stack, read-out and initialization."""

from typing import Annotated, Literal

from pydantic import Field

from rnnkit.params.block import Block, FrozenDict, FrozenMapping


class CharacterNetwork(Block):
    """A bidirectional recurrent network, with the model's cell, over the characters of a word. Its
    final state is concatenated to the word vector (Lample et al. 2016)."""

    size: int = Field(default=25, ge=1, le=8192)
    """Size of the learned vector per character."""
    hidden: int = Field(default=50, ge=1, le=8192)
    """Units per direction."""


class Embedding(Block):
    """A learned vector per token."""

    kind: Literal["embedding"] = "embedding"
    size: int = Field(default=64, ge=1, le=8192)
    characters: CharacterNetwork | None = None
    """Character network; null: none. Needs data.tokenizer.spelling."""
    vectors: str | None = None
    """File of pretrained word vectors of width `size`: GloVe, or word2vec text or binary; plain,
    .gz, or in a .zip, as `glove.zip` if that holds one file, else as `glove.zip/glove.100d.txt`."""
    freeze: bool = False
    """Do not train the vectors, including those of words missing from the file."""


class OneHot(Block):
    """A one-hot vector over the vocabulary."""

    kind: Literal["one_hot"] = "one_hot"


class Raw(Block):
    """Numbers, unchanged."""

    kind: Literal["raw"] = "raw"


Representation = Annotated[Embedding | OneHot | Raw, Field(discriminator="kind")]


class CellBlock(Block):
    """A recurrent cell."""

    kind: str

    @property
    def name(self) -> str:
        """The cell's name in tables and figures."""
        return self.kind.upper()


class RNN(CellBlock):
    """The vanilla recurrent network (Elman 1990)."""

    kind: Literal["rnn"] = "rnn"
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh"


class LSTM(CellBlock):
    """Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate Gers et al. 2000)."""

    kind: Literal["lstm"] = "lstm"
    forget_bias: float = 1.0
    """Initial bias of the forget gate (Jozefowicz et al. 2015); with bias b a unit keeps its state
    for about 1 + exp(b) steps."""


class GRU(CellBlock):
    """The gated recurrent unit in its reset-after form (Cho et al. 2014)."""

    kind: Literal["gru"] = "gru"
    update_bias: float = 0.0
    """Initial bias of the update gate; with bias b a unit keeps its state for about 1 + exp(b)
    steps (Tallec and Ollivier 2018)."""


class Custom(CellBlock):
    """A user-defined cell: a subclass of rnnkit.nn.cells.interface.Cell, constructed with
    (inputs, hidden), and with this block where its `__init__` takes a third argument. `rnnkit check
    --deep` tests it."""

    kind: Literal["custom"] = "custom"
    module: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    """`module:Class`; the module is in the working folder or installed."""
    options: FrozenMapping[str, bool | int | float | str] = FrozenDict()
    """Options of the class, whose `__init__` takes this block."""

    @property
    def name(self) -> str:
        return self.module.partition(":")[2]


Cell = Annotated[RNN | LSTM | GRU | Custom, Field(discriminator="kind")]


class Initialization(Block):
    """Initial weights."""

    input: Literal["xavier", "orthogonal", "normal"] = "xavier"
    """W_xh, per gate."""
    recurrent: Literal["xavier", "orthogonal", "identity", "normal"] = "orthogonal"
    """W_hh, per gate."""
    scale: float = Field(default=1.0, gt=0, le=100)
    """Multiplies W_hh: identity gives scale·I (Le et al. 2015)."""
    embedding: float | None = Field(default=None, gt=0, le=100)
    """Standard deviation of the vectors of tokens, of inputs and of targets; null: 0.1 for words in
    classification and tagging, so that rare words learn from few examples, and 1 elsewhere."""
    head: Literal["xavier", "fan_in", "normal"] = "xavier"
    """Weights of the outputs: Xavier's uniform distribution, which narrows as the number of outputs
    grows; uniform in ±1/sqrt(inputs), as torch's; or normal with variance 1/inputs."""


class Model(Block):
    """A representation, a recurrent stack and a head."""

    representation: Representation = Embedding()
    cell: Cell = GRU()
    hidden: int = Field(default=128, ge=1, le=16_384)
    """Units per layer and direction."""
    depth: int = Field(default=1, ge=1, le=64)
    """Layers."""
    bidirectional: bool = False
    channels: Literal["together", "independent"] = "together"
    """Forecasting: how the target columns are read. together: one sequence of all columns, with one
    forecast of them all; independent: each target is a sequence of its own, with the covariates
    beside it, and one network with the same weights forecasts every one of them (Nie et al. 2023).
    A window then counts as one item of a batch, whatever the number of its targets."""
    channel_embedding: int = Field(default=0, ge=0, le=8192)
    """Independent channels: size of a learned vector per target, which the network reads at every
    step beside the numbers, so that it can tell the targets apart; 0: none."""
    readout: Literal["last", "mean", "max"] = "last"
    """Many-to-one and encoder-decoder: how the states of all real steps become one vector."""
    attention: Literal["none", "additive", "dot"] = "none"
    """Encoder-decoder: attention score of the decoder over the encoder's outputs. additive:
    v·tanh(W_q q + W_m m) (Bahdanau et al. 2015); dot: q·W m (Luong et al. 2015); none: the
    decoder reads only the read-out."""
    input_feeding: bool = True
    """With attention: feed the decoder's output of a step to the next step (Luong et al. 2015);
    false is several times faster, because all steps run at once."""
    target_embedding: int = Field(default=64, ge=1, le=8192)
    """Encoder-decoder and one-to-many: size of the learned vector per target token."""
    initial_state: Literal["zeros", "learned"] = "zeros"
    initialization: Initialization = Initialization()
    tied: bool = False
    """Language modelling: the head's weights are the embedding's (Press and Wolf 2017)."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Probability, on non-recurrent connections only (Zaremba et al. 2014)."""
    head_dropout: float | None = Field(default=None, ge=0, lt=1)
    """Probability, on the units that the head reads; null: as `dropout`."""
    recurrent_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Probability, on the state in the recurrent product: one mask per sequence for all time steps
    (Gal and Ghahramani 2016). torch's layers lack it: see `train.kernel`."""
    embedding_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Probability, on whole tokens of an embedding: a token is dropped everywhere in a batch (Gal
    and Ghahramani 2016)."""

    @property
    def dropout_before_head(self) -> float:
        """Probability, on the units that the head reads."""
        return self.dropout if self.head_dropout is None else self.head_dropout
