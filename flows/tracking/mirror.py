"""A run folder in MLflow, exactly once, live or later.

A run in MLflow carries our id as the tag `rnnkit.run_id`, by which it is found before one is
created. What is sent follows from the folder alone, with the journal's own timestamps, so that
sending it again, or all at once when the run is long over, adds nothing.
"""

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from flows.settings import Settings, without_secrets
from flows.tracking.locations import HOME, home_of
from flows.tracking.registry import ID, Registered, Registry
from rnnkit.evaluation.comparison.table import TABLE, numbers
from rnnkit.params import Experiment
from rnnkit.params.experiment import flatten
from rnnkit.runs.run_folder import RESULT, RunFolder

STATE = "rnnkit.state"
PARENT = "mlflow.parentRunId"
VARIANT = "rnnkit.variant"
KIND = "mlflow.experimentKind"  # opens MLflow's pages for training, not those for prompts
FILES = ("params.yaml", "fingerprint.json", RESULT, "predictions.parquet", TABLE, "report.html")
PAGES = "http://127.0.0.1:5000"  # the default of `rnnkit up`
MAX_PARAM_CHARACTERS = 6_000  # characters of a param, above which MLflow refuses it
UNNAMEABLE = re.compile(r"[^\w./: -]", re.ASCII)  # what MLflow refuses in a metric's name
METRICS_PER_REQUEST = 900  # metrics in one request; MLflow takes 1,000

OBJECTIVE = {"mean": "value", "deviation": "deviation"}
"""Metrics of a trial, over its seeds -> their names in its journal."""

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
        remote = settings.tracking.startswith(("http://", "https://"))
        self.pages = without_secrets(settings.tracking).rstrip("/") if remote else PAGES
        self.here = home_of(settings)

    def experiment(self, name: str) -> str:
        """The id of an MLflow experiment, made if it is not there."""
        from mlflow.exceptions import MlflowException

        experiment = self.client.get_experiment_by_name(name)
        if experiment is None:
            local = self._settings.tracking.startswith("sqlite:")
            location = (self._settings.artifacts / name).as_uri() if local else None
            try:
                return self.client.create_experiment(
                    name, artifact_location=location, tags={KIND: "custom_model_development"}
                )
            except MlflowException:  # made by another process in between
                experiment = self.client.get_experiment_by_name(name)
                if experiment is None:
                    raise
        if experiment.lifecycle_stage == "deleted":
            self.client.restore_experiment(experiment.experiment_id)
        return experiment.experiment_id

    def run(self, experiment_id: str, run_id: str) -> str | None:
        """MLflow's id of the run that carries ours, if there is one."""
        runs = self.client.search_runs(
            [experiment_id], filter_string=f"tags.`{ID}` = '{run_id}'", max_results=1
        )
        return runs[0].info.run_id if runs else None

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

    def close_leftovers(self, experiment_id: str) -> None:
        """Marks runs of this output folder as interrupted that no process is working on."""
        open_runs = self.client.search_runs(
            [experiment_id], filter_string="attributes.status = 'RUNNING'"
        )
        for run in (run for run in open_runs if run.data.tags.get(HOME) == self.here):
            root = run.data.tags.get(ID, "").split("/")[0]
            if root and "running" not in statuses(self._settings, root):
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
        self._sent: dict[str, int] = {}  # folder of a journal -> lines
        self._last: dict[str, Any] | None = None  # the journal's last line when it was closed
        mlflow_id = tracker.run(experiment_id, run_id)
        tags = {"rnnkit.task": experiment.task.kind, HOME: tracker.here, **tags}
        if parent is not None:
            tags |= {PARENT: parent.mlflow_id}
        if mlflow_id is None:
            mlflow_id = self._client.create_run(
                experiment_id, run_name=folder.id, tags={ID: run_id, **tags}
            ).info.run_id
        else:
            self._client.update_run(mlflow_id, status="RUNNING")
        self.mlflow_id: str = mlflow_id
        undecided = list(experiment.tune.search if experiment.tune else ())
        if experiment.train.monitor is None:
            undecided.append("train.monitor")
        # Another kind changes its whole block.
        self._log_params(experiment, without=[path.removesuffix(".kind") for path in undecided])
        self._tag({STATE: "running", **tags})

    @property
    def link(self) -> str:
        """The run's page, where `rnnkit up` or the tracking server shows it."""
        return f"{self._tracker.pages}/#/experiments/{self.experiment_id}/runs/{self.mlflow_id}"

    def is_closed(self, lines: Sequence[Mapping[str, Any]]) -> bool:
        """Whether it is closed, and the journal has these lines still and no other end."""
        return self._last is not None and bool(lines) and lines[-1] == self._last

    def advance(self) -> None:
        """Sends what the journal has gained, up to its last whole epoch."""
        lines = self.folder.records()
        if self._last is not None and not self.is_closed(lines):  # another process resumed it
            self._client.update_run(self.mlflow_id, status="RUNNING")
            self._tag({STATE: "running"})
            self._sent, self._last = {}, None
        self._send(lines, "")
        for seed in sorted(self.folder.path.glob("seed-*")):  # of a trial: each has its curves
            self._send(RunFolder(seed).records(), f"{seed.name}/")

    def _send(self, lines: Sequence[Mapping[str, Any]], prefix: str) -> None:
        """Sends what a journal has gained, with a prefix before the names of its metrics."""
        ends = [i for i, line in enumerate(lines) if line["kind"] != "step"]
        end, sent = ends[-1] + 1 if ends else 0, self._sent.get(prefix, 0)
        if end > sent:
            new = lines[sent:end]
            for line in new:
                if line["kind"] == "prepared":
                    self._log_data(line["sha256"], line["source"])
            self._log_metrics(
                [
                    (f"{prefix}{name}", value, step, moment)
                    for line in new
                    for name, value, step, moment in _metrics(line)
                ]
            )
            self._sent[prefix] = end

    def finish(self, end: End) -> None:
        """Sends all that is left and closes the run."""
        self.advance()
        if end == "finished":
            self._conclude()
        for name in FILES:
            if (self.folder.path / name).exists():
                self._client.log_artifact(self.mlflow_id, str(self.folder.path / name))
        if (self.folder.path / "figures").is_dir():
            self._client.log_artifacts(self.mlflow_id, str(self.folder.path / "figures"), "figures")
        if end == "finished" and (self.folder.path / "model").is_dir():
            self._tracker.registry.log(self.folder, self.experiment_id, self.mlflow_id)
        self._tag({STATE: end})
        self._client.set_terminated(self.mlflow_id, STATUS[end])
        lines = self.folder.records()
        self._last = lines[-1] if lines else {}

    def _conclude(self) -> None:
        """A finished run's numbers, at the folder's own time; a trial has only its curve."""
        named: Mapping[str, float] = {}
        if (self.folder.path / TABLE).exists():
            import pandas

            named = numbers(pandas.read_parquet(self.folder.path / TABLE))
        elif (self.folder.path / RESULT).exists():
            result = self.folder.result
            self._log_params(self.folder.experiment.replace(result["tuned"]))
            named = _numbers(result)
            self._tag({f"{name}.signature": how for name, how in result["counted"].items()})
        moment = self.folder.records()[-1]["time"]
        self._log_metrics([(name, value, 0, moment) for name, value in named.items()])

    def _log_data(self, sha256: str, source: str) -> None:
        """The data, by their hash, as the run's input."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        name = self.folder.experiment.name
        data = Dataset(
            name=name, digest=sha256[:32], source_type="local", source=source, schema=None
        )
        self._client.log_inputs(
            self.mlflow_id,
            datasets=[DatasetInput(dataset=data, tags=[InputTag("mlflow.data.context", "all")])],
        )

    def _log_metrics(self, metrics: list[tuple[str, float, int, int]]) -> None:
        from mlflow.entities import Metric

        points = [
            Metric(UNNAMEABLE.sub("", name), value, moment, step)
            for name, value, step, moment in metrics
            if math.isfinite(value)
        ]
        for start in range(0, len(points), METRICS_PER_REQUEST):
            self._client.log_batch(
                self.mlflow_id, metrics=points[start : start + METRICS_PER_REQUEST]
            )

    def _log_params(self, experiment: Experiment, without: Sequence[str] = ()) -> None:
        """The resolved params by their paths; MLflow never lets one change, so those that a sweep
        has yet to find are left out."""
        from mlflow.entities import Param

        rows = [
            Param(key, str(value)[:MAX_PARAM_CHARACTERS])
            for key, value in flatten(experiment).items()
            if not any(key == path or key.startswith(f"{path}.") for path in without)
        ]
        for start in range(0, len(rows), 100):  # MLflow takes 100 in one request
            self._client.log_batch(self.mlflow_id, params=rows[start : start + 100])

    def _tag(self, tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        self._client.log_batch(self.mlflow_id, tags=[RunTag(k, v) for k, v in tags.items()])


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


def _numbers(result: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a result.json: test split, baselines, work."""
    named = {f"test/{name}": value for name, value in result["test"].items()}
    for baseline, metrics in result["baselines"].items():
        named |= {f"versus/{baseline}/{name}": value for name, value in metrics.items()}
    if change := result.get("difference"):  # from the best baseline
        ends = {"": "difference", "_low": "low", "_high": "high"}
        measure = f"difference/{change['measure']}"
        named |= {measure + end: change[k] for end, k in ends.items() if change[k] is not None}
    named |= {f"work/{name}_seconds": value for name, value in result["seconds"].items()}
    work = ("parameters", "best_epoch", "epochs")
    return named | {f"work/{name}": result[name] for name in work if name in result}


def _metrics(line: Mapping[str, Any]) -> list[tuple[str, float, int, int]]:
    """(name, value, step, time in ms) of a journal line; the names are grouped by a prefix."""
    step, moment = line.get("step", 0), line["time"]
    if line["kind"] == "step":
        named = {
            "train/loss": line["loss"],
            "gradient/norm": line["gradient_norm"],
            "gradient/norm_max": line["gradient_norm_max"],
            "gradient/clipped_fraction": line["clipped_fraction"],
            "train/learning_rate": line["learning_rate"],
        }
        if line["threshold"] is not None:
            named["gradient/threshold"] = line["threshold"]
    elif line["kind"] == "epoch":
        named = {f"valid/{name}": value for name, value in line["valid"].items()}
        named["train/epoch"] = line["epoch"]
        named["train/epoch_seconds"] = line["seconds"]
        named["work/peak_memory_mib"] = line["peak_memory"]
        named["train/epoch_loss"] = line["train"]["loss"]
        named["gradient/refused"] = line["gradient"]["refused"]
    elif line["kind"] == "seed":  # of a trial with several
        named = {f"objective/seed-{line['seed']}": line["value"]}
    elif line["kind"] == "finished" and "value" in line:  # a trial's
        named = {f"objective/{k}": line[v] for k, v in OBJECTIVE.items() if v in line}
    else:
        return []
    return [
        (name, float(value), step, moment)
        for name, value in named.items()
        if not isinstance(value, str)  # "nan" and "inf" stand as words in the journal
    ]
