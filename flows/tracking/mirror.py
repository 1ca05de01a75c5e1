"""A run folder in MLflow, exactly once, live or later.

A run in MLflow carries our id as the tag `rnnkit.run_id`, by which it is found before one is
created. What is sent follows from the folder alone, and only what MLflow lacks of it, so that
sending it again, or all at once when the run is long over, adds nothing.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from flows.processes.servers import pages_address
from flows.settings import Settings
from flows.tracking.descriptions import (
    NOTE,
    VERDICT,
    data_name,
    is_trial,
    name_of,
    note_of,
    tags_of,
    verdict_of,
)
from flows.tracking.locations import HOME, home_of, remove_unfinished_uploads
from flows.tracking.registry import ID, Registered, Registry
from flows.tracking.rows import Row, rows_of, summary_of
from flows.tracking.view_links import TRAINING, view_path
from flows.tracking.views import view_tags
from rnnkit.errors import InputError
from rnnkit.evaluation.comparison.table import TABLE
from rnnkit.params import Experiment
from rnnkit.params.applicable import applicable
from rnnkit.runs.run_folder import FINGERPRINT, GROWN, PARAMS, PREPARED, RESULT, RunFolder

STATE = "rnnkit.state"
ROWS = "rnnkit.rows"
"""The tag of a closed run with `summary_of` its rows: the run is complete while its folder has the
same."""
GENERATION = "rnnkit.generation"
"""The tag of a sweep that has gone on with other params: how often. MLflow's run of an earlier
generation is deleted."""
ADVICE = "rnnkit.advice"
DIAGNOSED = "rnnkit.diagnosis."
"""Beginning of the tags of a run's verdicts, one for each."""
PARENT = "mlflow.parentRunId"
VARIANT = "rnnkit.variant"
KIND = "mlflow.experimentKind"  # opens MLflow's pages for training, not those for prompts
FILES = ("params.yaml", FINGERPRINT, RESULT, "predictions.parquet", TABLE, "report.html")
MAX_PARAM_CHARACTERS = 6_000  # characters of a param, above which MLflow refuses it
MAX_TAG_CHARACTERS = 8_000  # likewise of a tag
METRICS_PER_REQUEST = 900  # metrics in one request; MLflow takes 1,000
PARAMS_PER_REQUEST = 100

End = Literal["finished", "failed", "pruned", "interrupted"]
STATUS: Mapping[End, str] = {
    "finished": "FINISHED",
    "failed": "FAILED",
    "pruned": "KILLED",
    "interrupted": "KILLED",
}
ENDS: Mapping[str, End] = {end: end for end in STATUS}
"""The kind of a journal's last line -> how the run ended."""


def statuses(settings: Settings, run_id: str) -> set[str]:
    """Of the folders that a run or a comparison of this id would have."""
    places = (settings.runs / run_id, settings.comparisons / run_id)
    return {RunFolder(place).status for place in places}


class Tracker:
    """An MLflow tracking store; a local database is created here, once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.registry = Registry(settings)
        self.client = self.registry.client
        self.pages = pages_address(settings)
        self.here = home_of(settings)

    def experiment(self, name: str) -> str:
        """The id of an MLflow experiment, made if it is not there."""
        from mlflow.exceptions import MlflowException

        experiment_id: str
        experiment = self.client.get_experiment_by_name(name)
        if experiment is None:
            local = self._settings.tracking.startswith("sqlite:")
            location = (self._settings.artifacts / name).as_uri() if local else None
            try:
                experiment_id = self.client.create_experiment(
                    name, artifact_location=location, tags={KIND: "custom_model_development"}
                )
                return experiment_id
            except MlflowException:  # made by another process in between
                experiment = self.client.get_experiment_by_name(name)
                if experiment is None:
                    raise
        if experiment.lifecycle_stage == "deleted":
            self.client.restore_experiment(experiment.experiment_id)
        experiment_id = experiment.experiment_id
        return experiment_id

    def show_views(self, experiment_id: str, experiment: Experiment) -> None:
        """Brings the saved views of an MLflow experiment up to date with one of its runs."""
        present = self.client.get_experiment(experiment_id).tags
        for key, value in view_tags(experiment, present).items():
            if present.get(key) != value:
                self.client.set_experiment_tag(experiment_id, key, value)

    def run(self, experiment_id: str, run_id: str) -> Any:
        """The run in MLflow that carries our id; None if there is none.

        A server that hung may have made it twice, from a request that was repeated: the newer is
        deleted.
        """
        runs = self.client.search_runs(
            [experiment_id],
            filter_string=f"tags.`{ID}` = '{run_id}'",
            order_by=["attributes.start_time ASC"],
        )
        for double in runs[1:]:
            if double.data.tags.get(HOME) == self.here:
                self.client.delete_run(double.info.run_id)
        return runs[0] if runs else None

    @cache  # noqa: B019  # a store lives as long as the command
    def runs(self, name: str) -> dict[str, Any]:
        """Our id -> the run in MLflow, of all runs of an experiment; read once."""
        runs: dict[str, Any] = {}
        experiment_id, token = self.experiment(name), None
        while True:
            page = self.client.search_runs([experiment_id], page_token=token)
            runs |= {run.data.tags[ID]: run for run in page if ID in run.data.tags}
            token = page.token
            if not token:
                return runs

    def close_lost(self, run_id: str) -> None:
        """Marks the open runs of a folder that was deleted as interrupted, its trials' among
        them."""
        experiment = self.client.get_experiment_by_name(run_id.rpartition("-")[0])
        if experiment is None:
            return
        open_runs = self.client.search_runs(
            [experiment.experiment_id], filter_string="attributes.status = 'RUNNING'"
        )
        for run in open_runs:
            root = run.data.tags.get(ID, "").partition("/")[0]
            if root == run_id and run.data.tags.get(HOME) == self.here:
                self.client.set_tag(run.info.run_id, STATE, "interrupted")
                self.client.set_terminated(run.info.run_id, "KILLED")


class Mirror:
    """One run folder in MLflow: a run's, a comparison's, or what belongs to a `parent`."""

    def __init__(
        self, tracker: Tracker, folder: RunFolder, parent: "Mirror | None", tags: Mapping[str, str]
    ) -> None:
        experiment, run_id = folder.experiment, id_of(folder)
        self.folder, self._tracker, self._client = folder, tracker, tracker.client
        experiment_id = parent.experiment_id if parent else tracker.experiment(experiment.name)
        self.experiment_id: str = experiment_id
        self._parent = parent
        self._tags = {"rnnkit.task": experiment.task.kind, HOME: tracker.here, **tags}
        self._tags |= tags_of(folder)
        if parent is not None:
            self._tags |= {PARENT: parent.mlflow_id}
        # MLflow never lets a param or a metric's row change.
        if grown := len(folder.records(GROWN)):
            self._tags[GENERATION] = str(grown)
        run = tracker.run(experiment_id, run_id)
        if run is not None and run.data.tags.get(GENERATION, "0") != str(grown):
            self._client.delete_run(run.info.run_id)
            run = None
        self._known: set[tuple[str, int]] | None = None  # rows that MLflow has; None: not read yet
        if run is None:
            lines = folder.records()
            run = self._client.create_run(
                experiment_id,
                start_time=lines[0]["time"] if lines else None,  # None: now
                run_name=name_of(folder),
                tags={ID: run_id, **self._tags},
            )
            self._known = set()
        self._run: Any = run  # as MLflow has it while the run is not open here
        self.mlflow_id: str = run.info.run_id
        self._is_open, self._sha256 = False, ""  # hash of the data that are its input
        self._last: Mapping[str, Any] | None = None  # the journal's last line when it was closed

    @property
    def link(self) -> str:
        """The run's page, where `rnnkit up` or the tracking server shows it."""
        run = f"/#/experiments/{self.experiment_id}/runs/{self.mlflow_id}?{TRAINING}"
        return self._tracker.pages + run

    @property
    def view(self) -> str:
        """The list of its experiment's runs, likewise."""
        return f"{self._tracker.pages}{view_path(self.experiment_id)}"

    def is_closed(self, lines: Sequence[Mapping[str, Any]]) -> bool:
        """Whether it is closed, and the journal has these lines still and no other end."""
        return self._last is not None and bool(lines) and lines[-1] == self._last

    def advance(self) -> None:
        """Marks the run as running, and sends what its folder has and MLflow lacks."""
        self._open()
        self._send(rows_of(self.folder))

    def finish(self, end: End) -> None:
        """Sends all that is left and closes the run; nothing if MLflow has it all."""
        lines = self.folder.records()
        rows = rows_of(self.folder, finished=end == "finished")
        summary = summary_of(rows)
        if self._is_open or not is_complete(self._run, end, summary):
            self._open()
            self._send(rows)
            if end == "finished":
                self._conclude()
            remove_unfinished_uploads(self._run.info.artifact_uri)
            for name in FILES:
                if (self.folder.path / name).exists():
                    self._client.log_artifact(self.mlflow_id, str(self.folder.path / name))
            if (figures := self.folder.path / "figures").is_dir():
                self._client.log_artifacts(self.mlflow_id, str(figures), "figures")
            if end == "finished" and (self.folder.path / "model").is_dir():
                self._tracker.registry.log(self.folder, self.experiment_id, self.mlflow_id)
            note = {NOTE: note_of(self.folder, end), VERDICT: verdict_of(self.folder)}
            self._tag({STATE: end, ROWS: summary, **note})
            ended = lines[-1]["time"] if lines else None
            self._client.set_terminated(self.mlflow_id, STATUS[end], ended)
            self._is_open = False
            self._run = self._client.get_run(self.mlflow_id)
        elif lacking := self._tags.items() - self._run.data.tags.items():
            self._tag(dict(lacking))
        self._last = lines[-1] if lines else {}

    def _open(self) -> None:
        if self._is_open:
            return
        if self._run.info.status != "RUNNING":
            self._client.update_run(self.mlflow_id, status="RUNNING")
        experiment = self.folder.experiment
        undecided = list(experiment.tune.search if experiment.tune else ())
        if experiment.train.monitor is None:
            undecided.append("train.monitor")
        # Another kind changes its whole block.
        self._log_params(experiment, without=[path.removesuffix(".kind") for path in undecided])
        if self._parent is None:
            self._tracker.show_views(self.experiment_id, experiment)
        self._tag({STATE: "running", **self._tags})
        self._is_open, self._last = True, None

    def _send(self, rows: Sequence[Row]) -> None:
        """Sends the rows that MLflow lacks, and the data as the run's input."""
        from mlflow.entities import Metric

        for line in self._data_folder().records(PREPARED)[-1:]:
            if line["sha256"] != self._sha256:
                self._log_data(line["sha256"], line["source"])
                self._sha256 = line["sha256"]
        if self._known is None:
            self._known = self._read_known()
        lacking = [row for row in rows if row[:2] not in self._known]
        for start in range(0, len(lacking), METRICS_PER_REQUEST):
            batch = lacking[start : start + METRICS_PER_REQUEST]
            metrics = [Metric(row.name, row.value, row.time, row.step) for row in batch]
            self._client.log_batch(self.mlflow_id, metrics=metrics)
            self._known |= {row[:2] for row in batch}

    def _data_folder(self) -> RunFolder:
        """Where it stands which data are its input: of a trial, in its sweep's folder, unless the
        search goes over the data."""
        if self._parent is None or not is_trial(self.folder):
            return self.folder
        of_sweep = self._parent.folder
        is_same = self.folder.experiment.data == of_sweep.experiment.data
        return of_sweep if is_same else self.folder

    def _read_known(self) -> set[tuple[str, int]]:
        """(metric, step) of all rows that MLflow has of the run."""
        names = self._client.get_run(self.mlflow_id).data.metrics
        return {
            (name, row.step)
            for name in names
            for row in self._client.get_metric_history(self.mlflow_id, name)
        }

    def _conclude(self) -> None:
        """The values that a finished run's sweep chose, and the signatures of its metrics."""
        if (self.folder.path / TABLE).exists() or not (self.folder.path / RESULT).exists():
            return
        result = self.folder.result
        self._log_params(self.folder.experiment.replace(result["tuned"]))
        self._tag({f"{name}.signature": how for name, how in result["counted"].items()})
        if advice := result.get("advice"):
            self._tag({ADVICE: "\n".join(advice)})
        verdicts = result.get("verdicts", ())
        self._tag({f"{DIAGNOSED}{verdict['name']}": verdict["text"] for verdict in verdicts})

    def _log_data(self, sha256: str, source: str) -> None:
        """The data, by their hash, as the run's input."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        name = data_name(self.folder.experiment)
        data = Dataset(
            name=name, digest=sha256[:32], source_type="local", source=source, schema=None
        )
        self._client.log_inputs(
            self.mlflow_id,
            datasets=[DatasetInput(dataset=data, tags=[InputTag("mlflow.data.context", "all")])],
        )

    def _log_params(self, experiment: Experiment, without: Sequence[str] = ()) -> None:
        """The params that have an effect, by their paths; MLflow never lets one change, so those
        that a sweep has yet to find are left out.

        Raises:
            InputError: one has another value in MLflow.
        """
        from mlflow.entities import Param

        values = {
            key: str(value)[:MAX_PARAM_CHARACTERS]
            for key, value in applicable(experiment).items()
            if not any(key == path or key.startswith(f"{path}.") for path in without)
        }
        sent = self._run.data.params
        for key in values.keys() & sent.keys():
            if values[key] != sent[key]:
                raise InputError(
                    f"{self.folder.path / PARAMS}: {key} is {values[key]}, and was {sent[key]} "
                    "when MLflow got it; undo the change"
                )
        rows = [Param(key, value) for key, value in values.items() if key not in sent]
        for start in range(0, len(rows), PARAMS_PER_REQUEST):
            batch = rows[start : start + PARAMS_PER_REQUEST]
            self._client.log_batch(self.mlflow_id, params=batch)

    def _tag(self, tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        listed = [RunTag(key, value[:MAX_TAG_CHARACTERS]) for key, value in tags.items()]
        self._client.log_batch(self.mlflow_id, tags=listed)


def is_complete(run: Any, end: End, summary: str) -> bool:
    """Whether a run in MLflow is closed as its folder ended, with the rows of this summary."""
    tags = run.data.tags
    present = (run.info.status, tags.get(STATE), tags.get(ROWS))
    return bool(present == (STATUS[end], end, summary))


def id_of(folder: RunFolder) -> str:
    """Our id of what lies in a folder; a trial's is `RUN/trial-0003`."""
    run = folder.path.parent.parent
    return f"{run.name}/{folder.id}" if folder.path.parent.name == "trials" else folder.id


def register(run: RunFolder, settings: Settings) -> Registered:
    """A finished run's model as a version under its experiment's name; twice is once."""
    tracker = Tracker(settings)
    mirror = Mirror(tracker, run, None, {})
    mirror.finish("finished")
    model = tracker.registry.log(run, mirror.experiment_id, mirror.mlflow_id)
    return tracker.registry.register(run.experiment.name, run, model, mirror.mlflow_id)
