"""What an output folder holds, without wall-clock times and MLflow's own ids: what two equal runs
have in common."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd

from rnnkit.runtime.files import MANIFEST, canonical_json, read_lines, sha256_file, verify_manifest

KINDS = ("begun", "step", "epoch", "seed", "adopted", "pruned", "finished")
"""Kinds of journal records that say what was computed. Others say when and how often it was
begun, resumed and stored."""
CLOCK_FIELDS = ("time", "seconds", "peak_memory")
"""Fields of a record or a result that no two runs have in common."""
CLOCK_METRICS = ("%seconds", "work/peak_memory_mib", "seconds/%", "memory/%")
"""Patterns of metrics, likewise."""
CLOCK_COLUMNS = ["seconds", "memory"]
"""Of a comparison's table, likewise."""
HASHED = ("predictions.parquet", "model/*", "trials/search.json")
ELSEWHERE = (
    *("artifacts", "prefect", "matplotlib", "checkpoints", "mlflow-server.log"),
    "token",  # only of a folder that has had a server of its own
)
"""Folders and files whose names are not those of another run of the same."""
PASSING = re.compile(r"traceback\.txt$|system\.jsonl$|\.db-(wal|shm|journal)$|\.db\b.+")
"""What a failure may leave behind, the load of the machine, which short runs have not, what SQLite
keeps beside a file, and databases set aside."""
COMPARISON = "comparison.parquet"
MLFLOW = "MLflow"
"""How all that is compared of MLflow begins."""

State = Mapping[str, Any]
"""What -> value or hash."""


def state_of(home: Path) -> State:
    """Everything that is compared, of all runs and comparisons of an output folder."""
    state: dict[str, Any] = {"files": sorted(_files(home))}
    for kind in ("runs", "comparisons"):
        for run in sorted((home / kind).glob("[!.]*")):
            state |= {f"{run.name}: {what}": value for what, value in _of_run(run).items()}
    return state | _of_mlflow(home / "mlflow.db")


def differences(one: State, other: State) -> list[str]:
    """What the second has otherwise than the first, a line each."""
    lines = []
    for what in sorted(one.keys() | other.keys()):
        before, after = one.get(what), other.get(what)
        if before == after:
            continue
        if isinstance(before, list) and isinstance(after, list):
            lost, gained = _lost(before, after), _lost(after, before)
            lines.append(f"{what}: {_few(lost)} missing, {_few(gained)} too many")
            if not lost and not gained:
                lines[-1] = f"{what}: in another order"
        else:
            lines.append(f"{what}: {_short(before)} became {_short(after)}")
    return lines


def _lost(before: list[Any], after: list[Any]) -> list[str]:
    return sorted((Counter(map(str, before)) - Counter(map(str, after))).elements())


def _few(rows: list[str]) -> str:
    shown = ", ".join(_short(row) for row in rows[:3])
    return f"{len(rows)} ({shown})" if rows else "none"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 200 else f"{text[:200]}…"


def _files(home: Path) -> Iterator[str]:
    for path in home.rglob("*"):
        place = path.relative_to(home)
        if place.parts[0] in ELSEWHERE or "checkpoints" in place.parts:
            hidden = any(part.startswith(".") for part in place.parts)
            if not hidden:  # an unfinished write is one anywhere
                continue
        if not PASSING.search(path.name):
            yield place.as_posix()


def _of_run(run: Path) -> dict[str, Any]:
    state: dict[str, Any] = {"whole": verify_manifest(run)}
    for pattern in HASHED:
        for file in sorted(run.glob(pattern)):
            state[file.relative_to(run).as_posix()] = sha256_file(file)
    if (run / COMPARISON).exists():
        table = pd.read_parquet(run / COMPARISON).drop(columns=CLOCK_COLUMNS)
        state[COMPARISON] = table.to_json(orient="records", double_precision=15)
    if (run / "result.json").exists():
        result = json.loads((run / "result.json").read_text())
        state["result.json"] = canonical_json(_timeless(result))
    for journal in sorted(run.rglob("journal.jsonl")):
        records = [line for line in read_lines(journal) if line["kind"] in KINDS]
        name = journal.relative_to(run).as_posix()
        state[name] = [canonical_json(_timeless(record)) for record in records]
    if (run / "study.db").exists():
        state["study"] = _of_study(run / "study.db")
    return state


def _timeless(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in CLOCK_FIELDS}


def _of_study(file: Path) -> list[str]:
    """Number, state, params, value and curve of each trial."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
    study = optuna.load_study(study_name=None, storage=storage)
    return [
        canonical_json(
            {
                "number": trial.number,
                "state": trial.state.name,
                "params": trial.params,
                "values": trial.values,
                "curve": {str(k): v for k, v in sorted(trial.intermediate_values.items())},
            }
        )
        for trial in study.get_trials(deepcopy=False)
    ]


ALL_ROWS = """
SELECT tags.value, metrics.key, metrics.step,
       CASE WHEN {clock} THEN NULL ELSE metrics.value END
FROM metrics JOIN tags ON tags.run_uuid = metrics.run_uuid AND tags.key = 'rnnkit.run_id'
""".format(clock=" OR ".join(f"metrics.key LIKE '{name}'" for name in CLOCK_METRICS))
ROWS = f"{ALL_ROWS} WHERE metrics.key NOT LIKE 'system/%'"
"""Without the load of the machine: how often it is measured depends on the clock."""
RUNS = """
SELECT id.value, runs.status, state.value, parent_id.value
FROM runs JOIN tags AS id ON id.run_uuid = runs.run_uuid AND id.key = 'rnnkit.run_id'
LEFT JOIN tags AS state ON state.run_uuid = runs.run_uuid AND state.key = 'rnnkit.state'
LEFT JOIN tags AS parent ON parent.run_uuid = runs.run_uuid AND parent.key = 'mlflow.parentRunId'
LEFT JOIN tags AS parent_id
    ON parent_id.run_uuid = parent.value AND parent_id.key = 'rnnkit.run_id'
"""
PARAMS = """
SELECT tags.value, params.key, params.value
FROM params JOIN tags ON tags.run_uuid = params.run_uuid AND tags.key = 'rnnkit.run_id'
"""
MODELS = """
SELECT tag_value, status FROM logged_models JOIN logged_model_tags USING (model_id)
WHERE tag_key = 'rnnkit.run_id' AND status = 2
"""
"""Models that are ready (status 2 of MLflow's LoggedModelStatus)."""


ROWS_NAME = f"{MLFLOW}'s rows"


def rows_of(file: Path, query: str) -> list[Any]:
    """Rows of a query in a database, sorted."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=60)) as database:
        return sorted(map(list, database.execute(query)), key=str)


def _of_mlflow(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    queries = {"rows": ROWS, "runs": RUNS, "params": PARAMS, "models": MODELS}
    try:
        return {f"{MLFLOW}'s {what}": rows_of(file, query) for what, query in queries.items()}
    except sqlite3.DatabaseError as error:
        return {f"{MLFLOW}'s database": str(error)}


def doubled(home: Path) -> list[str]:
    """(run, metric, step) that MLflow has more than once."""
    file = home / "mlflow.db"
    readable = ROWS_NAME in _of_mlflow(file)
    rows = Counter(tuple(row[:3]) for row in (rows_of(file, ALL_ROWS) if readable else ()))
    return [f"{MLFLOW} has {row} {count} times" for row, count in rows.items() if count > 1]


def is_finished(run: Path) -> bool:
    """Whether a run's folder has its manifest."""
    return (run / MANIFEST).exists()
