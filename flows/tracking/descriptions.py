"""What MLflow's pages show of a run beside its numbers: its name, a description, and tags that say
which code, data and machine made it.

All of it follows from the run's folder, so that it can be sent again.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import Any

from rnnkit.errors import InputError
from rnnkit.evaluation.comparison.table import TABLE
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import FINGERPRINT, PARAMS, RESULT, RunFolder
from rnnkit.runtime import files
from rnnkit.runtime.provenance import GIT_BRANCH, GIT_CHANGED, GIT_COMMIT

NOTE = "mlflow.note.content"
VERDICT = "rnnkit.verdict"
VALUES = "rnnkit.values"
"""What a trial tried."""
MAX_NAME_CHARACTERS = 200
TAGS: Mapping[str, str] = {
    "user": "mlflow.user",
    GIT_COMMIT: "mlflow.source.git.commit",
    GIT_BRANCH: "mlflow.source.git.branch",
    GIT_CHANGED: "mlflow.source.git.dirty",
    "rnnkit": "rnnkit.version",
    "python": "rnnkit.python",
    "torch": "rnnkit.torch",
    "host": "rnnkit.host",
    "cpu": "rnnkit.cpu",
}
"""A fact of the fingerprint -> its tag, MLflow's own where it has one."""
RELATIONS = {"better": "beats", "worse": "loses to", "undecided": "not shown to beat"}


def is_trial(folder: RunFolder) -> bool:
    """Whether a folder is a sweep's trial."""
    return folder.path.parent.name == "trials"


def name_of(folder: RunFolder) -> str:
    """A run's id; of a trial its number and what it tried.

    >>> value_text(0.123456), value_text(None), value_text("lstm")
    ('0.1235', 'null', 'lstm')
    """
    if not is_trial(folder):
        return folder.id
    number = int(folder.id.rpartition("-")[2])
    values = values_text(_tried(folder))
    return f"trial {number}: {values}"[:MAX_NAME_CHARACTERS] if values else folder.id


def data_name(experiment: Experiment) -> str:
    """What the data are called: a built-in set's name, or that of the file or folder."""
    source = experiment.data.source
    named = getattr(source, "name", None) or getattr(source, "path", None) or source.kind
    return PurePath(str(named)).name or str(named)


def tags_of(folder: RunFolder) -> dict[str, str]:
    """Who ran it, with which code, on which machine; a trial has these from its sweep."""
    root = RunFolder(folder.path.parent.parent) if is_trial(folder) else folder
    facts: dict[str, Any] = {}
    with suppress(InputError, FileNotFoundError):  # lost or damaged: not known any more
        facts = files.read_json(root.path / FINGERPRINT)
    tags = {tag: str(facts[fact]) for fact, tag in TAGS.items() if fact in facts}
    if date := facts.get("date"):
        tags["rnnkit.date"] = date
    if is_trial(folder) and (values := _tried(folder)):
        tags[VALUES] = values_text(values)
    return {**tags, "mlflow.source.name": "rnnkit", "mlflow.source.type": "LOCAL"}


def verdict_of(folder: RunFolder) -> str:
    """A finished run against its best baseline in a few words; empty where that is not known."""
    change = folder.result.get("difference") if _has_result(folder) else None
    if not change or change.get("verdict") not in RELATIONS:
        return ""
    return f"{RELATIONS[change['verdict']]} {change['baseline']}"


def note_of(folder: RunFolder, end: str) -> str:
    """The description in Markdown: how it ended, what was chosen, and how to get it again."""
    return "\n\n".join(_paragraphs(folder, end, folder.records()))


def trial_line(record: Mapping[str, Any], monitor: str) -> str:
    """One line for a trial that ended, by its record.

    >>> record = {"number": 3, "state": "pruned", "values": {"train.clip": 2.0}, "value": 0.51234}
    >>> trial_line({**record, "reason": ""}, "valid/loss")
    'trial 3 pruned: clip 2, best valid/loss 0.5123'
    """
    line = f"trial {record['number']} {record['state']}: {values_text(record['values'])}"
    if record["value"] is not None:
        line += f", best {monitor} {value_text(record['value'])}"
    return f"{line}; {record['reason']}" if record["reason"] else line


def values_text(values: Mapping[str, Any]) -> str:
    """Params by the last part of their paths.

    >>> values_text({"train.clip": 0.98765, "model.cell.kind": "lstm"})
    'clip 0.9877, cell lstm'
    """
    return ", ".join(
        f"{path.removesuffix('.kind').rpartition('.')[2]} {value_text(value)}"
        for path, value in values.items()
    )


def value_text(value: Any) -> str:
    """A value in four digits, or as YAML has it."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "null" if value is None else str(value)


def _paragraphs(folder: RunFolder, end: str, lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    reason = next((line["reason"] for line in reversed(lines) if line.get("reason")), "")
    if end != "finished":
        yield f"**{end}**{f': {reason}' if end == 'failed' and reason else ''}"
    if _has_result(folder):
        result = folder.result
        yield from (text for text in (result.get("verdict"), result.get("training")) if text)
        yield from result.get("start", {}).values()
        yield from (f"Diagnosis: {verdict['text']}." for verdict in result.get("verdicts", ()))
        if result.get("tuned"):
            trials = ", ".join(f"{count} {state}" for state, count in result["trials"].items())
            chosen = [f"- `{path}`: {value_text(v)}" for path, v in result["tuned"].items()]
            yield "\n".join([f"Tuned in a sweep ({trials}):", "", *chosen])
    elif is_trial(folder):
        yield f"A trial of `{folder.path.parent.parent.name}`, with {values_text(_tried(folder))}."
    elif (folder.path / TABLE).exists():
        yield "A comparison: `comparison.parquet` and `report.html` among its artifacts."
    yield from _again(folder)


def _again(folder: RunFolder) -> Iterator[str]:
    """How to get a run again, from the files among its artifacts."""
    facts: dict[str, Any] = {}
    with suppress(InputError, FileNotFoundError):
        facts = files.read_json(folder.path / FINGERPRINT)
    if is_trial(folder):
        yield f"To get it again: its `{PARAMS}` among the artifacts, `rnnkit run {PARAMS}`."
        return
    verb = "compare" if folder.path.parent.name == "comparisons" else "run"
    commit = facts.get(GIT_COMMIT)
    code = f", in commit `{commit[:10]}`" if commit else ""
    if facts.get(GIT_CHANGED) == "yes":
        code += " (with changes that were not committed)"
    data = facts.get("data")
    same = f", on data with sha256 `{data[:10]}`" if data else ""
    yield (
        f"To get it again: `rnnkit {verb} {PARAMS}`, with the `{PARAMS}` among its artifacts{same}"
        f"{code}."
    )


def _tried(trial: RunFolder) -> Mapping[str, Any]:
    values: Mapping[str, Any] = next((line["values"] for line in trial.records("begun")), {})
    return values


def _has_result(folder: RunFolder) -> bool:
    return (folder.path / RESULT).exists() and not (folder.path / TABLE).exists()
