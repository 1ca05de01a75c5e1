"""Rules between the blocks of an experiment."""

from collections.abc import Iterator

from rnnkit.params.data import BPE, Files, Given, Time
from rnnkit.params.model import RNN, Custom, Embedding, Raw
from rnnkit.params.searching import search_rules
from rnnkit.params.source import NUMBERS, Frames, PianoRolls, Vectors
from rnnkit.params.source_rules import source_rules
from rnnkit.params.task import (
    Forecasting,
    LanguageModeling,
    Memory,
    Tagging,
    TextGeneration,
    Vector,
)
from rnnkit.params.train import Plateau
from rnnkit.params.unchecked import UncheckedExperiment
from rnnkit.params.variants import OF_TOKENS, has_reference_text, variant_rules

NO_COLUMNS = ("builtin", "text", "conll", "conllu", "ts", "piano_rolls", "pronunciations")
"""Sources without a column for the split."""


def rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Violated rules between the blocks, each as `params path: reason`."""
    yield from general_rules(experiment)
    yield from spelling_rules(experiment)
    yield from decoder_rules(experiment)
    yield from source_rules(experiment)
    yield from initialization_rules(experiment)
    yield from schedule_rules(experiment)
    yield from kernel_rules(experiment)
    yield from language_rules(experiment)
    yield from forecasting_rules(experiment)
    yield from search_rules(experiment)
    yield from variant_rules(experiment)


def general_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for the task's data, the representation and the split."""
    task, model, data = experiment.task, experiment.model, experiment.data
    source, split, form = data.source, data.split, data.source.form
    numbers = form in NUMBERS or (isinstance(task, Memory) and task.numbers)
    raw = isinstance(model.representation, Raw)
    one_sequence = isinstance(source, Frames) and source.sequence is None
    monitors = [f"valid/{name}" for name in task.metrics]
    for path, why in task.unused.items():
        if experiment.is_changed(path):
            yield f"{path}: {task.kind} has no use for it, {why}; leave it out"
    if form not in task.forms:
        yield (
            f"data.source: {task.kind} needs {' or '.join(task.forms)} data and this source gives "
            f"{form}; choose another source or another task"
        )
    if numbers and not task.decodes_text and experiment.is_changed("data.tokenizer"):
        yield "data.tokenizer: this source gives numbers and has no tokens; leave it out"
    if isinstance(task, Tagging) and isinstance(data.tokenizer, BPE):
        yield (
            "data.tokenizer: a tag belongs to a whole token, which bpe would cut; choose "
            "characters or words"
        )
    if isinstance(task, Tagging) and getattr(data.tokenizer, "split", "spaces") != "spaces":
        yield "data.tokenizer.split: this source gives tokens, nothing is split; leave it out"
    if numbers and not raw:
        yield (
            "model.representation: this source gives numbers; write model.representation: "
            "{kind: raw}"
        )
    if not numbers and raw:
        yield "model.representation: this source gives tokens; choose embedding or one_hot"
    if model.initialization.recurrent == "identity" and not isinstance(model.cell, RNN):
        yield (
            "model.initialization.recurrent: identity is for the vanilla rnn (Le et al. 2015); "
            "gates have no identity"
        )
    forecasting = isinstance(task, Forecasting)
    if data.scaling == "log" and not forecasting:
        yield "data.scaling: log is for the targets of forecasting; choose standard or minmax"
    if forecasting != isinstance(split, Time) and not one_sequence:
        yield "data.split: a series is split by time, and nothing else is; " + (
            "write split: {kind: time}" if forecasting else "choose fractions, files or column"
        )
    if isinstance(split, Files) and source.kind == "builtin":
        yield "data.split: built-in data is one piece; choose fractions"
    if split.kind == "column" and source.kind in NO_COLUMNS:
        files = "" if source.kind == "builtin" else " or files"
        yield f"data.split: this source has no columns; choose fractions{files}"
    if experiment.train.monitor not in (None, *monitors):
        yield (
            f"train.monitor: must be one of {', '.join(monitors)}, got {experiment.train.monitor!r}"
        )
    if isinstance(split, Given) and not isinstance(source, PianoRolls):
        yield "data.split: this source has no predefined splits; choose fractions, files or column"
    if isinstance(source, PianoRolls) and source.highest < source.lowest:
        yield "data.source.highest: must not lie below data.source.lowest"
    if isinstance(task, Vector) and task.loss == "squared":
        if form == "frames":
            yield "task.loss: frames have a label each and no numbers; write cross_entropy"
        if task.class_weights:
            yield "task.class_weights: numbers have no classes; leave it out"
    elif isinstance(task, Vector) and isinstance(source, Vectors) and len(source.targets) != 1:
        yield (
            "data.source.targets: a vector has one label; name one column, or write task.loss: "
            "squared"
        )
    if model.embedding_dropout > 0 and not isinstance(model.representation, Embedding):
        yield "model.embedding_dropout: there is no embedding to drop tokens of; leave it out"
    if isinstance(model.representation, Embedding) and (
        model.representation.freeze and model.representation.vectors is None
    ):
        yield (
            "model.representation.freeze: random vectors must be trained; name "
            "model.representation.vectors"
        )


def spelling_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for words with their characters."""
    data = experiment.data
    spelling = getattr(data.tokenizer, "spelling", None)
    characters = getattr(experiment.model.representation, "characters", None)
    if spelling is not None and not isinstance(experiment.task, Tagging):
        yield "data.tokenizer.spelling: characters beside words are for tagging; leave it out"
    if getattr(data.target_tokenizer, "spelling", None) is not None:
        yield (
            "data.target_tokenizer.spelling: characters beside words are for tagging; leave it out"
        )
    if spelling is not None and characters is None:
        yield (
            "data.tokenizer.spelling: no network reads the characters; write model.representation: "
            "{kind: embedding, characters: {}}, or leave it out"
        )
    if characters is not None and spelling is None:
        yield (
            "model.representation.characters: words come without their characters; set "
            "data.tokenizer.spelling to the most characters a word is to have, or leave it out"
        )


def initialization_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for initial weights that the network does not have."""
    representation = experiment.model.representation
    decodes = isinstance(experiment.task, TextGeneration)
    if experiment.is_changed("model.initialization.embedding") and not decodes:
        if not isinstance(representation, Embedding):
            yield "model.initialization.embedding: the network has no embedding; leave it out"
        elif representation.vectors is not None:
            yield (
                "model.initialization.embedding: words without a vector start with the standard "
                "deviation of model.representation.vectors; leave it out"
            )
    if experiment.model.tied and experiment.is_changed("model.initialization.head"):
        yield (
            "model.initialization.head: a tied head has the weights of the embedding; leave it out"
        )


def decoder_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for tasks that decode a sequence."""
    task, data, model = experiment.task, experiment.data, experiment.model
    if not isinstance(task, TextGeneration):
        return
    if model.attention == "none" and not model.input_feeding:
        yield (
            "model.input_feeding: without attention there is nothing that could be fed; leave it "
            "out"
        )
    if data.joint and data.target_tokenizer is not None:
        yield (
            "data.target_tokenizer: with data.joint there is one tokenizer for both; leave one of "
            "them out"
        )
    if task.beam == 1 and experiment.is_changed("task.length_penalty"):
        yield (
            "task.length_penalty: greedy decoding has one hypothesis; set task.beam, or leave it "
            "out"
        )
    if isinstance(data.source, Vectors) and len(data.source.targets) != 1:
        yield "data.source.targets: a vector has one text; name one column"
    monitor_of_texts = experiment.train.monitor and experiment.monitored not in OF_TOKENS
    if monitor_of_texts and not has_reference_text(experiment):
        yield (
            "train.monitor: a category has no single reference text; write valid/loss, or leave it "
            "out"
        )


def kernel_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for a kernel that lacks the cell."""
    kernel, cell = experiment.train.kernel, experiment.model.cell
    if isinstance(cell, Custom) and kernel in ("numba", "torch"):
        yield f"train.kernel: {kernel} has no step of your own cell; leave it out"
    if isinstance(cell, RNN) and cell.activation == "sigmoid" and kernel == "torch":
        yield "train.kernel: torch has no sigmoid network; write numba, or leave it out"


def schedule_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for schedules that depend on the validation split or the last epoch."""
    schedule, stop = experiment.train.schedule, experiment.train.early_stopping
    retrained = experiment.tune is not None and experiment.tune.retrain
    if isinstance(schedule, Plateau) and stop and schedule.patience >= stop.patience:
        yield (
            f"train.schedule.patience: early stopping comes first: its patience is {stop.patience} "
            f"and the plateau's {schedule.patience}; let the plateau's be the smaller one"
        )
    if isinstance(schedule, Plateau) and retrained:
        yield (
            "train.schedule: plateau watches the validation split, and tune.retrain trains on it; "
            "choose another schedule or tune.retrain: false"
        )
    if (
        isinstance(experiment.task, TextGeneration)
        and experiment.task.scheduled_sampling
        and retrained
    ):
        yield (
            "task.scheduled_sampling: it rises until the last epoch, and tune.retrain ends at the "
            "best one; leave it out or write tune.retrain: false"
        )


def language_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for truncated BPTT, carried state and tied weights."""
    task, data, model = experiment.task, experiment.data, experiment.model
    bptt, embedding = experiment.train.bptt, model.representation
    if bptt is not None and model.bidirectional:
        yield (
            "train.bptt: a backward direction begins at the end, which a window has not seen; "
            "leave it out or set model.bidirectional: false"
        )
    if task.carries_state:
        if bptt is None:
            yield (
                "task.state: a state is carried from window to window; set train.bptt, their "
                "length in steps"
            )
        if data.max_length is not None:
            yield "data.max_length: the text is read in windows of train.bptt steps; leave it out"
        if data.padding != "post":
            yield "data.padding: streams are read to their ends and need no padding; leave it out"
    if not model.tied:
        return
    if not (isinstance(task, LanguageModeling) and isinstance(embedding, Embedding)):
        yield (
            "model.tied: the head can share the weights of an embedding alone, and its outputs "
            "must be the tokens; leave it out"
        )
    elif embedding.size != model.hidden:
        yield (
            f"model.tied: the embedding's size and model.hidden must be equal, got "
            f"{embedding.size} and {model.hidden}"
        )


def forecasting_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Rules for the season, covariates, targets and quantiles of a forecast."""
    task, window = experiment.task, experiment.data.window
    covariates = experiment.data.covariates
    if not isinstance(task, Forecasting):
        return
    if task.relative_to == "season":
        if task.season == 1:
            yield (
                "task.relative_to: a season of 1 row is the last value; set task.season, or write "
                "last"
            )
        if window < task.season:
            yield (
                "data.window: the season before must lie in the window, and it has "
                f"{task.season} rows, the window {window}; lengthen it"
            )
    if experiment.model.channel_embedding and experiment.model.channels == "together":
        yield (
            "model.channel_embedding: a network that reads all targets together has one sequence "
            "for them; write model.channels: independent, or leave it out"
        )
    if window % experiment.data.segment:
        yield (
            f"data.segment: the window must be whole segments, and it has {window} rows, a segment "
            f"{experiment.data.segment}; choose a divisor of data.window"
        )
    past, future = set(covariates.past or ()), set(covariates.future)
    duplicates = sorted((past & future) | ((past | future) & set(task.targets or ())))
    if duplicates:
        yield (
            "data.covariates: a column is a target, known ahead or known in the past alone, and "
            f"{', '.join(duplicates)} would be two of these; name it once"
        )
    if (covariates.future or covariates.calendar) and experiment.model.readout != "last":
        yield (
            "model.readout: with covariates known ahead every step of the horizon is read out; "
            "leave it out"
        )
    if task.loss != "quantile" and experiment.is_changed("task.quantiles"):
        yield (
            "task.quantiles: only the quantile loss forecasts them; write task.loss: quantile or "
            "leave it out"
        )
    if task.loss == "quantile" and task.interval is not None:
        yield (
            "task.interval: with the quantile loss the interval lies between the outermost of "
            "task.quantiles; leave it out"
        )
    if task.lower is not None and task.upper is not None and task.lower >= task.upper:
        yield f"task.lower: must lie below task.upper, {task.upper:g}, got {task.lower:g}"
