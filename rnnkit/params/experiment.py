"""One complete experiment, and the rules that hold between its blocks."""

import copy
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from rnnkit.params.block import Block, FrozenDict
from rnnkit.params.data import BPE, Data, Files, Frames, Given, PianoRolls, Time, Vectors
from rnnkit.params.model import RNN, Embedding, Model, Raw
from rnnkit.params.schedule import Plateau
from rnnkit.params.task import (
    Direction,
    Forecasting,
    LanguageModeling,
    Memory,
    Tagging,
    Task,
    Vector,
)
from rnnkit.params.train import Train
from rnnkit.params.tune import Choices, Range, Tune

NO_COLUMNS = ("builtin", "text", "conll", "conllu", "ts", "piano_rolls")
"""Sources whose items have no further columns, none that could say train, valid or test."""


class Experiment(Block):
    """One params file: prepare, tune if asked to, train, evaluate."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    """The MLflow experiment it is filed under: letters, digits, `.`, `_` and `-`."""
    task: Task
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    data: Data
    model: Model = Model()
    train: Train = Train()
    tune: Tune | None = None

    @model_validator(mode="after")
    def _blocks_fit(self) -> "Experiment":
        for path, refused, reason in self._rules():
            if refused:
                raise ValueError(f"{path}: {reason}")
        if self.tune is not None:
            self._search_fits(self.tune)
        return self

    def replace(self, overrides: Mapping[str, Any]) -> "Experiment":
        """Another experiment, with some values replaced and the whole validated again.

        A new `kind` takes its block's other keys away: another kind has other keys.

        Args:
            overrides: params path (`train.clip`) -> value.

        Raises:
            ValueError: a value is not allowed (pydantic's ValidationError).
            KeyError: there is no such path.
        """
        tree = self.model_dump()
        emptied = []
        for path in sorted(overrides, key=lambda path: not path.endswith(".kind")):  # kinds first
            *above, last = path.split(".")
            block: Any = tree
            for key in above:
                block = block.get(key) if isinstance(block, dict) else None
            if not isinstance(block, dict) or not (last in block or block in emptied):
                raise KeyError(path)
            if last == "kind" and block["kind"] != overrides[path]:
                block.clear()
                emptied.append(block)
            block[last] = copy.deepcopy(overrides[path])
        return Experiment.model_validate(tree)

    def _rules(self) -> list[tuple[str, bool, str]]:
        """(path, whether it is refused, why) for everything one block forbids another."""
        task, data, model, split = self.task, self.data, self.model, self.data.split
        form = data.source.form
        numbers = form in ("series", "frames", "tagged_frames", "piano_rolls", "vectors")
        numbers = numbers or (isinstance(task, Memory) and task.numbers)
        forecasting = isinstance(task, Forecasting)
        untokenized = numbers and data.tokenizer != _default(Data, "tokenizer")
        stepped = isinstance(model.cell, RNN)
        by_time = isinstance(split, Time)
        stretches = isinstance(data.source, Frames) and data.source.sequence is None
        scores = [f"valid/{name}" for name in task.metrics]
        unused_by = f"{task.kind} has no use for it"
        unused = [
            (path, self.value(path) != self._default(path), f"{unused_by}, {why}; leave it out")
            for path, why in task.unused.items()
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
                isinstance(task, Tagging)
                and getattr(data.tokenizer, "split", "spaces") != "spaces",
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
                model.initialization.recurrent == "identity" and not stepped,
                "identity is for the vanilla rnn (Le et al. 2015); gates have no identity",
            ),
            (
                "data.split",
                forecasting != by_time and not stretches,
                "a series is split by time, and nothing else is; "
                + (
                    "write split: {kind: time}"
                    if forecasting
                    else "choose fractions, files or column"
                ),
            ),
            *self._frames_rules(),
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
                self.train.monitor not in scores,
                f"must be one of {', '.join(scores)}, got {self.train.monitor!r}",
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
            *self._spelling_rules(),
            *self._schedule_rules(),
            *self._language_rules(),
            *self._season_rules(),
            *self._column_rules(),
        ]

    def _spelling_rules(self) -> list[tuple[str, bool, str]]:
        """As `_rules`, for words that come with their letters."""
        spelling = getattr(self.data.tokenizer, "spelling", None)
        characters = getattr(self.model.representation, "characters", None)
        return [
            (
                "data.tokenizer.spelling",
                spelling is not None and not isinstance(self.task, Tagging),
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

    def _column_rules(self) -> list[tuple[str, bool, str]]:
        """As `_rules`, for the columns of a series and what is forecast of them."""
        task, covariates = self.task, self.data.covariates
        if not isinstance(task, Forecasting):
            return []
        past, future = set(covariates.past or ()), set(covariates.future)
        twice = sorted((past & future) | ((past | future) & set(task.targets or ())))
        return [
            (
                "data.covariates",
                bool(twice),
                "a column is a target, known ahead or known in the past alone, and "
                f"{', '.join(twice)} would be two of these; name it once",
            ),
            (
                "model.readout",
                covariates.known_ahead and self.model.readout != "last",
                "with covariates known ahead every step of the horizon is read out; leave it out",
            ),
            (
                "task.quantiles",
                task.loss != "quantile" and task.quantiles != self._default("task.quantiles"),
                "only the quantile loss forecasts them; write task.loss: quantile or leave it out",
            ),
        ]

    def _season_rules(self) -> list[tuple[str, bool, str]]:
        """As `_rules`, for forecasts relative to the season before."""
        task = self.task
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
                self.data.window < task.season,
                f"the season before must lie in the window, and it has {task.season} rows, the "
                f"window {self.data.window}; lengthen it",
            ),
        ]

    def _language_rules(self) -> list[tuple[str, bool, str]]:
        """As `_rules`, for a state that is carried and weights that are shared."""
        task, model, bptt = self.task, self.model, self.train.bptt
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
                carried and self.data.max_length is not None,
                "the text is read in windows of train.bptt steps; leave it out",
            ),
            (
                "data.padding",
                carried and self.data.padding != "post",
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
                "the embedding's size and model.hidden must be equal, got "
                f"{size} and {model.hidden}",
            ),
        ]

    def _schedule_rules(self) -> list[tuple[str, bool, str]]:
        """As `_rules`, for a schedule that watches the validation part."""
        train, schedule = self.train, self.train.schedule
        patience = getattr(schedule, "patience", 1)
        stop = train.early_stopping.patience if train.early_stopping else None
        retrained = self.tune is not None and self.tune.retrain
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
        ]

    def _frames_rules(self) -> list[tuple[str, bool, str]]:
        """The rules for frames read from a file: what one long sequence can be asked for."""
        source, split = self.data.source, self.data.split
        tokens = self.data.source.form in ("labelled_text", "tagged", "text")
        scaled = self.data.scaling != _default(Data, "scaling")
        frames = isinstance(source, Frames)
        single = isinstance(source, Frames) and source.sequence is None
        timed = isinstance(source, Frames) and source.time is not None
        moments = isinstance(split, Time) and any(
            isinstance(moment, str) for moment in (split.valid, split.test, split.until)
        )
        return [
            (
                "data.scaling",
                tokens and scaled,
                "this source gives tokens, and nothing is scaled; leave it out",
            ),
            (
                "data.source.sequence",
                single and source.form == "frames",
                "a label per sequence needs the column whose equal values are one sequence; name "
                "it, or write labels: per_frame",
            ),
            (
                "data.source.group",
                isinstance(source, Frames) and single and source.group is not None,
                "one long sequence has no groups; leave it out, or name data.source.sequence",
            ),
            (
                "data.split",
                single and not isinstance(split, Time | Files),
                "one long sequence is cut into stretches, and a hash would put neighbours on both "
                "sides; write split: {kind: time}, give files, or name data.source.sequence",
            ),
            (
                "data.split",
                frames and not timed and moments,
                "a moment needs the frames' time; name data.source.time, or give shares",
            ),
        ]

    def _search_fits(self, tune: Tune) -> None:
        alone = self.model_copy(update={"tune": None})  # not validated: it was, a moment ago
        for path, space in tune.search.items():
            if path.split(".")[0] not in ("model", "train"):
                raise ValueError(
                    f"tune.search.{path}: only keys of model and train can be searched"
                )
            if path == "train.monitor":
                raise ValueError(
                    f"tune.search.{path}: says what best means, for all trials alike; "
                    "set it in the train block"
                )
            values = space.choices if isinstance(space, Choices) else (space.low, space.high)
            fractional = not all(isinstance(value, int) for value in values)
            if isinstance(space, Range) and fractional and _is_whole(alone, path):
                raise ValueError(
                    f"tune.search.{path}: takes whole numbers, "
                    f"got low: {space.low}, high: {space.high}"
                )
            for value in values:
                try:
                    alone.replace({path: value})
                except KeyError:
                    raise ValueError(f"tune.search.{path}: there is no such key") from None
                except ValidationError as error:
                    reason = error.errors()[0]["msg"].removeprefix("Value error, ")
                    reason = reason.replace("Input should be ", "it must be ")
                    raise ValueError(f"tune.search.{path}: cannot be {value!r}; {reason}") from None

    @property
    def monitored(self) -> str:
        """The metric of the validation part that says which epoch and which trial is best."""
        return self.train.monitor.removeprefix("valid/")

    @property
    def direction(self) -> Direction:
        """Which way the monitored metric is better."""
        return self.task.metrics[self.monitored]

    def value(self, path: str) -> Any:
        """What stands at a params path such as `train.clip`."""
        here: Any = self
        for key in path.split("."):
            here = getattr(here, key)
        return here

    def _default(self, path: str) -> Any:
        above, _, last = path.rpartition(".")
        return _default(type(self.value(above)), last)


def _is_whole(experiment: Experiment, path: str) -> bool:
    try:
        value = experiment.value(path)
    except AttributeError:
        return False
    return isinstance(value, int) and not isinstance(value, bool)


def _default(block: type[Block], name: str) -> Any:
    return block.model_fields[name].get_default()


def flatten(experiment: Experiment) -> dict[str, Any]:
    """Every value by its params path, `train.optimizer.kind` and so on.

    A sweep's search space is one value, by its own path.
    """
    flat: dict[str, Any] = {}

    def visit(prefix: str, value: Any) -> None:
        if isinstance(value, FrozenDict | dict) and value:
            for key, inner in value.items():
                visit(f"{prefix}.{key}" if prefix else str(key), inner)
        else:
            flat[prefix] = value

    visit("", experiment.model_dump(mode="json"))
    return flat
