"""The network: how inputs are represented, which cell, how it is stacked, read out and started."""

from typing import Annotated, Literal

from pydantic import Field

from rnnkit.params.block import Block, FrozenDict, FrozenMapping


class CharacterNetwork(Block):
    """A bidirectional recurrent network over each word's letters, with the model's own cell; its
    final state stands beside the word's vector (Lample et al. 2016)."""

    size: int = Field(default=25, ge=1, le=8192)
    """Of the learned vector per letter."""
    hidden: int = Field(default=50, ge=1, le=8192)
    """Units per direction."""


class Embedding(Block):
    """A learned vector per token."""

    kind: Literal["embedding"] = "embedding"
    size: int = Field(default=64, ge=1, le=8192)
    characters: CharacterNetwork | None = None
    """How a word is spelled, too; null: no. Needs data.tokenizer.spelling."""
    vectors: str | None = None
    """A file of word vectors to start from: GloVe's, or word2vec's text or binary form; plain, .gz
    or .zip. Their width must be `size`."""
    freeze: bool = False
    """Leave the vectors as they are, those of words that the file lacks too."""


class OneHot(Block):
    """A vector as long as the vocabulary with a single 1."""

    kind: Literal["one_hot"] = "one_hot"


class Raw(Block):
    """The numbers as they are."""

    kind: Literal["raw"] = "raw"


Representation = Annotated[Embedding | OneHot | Raw, Field(discriminator="kind")]


class RNN(Block):
    """The vanilla recurrent network (Elman 1990)."""

    kind: Literal["rnn"] = "rnn"
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh"


class LSTM(Block):
    """Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate Gers et al. 2000)."""

    kind: Literal["lstm"] = "lstm"
    forget_bias: float = 1.0
    """Where the forget gate's bias starts (Jozefowicz et al. 2015); a unit that begins at b keeps
    its state for about 1 + exp(b) steps."""


class GRU(Block):
    """The gated recurrent unit in its reset-after form (Cho et al. 2014)."""

    kind: Literal["gru"] = "gru"
    update_bias: float = 0.0
    """Where the update gate's bias starts; a unit that begins at b keeps its state for about
    1 + exp(b) steps (Tallec and Ollivier 2018)."""


class Custom(Block):
    """A cell of your own: a class made of rnnkit.nn.cells.interface.Cell, built with
    (inputs, hidden, this block). `rnnkit check --deep` says whether it keeps the rules."""

    kind: Literal["custom"] = "custom"
    module: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    """`module:Class`; the module lies in the working folder or is installed."""
    options: FrozenMapping[str, bool | int | float | str] = FrozenDict()
    """What the class wants to know, as it likes."""


Cell = Annotated[RNN | LSTM | GRU | Custom, Field(discriminator="kind")]


class Initialization(Block):
    """Where the weights start."""

    input: Literal["xavier", "orthogonal", "normal"] = "xavier"
    """W_xh, per gate."""
    recurrent: Literal["xavier", "orthogonal", "identity", "normal"] = "orthogonal"
    """W_hh, per gate."""
    scale: float = Field(default=1.0, gt=0, le=100)
    """Multiplies W_hh: identity gives scale·I (Le et al. 2015)."""


class Model(Block):
    """A recurrent stack between a representation and a head."""

    representation: Representation = Embedding()
    cell: Cell = GRU()
    hidden: int = Field(default=128, ge=1, le=16_384)
    """Units per layer and direction."""
    depth: int = Field(default=1, ge=1, le=64)
    """Layers."""
    bidirectional: bool = False
    readout: Literal["last", "mean", "max"] = "last"
    """Many-to-one and encoder-decoder: how a sequence of states becomes one vector, over real steps
    only."""
    attention: Literal["none", "additive", "dot"] = "none"
    """Encoder-decoder: whether the decoder looks at all of the encoder's outputs, and by which
    score: v·tanh(W_q q + W_m m) (Bahdanau et al. 2015) or q·W m (Luong et al. 2015); none: the
    read-out is all it is given."""
    input_feeding: bool = True
    """With attention: what the decoder gave at a step is read at the next (Luong et al. 2015);
    false is several times faster, for all steps are then run at once."""
    target_embedding: int = Field(default=64, ge=1, le=8192)
    """Encoder-decoder and one-to-many: of the learned vector per token that is written."""
    initial_state: Literal["zeros", "learned"] = "zeros"
    initialization: Initialization = Initialization()
    tied: bool = False
    """Language modelling: the head's weights are the embedding's (Press and Wolf 2017)."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """On non-recurrent connections only (Zaremba et al. 2014)."""
    recurrent_dropout: float = Field(default=0.0, ge=0, lt=1)
    """On the state that goes into the recurrent product: one mask per sequence, for all time steps
    (Gal and Ghahramani 2016). Runs the cell step by step, which is slower than torch's kernels."""
    embedding_dropout: float = Field(default=0.0, ge=0, lt=1)
    """On whole tokens of an embedding: a token is dropped wherever it stands in a batch (Gal and
    Ghahramani 2016)."""
