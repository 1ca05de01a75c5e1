"""Rules between the blocks of an experiment, in one table."""

from rnnkit.params.block import default_of
from rnnkit.params.data import BPE, Data, Files, Given, Time
from rnnkit.params.model import RNN, Embedding, Raw
from rnnkit.params.rule import Blocks, Rule
from rnnkit.params.schedule import Plateau
from rnnkit.params.source import NUMBERS, Frames, PianoRolls, Vectors
from rnnkit.params.source_rules import source_rules
from rnnkit.params.task import (
    NO_WRITING,
    Forecasting,
    LanguageModeling,
    Memory,
    Tagging,
    Transcription,
    Vector,
    Writing,
)
from rnnkit.params.tokens import OF_TOKENS, has_right_text

NO_COLUMNS = (
    "builtin",
    "text",
    "conll",
    "conllu",
    "ts",
    "piano_rolls",
    "pronunciations",
)
"""Sources without a column for the split."""


def rules(blocks: Blocks) -> list[Rule]:
    """All rules between the blocks: (path, whether it is violated, message)."""
    task, data, model, split = blocks.task, blocks.data, blocks.model, blocks.data.split
    form = data.source.form
    numbers = form in NUMBERS or (isinstance(task, Memory) and task.numbers)
    forecasting = isinstance(task, Forecasting)
    writes = isinstance(task, Writing | Transcription)
    untokenized = numbers and not writes and data.tokenizer != default_of(Data, "tokenizer")
    vanilla = isinstance(model.cell, RNN)
    by_time = isinstance(split, Time)
    one_sequence = isinstance(data.source, Frames) and data.source.sequence is None
    monitors = [f"valid/{name}" for name in task.metrics]
    unused_by = f"{task.kind} has no use for it"
    unused = [
        (path, blocks.value(path) != blocks.default(path), f"{unused_by}, {why}; leave it out")
        for path, why in {
            **({} if isinstance(task, Writing) else NO_WRITING),
            **task.unused,
        }.items()
    ]
    return [
        *unused,
        (
            "data.source",
            form not in task.forms,
            f"{task.kind} needs {' or '.join(task.forms)} data and this source gives {form}; "
            "choose another source or another task",
        ),
        (
            "data.tokenizer",
            untokenized,
            "this source gives numbers and has no tokens; leave it out",
        ),
        (
            "data.tokenizer",
            isinstance(task, Tagging) and isinstance(data.tokenizer, BPE),
            "a tag belongs to a whole token, which bpe would cut; choose characters or words",
        ),
        (
            "data.tokenizer.split",
            isinstance(task, Tagging) and getattr(data.tokenizer, "split", "spaces") != "spaces",
            "this source gives tokens, nothing is split; leave it out",
        ),
        (
            "model.representation",
            numbers and not isinstance(model.representation, Raw),
            "this source gives numbers; write model.representation: {kind: raw}",
        ),
        (
            "model.representation",
            not numbers and isinstance(model.representation, Raw),
            "this source gives tokens; choose embedding or one_hot",
        ),
        (
            "model.initialization.recurrent",
            model.initialization.recurrent == "identity" and not vanilla,
            "identity is for the vanilla rnn (Le et al. 2015); gates have no identity",
        ),
        (
            "data.split",
            forecasting != by_time and not one_sequence,
            "a series is split by time, and nothing else is; "
            + ("write split: {kind: time}" if forecasting else "choose fractions, files or column"),
        ),
        (
            "data.split",
            isinstance(split, Files) and data.source.kind == "builtin",
            "built-in data is one piece; choose fractions",
        ),
        (
            "data.split",
            split.kind == "column" and data.source.kind in NO_COLUMNS,
            "this source has no columns; choose fractions"
            + ("" if data.source.kind == "builtin" else " or files"),
        ),
        (
            "train.monitor",
            blocks.train.monitor not in monitors,
            f"must be one of {', '.join(monitors)}, got {blocks.train.monitor!r}",
        ),
        (
            "data.split",
            isinstance(split, Given) and not isinstance(data.source, PianoRolls),
            "this source does not come in parts; choose fractions, files or column",
        ),
        (
            "data.source.highest",
            isinstance(data.source, PianoRolls) and data.source.highest < data.source.lowest,
            "must not lie below data.source.lowest",
        ),
        (
            "task.loss",
            isinstance(task, Vector) and task.loss == "squared" and form == "frames",
            "frames have a label each and no numbers; write cross_entropy",
        ),
        (
            "task.class_weights",
            isinstance(task, Vector) and task.loss == "squared" and bool(task.class_weights),
            "numbers have no classes; leave it out",
        ),
        (
            "data.source.targets",
            isinstance(task, Vector)
            and isinstance(data.source, Vectors)
            and task.loss == "cross_entropy"
            and len(data.source.targets) != 1,
            "a vector has one label; name one column, or write task.loss: squared",
        ),
        (
            "model.embedding_dropout",
            model.embedding_dropout > 0 and not isinstance(model.representation, Embedding),
            "there is no embedding to drop tokens of; leave it out",
        ),
        (
            "model.representation.freeze",
            getattr(model.representation, "freeze", False)
            and getattr(model.representation, "vectors", None) is None,
            "vectors that are drawn must be learned; name model.representation.vectors",
        ),
        *spelling_rules(blocks),
        *writing_rules(blocks),
        *source_rules(blocks),
        *schedule_rules(blocks),
        *language_rules(blocks),
        *season_rules(blocks),
        *column_rules(blocks),
    ]


def spelling_rules(blocks: Blocks) -> list[Rule]:
    """Rules for words with their characters."""
    spelling = getattr(blocks.data.tokenizer, "spelling", None)
    characters = getattr(blocks.model.representation, "characters", None)
    return [
        (
            "data.tokenizer.spelling",
            spelling is not None and not isinstance(blocks.task, Tagging),
            "letters beside words are for tagging; leave it out",
        ),
        (
            "data.target_tokenizer.spelling",
            getattr(blocks.data.target_tokenizer, "spelling", None) is not None,
            "letters beside words are for tagging; leave it out",
        ),
        (
            "data.tokenizer.spelling",
            spelling is not None and characters is None,
            "no network reads the letters; write model.representation: "
            "{kind: embedding, characters: {}}, or leave it out",
        ),
        (
            "model.representation.characters",
            characters is not None and spelling is None,
            "words come without their letters; set data.tokenizer.spelling to the most letters "
            "a word is to have, or leave it out",
        ),
    ]


def writing_rules(blocks: Blocks) -> list[Rule]:
    """Rules for tasks that decode a sequence."""
    task, data, model = blocks.task, blocks.data, blocks.model
    monitored = blocks.train.monitor.removeprefix("valid/")
    if not isinstance(task, Writing):
        return []
    return [
        (
            "model.input_feeding",
            model.attention == "none" and not model.input_feeding,
            "without attention there is nothing that could be fed; leave it out",
        ),
        (
            "data.target_tokenizer",
            data.joint and data.target_tokenizer is not None,
            "with data.joint there is one tokenizer for both; leave one of them out",
        ),
        (
            "task.length_penalty",
            task.beam == 1 and task.length_penalty != blocks.default("task.length_penalty"),
            "greedy decoding has one hypothesis; set task.beam, or leave it out",
        ),
        (
            "data.source.targets",
            isinstance(data.source, Vectors) and len(data.source.targets) != 1,
            "a vector has one text; name one column",
        ),
        (
            "train.monitor",
            monitored not in OF_TOKENS and not has_right_text(blocks),
            "of a category no text is the right one; write valid/loss, or leave it out",
        ),
    ]


def column_rules(blocks: Blocks) -> list[Rule]:
    """Rules for covariates, targets and quantiles of a forecast."""
    task, covariates = blocks.task, blocks.data.covariates
    if not isinstance(task, Forecasting):
        return []
    past, future = set(covariates.past or ()), set(covariates.future)
    duplicates = sorted((past & future) | ((past | future) & set(task.targets or ())))
    return [
        (
            "data.covariates",
            bool(duplicates),
            "a column is a target, known ahead or known in the past alone, and "
            f"{', '.join(duplicates)} would be two of these; name it once",
        ),
        (
            "model.readout",
            covariates.known_ahead and blocks.model.readout != "last",
            "with covariates known ahead every step of the horizon is read out; leave it out",
        ),
        (
            "task.quantiles",
            task.loss != "quantile" and task.quantiles != blocks.default("task.quantiles"),
            "only the quantile loss forecasts them; write task.loss: quantile or leave it out",
        ),
    ]


def season_rules(blocks: Blocks) -> list[Rule]:
    """Rules for forecasts relative to the previous season."""
    task = blocks.task
    if not isinstance(task, Forecasting) or task.relative_to != "season":
        return []
    return [
        (
            "task.relative_to",
            task.season == 1,
            "a season of 1 row is the last value; set task.season, or write last",
        ),
        (
            "data.window",
            blocks.data.window < task.season,
            f"the season before must lie in the window, and it has {task.season} rows, the "
            f"window {blocks.data.window}; lengthen it",
        ),
    ]


def language_rules(blocks: Blocks) -> list[Rule]:
    """Rules for truncated BPTT, carried state and tied weights."""
    task, model, bptt = blocks.task, blocks.model, blocks.train.bptt
    language = isinstance(task, LanguageModeling)
    carried = isinstance(task, LanguageModeling) and task.state == "carried"
    embedding = model.representation
    size = embedding.size if isinstance(embedding, Embedding) else None
    return [
        (
            "train.bptt",
            bptt is not None and model.bidirectional,
            "a backward direction begins at the end, which a window has not seen; leave it out "
            "or set model.bidirectional: false",
        ),
        (
            "task.state",
            carried and bptt is None,
            "a state is carried from window to window; set train.bptt, their length in steps",
        ),
        (
            "data.max_length",
            carried and blocks.data.max_length is not None,
            "the text is read in windows of train.bptt steps; leave it out",
        ),
        (
            "data.padding",
            carried and blocks.data.padding != "post",
            "streams are read to their ends and need no padding; leave it out",
        ),
        (
            "model.tied",
            model.tied and not (language and size is not None),
            "the head can share the weights of an embedding alone, and its outputs must be the "
            "tokens; leave it out",
        ),
        (
            "model.tied",
            model.tied and language and size is not None and size != model.hidden,
            f"the embedding's size and model.hidden must be equal, got {size} and {model.hidden}",
        ),
    ]


def schedule_rules(blocks: Blocks) -> list[Rule]:
    """Rules for schedules that depend on the validation split or the last epoch."""
    train, schedule = blocks.train, blocks.train.schedule
    patience = getattr(schedule, "patience", 1)
    stop = train.early_stopping.patience if train.early_stopping else None
    retrained = blocks.tune is not None and blocks.tune.retrain
    return [
        (
            "train.schedule.patience",
            isinstance(schedule, Plateau) and stop is not None and patience >= stop,
            f"early stopping comes first: its patience is {stop} and the plateau's {patience}; "
            "let the plateau's be the smaller one",
        ),
        (
            "train.schedule",
            isinstance(schedule, Plateau) and retrained,
            "plateau watches the validation part, and tune.retrain trains on it; choose "
            "another schedule or tune.retrain: false",
        ),
        (
            "task.scheduled_sampling",
            getattr(blocks.task, "scheduled_sampling", 0) > 0 and retrained,
            "it rises until the last epoch, and tune.retrain ends at the best one; leave it out or "
            "write tune.retrain: false",
        ),
    ]
