"""Everything that a change of structure must leave alone, as hashes.

Each file of `params/` is shortened, prepared, trained for two epochs, evaluated and asked for
predictions. Written are the sha256 of prepared data, initial and trained weights, predictions,
answers and each field of the result. Compare two revisions on one machine: floating point differs
between machines.

    python tests/identical.py write before.json      # in a checkout of the older revision
    python tests/identical.py write after.json       # here
    python tests/identical.py compare before.json after.json

`--keep FOLDER` keeps the run folders, so that a later revision can read what an older one wrote.
"""

import argparse
import hashlib
import json
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import torch

from rnnkit.data import sources
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.split import CONTENT
from rnnkit.errors import InputError
from rnnkit.evaluation.finalize import NO_SWEEP, PREDICTIONS, collect_result, finalize
from rnnkit.inference import predict
from rnnkit.params import Experiment, load
from rnnkit.params.data import Fractions, Given
from rnnkit.runs.identity import identify
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics
from rnnkit.runtime.files import sha256_json
from rnnkit.tasks import prepare, task_for
from rnnkit.training.train_into import train_into
from rnnkit.training.trainer import make_network

ROOT = Path(__file__).parents[1]
SHORT: dict[str, Any] = {"train.epochs": 2, "tune": None, "data.limit": 60}
MORE: dict[str, dict[str, Any]] = {
    "python_docstrings": {"data.limit": 500},
    "digit_strings": {
        "data.limit": 90,
        **{f"data.source.join.{split}": 12 for split in ("train", "valid", "test")},
    },
}
ROWS = 20
"""Rows of the source that are encoded as new inputs."""
ASKED = 3
"""Inputs that the trained model is asked."""


def sha256(*contents: Any) -> str:
    """Of tensors, arrays and JSON values, in order."""
    digest = hashlib.sha256()
    for content in contents:
        if isinstance(content, torch.Tensor):
            # ids are stored in any type
            content = content if content.is_floating_point() else content.long()
            digest.update(str((content.dtype, tuple(content.shape))).encode())
            digest.update(content.detach().contiguous().numpy().tobytes())
        else:
            digest.update(json.dumps(content, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


def of_part(part: EncodedSplit) -> str:
    """Of a split's examples."""
    return sha256(
        part.inputs,
        part.input_start,
        part.input_length,
        part.targets,
        part.target_start,
        part.target_length,
        part.item,
    )


def of_weights(weights: dict[str, torch.Tensor]) -> str:
    """Of a network's weights, their names included."""
    return sha256(*(content for name in sorted(weights) for content in (name, weights[name])))


def of_prepared(prepared: Prepared) -> dict[str, str]:
    """Of prepared data, by what they are made of."""
    fitted = prepared.fitted
    scaler, (vocabulary, letters, _) = fitted.inputs.scaler, fitted.tokens
    return {
        **{f"prepared {name}": of_part(part) for name, part in prepared.splits.items()},
        "vocabulary": sha256(vocabulary, letters, fitted.labels),
        "scaler": sha256(None if scaler is None else scaler.to_json()),
        "texts": sha256(
            {str(row): text for row, text in prepared.references.items()},
            {str(row): text for row, text in prepared.sources.items()},
        ),
    }


def of_frame(table: pandas.DataFrame) -> dict[str, str]:
    """Of each column of a table."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return [plain(inner) for inner in value]
        return value.item() if isinstance(value, np.generic) else value

    return {
        f"predictions {name}": sha256([repr(plain(value)) for value in table[name]])
        for name in table
    }


def new_inputs(experiment: Experiment, prepared: Prepared) -> str:
    """Rows of the source, encoded as a file with the truth is for `evaluate`."""
    given = isinstance(experiment.data.split, Given)
    try:
        split = experiment.data.split if given else Fractions()
        frame = sources.read(experiment.data.source, split)
        if experiment.task.kind != "forecasting":
            frame = frame.head(ROWS)
        frame, _ = prepared.fitted.items_to_score(frame)
        fitted = prepared.fitted
        fitted = fitted.including_labels(fitted.labels_of(frame))
        part = fitted.encode(frame, np.arange(len(frame)), "new")
    except (InputError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return of_part(part)


def memorized(prepared: Prepared) -> list[Any]:
    """The first test items of a memory problem, as `predict` takes them."""
    part, items = prepared.splits["test"], []
    for start, length in zip(part.input_start[:ASKED], part.input_length[:ASKED], strict=True):
        steps = part.inputs[start : start + length]
        vocabulary = prepared.fitted.inputs.vocabulary
        items.append(
            steps.numpy() if vocabulary is None else [vocabulary[k] for k in steps.tolist()]
        )
    return items


def asked(experiment: Experiment, prepared: Prepared, folder: Path) -> str:
    """The answers of `predict` to a few inputs."""
    predictor = predict.load(folder)
    scaler, data = predictor.prepared.fitted.inputs.scaler, experiment.data
    if experiment.task.kind == "forecasting":
        assert scaler is not None
        steps = data.window + (experiment.task.horizon if scaler.known else 0)
        inputs = [np.sin(np.arange(steps * len(scaler.columns)) * 0.1).reshape(steps, -1)]
    elif experiment.task.kind == "memory":
        inputs = memorized(prepared)
    else:
        frame = sources.read(data.source, data.split)
        captioned = experiment.task.kind == "captioning" and "label" in frame
        column = "label" if captioned else CONTENT[data.source.form]
        inputs = frame[column].tolist()[:ASKED]
        if experiment.task.kind == "vector":
            inputs = [np.ravel(item) for item in inputs]
    try:
        return sha256([repr(answer) for answer in predictor(inputs)])
    except InputError as error:
        return f"InputError: {error}"


def measured(file: Path, folder: Path, cache: Path) -> dict[str, str]:
    """All hashes of one params file."""
    experiment = load(file).replace(SHORT | MORE.get(file.stem, {}))
    (identity,) = identify([experiment])
    hashes = {"run id": identity.run, "data": identity.data}
    numerics.set_threads(1)
    prepared = prepare(experiment.data, experiment.task, cache)
    hashes |= of_prepared(prepared)
    network = make_network(experiment, task_for(experiment.task, prepared))
    hashes["initial weights"] = of_weights(network.state_dict())
    run = RunFolder(folder / file.stem)
    run.create(experiment, {})
    for _ in train_into(run, experiment, prepared):
        pass
    result = finalize(run, experiment, prepared, cache / "prepared")
    result = collect_result(result, prepared, {}, NO_SWEEP)
    run.finish(result)
    checkpoint = run.newest_checkpoint()
    assert checkpoint is not None
    prefix = "weights/"
    hashes["weights"] = of_weights(
        {k.removeprefix(prefix): v for k, v in checkpoint[0].items() if k.startswith(prefix)}
    )
    hashes |= of_frame(pandas.read_parquet(run.path / PREDICTIONS))
    plain = json.loads(json.dumps(result, default=list))
    facts = plain.pop("data")
    hashes |= {f"result {key}": sha256_json(value)[:16] for key, value in plain.items()}
    hashes |= {f"facts {key}": sha256_json(value)[:16] for key, value in facts.items()}
    hashes["new inputs"] = new_inputs(experiment, prepared)
    hashes["answers"] = asked(experiment, prepared, run.path)
    return hashes


def write(target: Path, keep: Path | None, only: list[str]) -> None:
    """Measures every params file, or those named."""
    warnings.simplefilter("ignore")
    os.chdir(ROOT)
    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary) / "runs"
        for file in sorted((ROOT / "params").glob("*.yaml")):
            if only and file.stem not in only:
                continue
            try:
                found[file.stem] = measured(file, folder, Path(temporary))
            except InputError as error:  # public data that are absent
                found[file.stem] = {"refused": str(error)}
            print(file.stem, found[file.stem].get("weights", "refused"), flush=True)
    target.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def compare(before: Path, after: Path) -> int:
    """Prints each field that differs; the exit status says whether any does."""
    one, other = (json.loads(path.read_text()) for path in (before, after))
    different = 0
    for name in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(name, {}), other.get(name, {})
        for key in sorted(mine.keys() | theirs.keys()):
            if mine.get(key) != theirs.get(key):
                different += 1
                print(f"{name}: {key}: {mine.get(key)} -> {theirs.get(key)}")
    count = sum(len(fields) for fields in other.values())
    print(f"{different} of {count} fields of {len(other)} params files differ")
    return int(different > 0)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    writing = verbs.add_parser("write", help="measure every params file, or those named")
    writing.add_argument("file", type=Path)
    writing.add_argument("names", nargs="*")
    writing.add_argument("--keep", type=Path)
    comparing = verbs.add_parser("compare", help="two files that `write` wrote")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    given = parser.parse_args()
    if given.verb == "write":
        write(given.file.resolve(), given.keep and given.keep.resolve(), given.names)
    else:
        raise SystemExit(compare(given.before, given.after))


if __name__ == "__main__":
    main()
