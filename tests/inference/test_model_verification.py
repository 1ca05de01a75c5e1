"""A damaged model is refused in one line by all that read it; its run writes it again."""

import json
import pickle
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas
import pytest
from trained_runs import finish_in, train_in
from verb_runs import rnnkit

from flows import settings as places
from flows.notebook import load as load_run
from flows.tracking.mirror import Tracker, register
from rnnkit.errors import InputError, Note
from rnnkit.evaluation.champion import compare_with_champion
from rnnkit.evaluation.comparison.table import table
from rnnkit.evaluation.evaluate_file import evaluate_file
from rnnkit.inference.predict import load
from rnnkit.inference.pyfunc import _load_pyfunc
from rnnkit.params import Experiment
from rnnkit.runs.identity import identify
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import files

ROWS = [("text", "label"), *((f"w{i % 7} of {i}", ["even", "odd"][i % 2]) for i in range(60))]
FLIPS = 60
MODEL_FILES = (
    "weights.safetensors",
    "params.yaml",
    "prepared.json",
    "tokenizer.json",
    "manifest.json",
)


class Place:
    """An output folder with two finished runs of the same experiment but for the seed."""

    def __init__(self, home: Path) -> None:
        self.home, self.file = home, home / "a.csv"
        self.file.write_text("".join(f"{text},{label}\n" for text, label in ROWS))
        source = {"kind": "labelled_text", "path": str(self.file)}
        data = {"source": source, "tokenizer": {"kind": "words"}}
        tree = {"name": "parity", "task": {"kind": "classification"}, "data": data}
        small = {"hidden": 4, "representation": {"kind": "embedding", "size": 4}}
        self.experiment = Experiment.model_validate(
            {**tree, "model": small, "train": {"epochs": 1}}
        )
        self.run = finish_in(home, self.experiment, "parity-1").folder
        self.newer = finish_in(home, self.experiment.replace({"seed": 1}), "parity-2").folder
        self.model = self.run.path / "model"
        self.copy = home / "copy"
        shutil.copytree(self.model, self.copy)
        tracker = Tracker(places.read(home))
        self.registry, self.mlflow = tracker.registry, tracker.experiment("parity")

    def evaluate(self) -> None:
        evaluate_file(self.run, str(self.file), self.home)

    def challenge(self) -> None:
        verdict = compare_with_champion(self.newer, self.run.path, self.home)
        if verdict.change is None:
            raise InputError(verdict.reason)

    def fine_tune(self) -> None:
        identify([self.experiment.replace({"train.start_from": str(self.run.path)})])

    def register(self) -> None:
        self.registry.log(self.run, self.mlflow, "")


DOORS: dict[str, Callable[[Place], object]] = {
    "predict": lambda place: load(place.run.path),
    "predict a copy": lambda place: load(place.copy),
    "served": lambda place: _load_pyfunc(str(place.copy)),
    "evaluate": Place.evaluate,
    "champion": Place.challenge,
    "start_from": Place.fine_tune,
    "register": Place.register,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("damaged"))


@pytest.fixture
def damage(place: Place) -> Iterator[Callable[[str, bytes], None]]:
    """Writes a file of the model and of its copy; they are restored afterwards."""
    before = {file: file.read_bytes() for file in place.model.iterdir()}

    def write(name: str, content: bytes) -> None:
        for folder in (place.model, place.copy):
            (folder / name).write_bytes(content)

    yield write
    for file, content in before.items():
        write(file.name, content)


def flips(content: bytes, regions: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    """The content with a flipped bit, at random places of each region."""
    draw = random.Random(0)
    for start, end in regions:
        for _ in range(FLIPS):
            flipped = bytearray(content)
            flipped[draw.randrange(start, end)] ^= 1 << draw.randrange(8)
            yield bytes(flipped)


def regions_of(weights: bytes) -> list[tuple[int, int]]:
    """Of a file of safetensors: the length of its header, the header, and each tensor."""
    start = 8 + int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8:start])
    tensors = [fact["data_offsets"] for fact in header.values()]
    return [(0, 8), (8, start), *((start + a, start + b) for a, b in tensors)]


def test_every_door_opens_for_a_whole_model(place: Place) -> None:
    for name, door in DOORS.items():
        if name != "register":  # it would need a run in MLflow
            door(place)


@pytest.mark.parametrize("door", DOORS)
def test_every_flipped_bit_of_the_weights_is_refused(
    place: Place, damage: Callable[[str, bytes], None], door: str
) -> None:
    weights = (place.model / "weights.safetensors").read_bytes()
    regions = regions_of(weights)
    if door == "register":  # it asks MLflow first, so all regions share the flips
        regions = [(0, len(weights))]
    for flipped in flips(weights, regions):
        damage("weights.safetensors", flipped)
        with pytest.raises(InputError, match=r"a model must be as it was written, but weights\.s"):
            DOORS[door](place)


@pytest.mark.parametrize("name", MODEL_FILES)
def test_every_flipped_bit_of_a_models_files_is_refused(
    place: Place, damage: Callable[[str, bytes], None], name: str
) -> None:
    content = (place.model / name).read_bytes()
    for flipped in flips(content, [(0, len(content))]):
        damage(name, flipped)
        for door in ("predict", "served", "start_from"):
            with pytest.raises(InputError, match="a model must be as it was written, but ") as told:
                DOORS[door](place)
            assert "\n" not in str(told.value)


RUBBISH = {
    "a pickle": pickle.dumps({"weights": [1.0] * 99}),
    "nothing": b"",
    "a page": b"<html><body>502 Bad Gateway</body></html>\n",
    "half a header": b"\xff\x00\x00\x00\x00\x00\x00\x00{",
}


@pytest.mark.parametrize("content", RUBBISH)
@pytest.mark.parametrize("name", MODEL_FILES)
def test_rubbish_in_place_of_a_file_is_refused(
    place: Place, damage: Callable[[str, bytes], None], name: str, content: str
) -> None:
    damage(name, RUBBISH[content])
    for door in DOORS:
        with pytest.raises(InputError, match="a model must be as it was written, but ") as told:
            DOORS[door](place)
        assert "\n" not in str(told.value)


def test_truncated_weights_are_refused(place: Place, damage: Callable[[str, bytes], None]) -> None:
    weights = (place.model / "weights.safetensors").read_bytes()
    for length in (0, 1, 8, 9, len(weights) // 2, len(weights) - 1):
        damage("weights.safetensors", weights[:length])
        for door in ("predict", "served", "start_from", "champion"):
            with pytest.raises(InputError, match=r"weights\.safetensors differs from its sha256"):
                DOORS[door](place)


def test_a_lost_file_or_manifest_is_refused(place: Place, damage: Any) -> None:
    (place.model / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"model: .*, but tokenizer\.json is missing; write them"):
        load(place.run.path)
    damage("manifest.json", b"{}")
    with pytest.raises(InputError, match=r"manifest\.json does not name weights\.safetensors"):
        load(place.run.path)
    (place.model / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"but model/manifest\.json is missing; "):
        load(place.run.path)


def test_the_message_says_how_to_mend_it(place: Place, damage: Any) -> None:
    damage("weights.safetensors", b"")
    with pytest.raises(InputError, match=r"; write them again with: rnnkit resume parity-1$"):
        load(place.run.path)
    with pytest.raises(InputError, match=r"; copy the folder again from the model's run$"):
        load(place.copy)
    with pytest.raises(InputError, match=r"^train\.start_from: .*/parity-1/model: a model must be"):
        place.fine_tune()


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
def test_a_verb_refuses_a_damaged_model_in_one_line(
    place: Place, damage: Callable[[str, bytes], None], verb: str
) -> None:
    damage("weights.safetensors", RUBBISH["a pickle"])
    done = rnnkit(place.home, verb, "parity-1", "a.csv", "--mlruns", str(place.home))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"rnnkit: {place.model}: a model must be as it was written, but ")
    assert len(done.stderr.splitlines()) == 1


# --- other files of a finished run


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("result.json", lambda run, _: run.result),
        ("params.yaml", lambda run, _: run.experiment),
        ("predictions.parquet", lambda run, _: table({"a": [run]})),
        ("journal.jsonl", lambda run, _: table({"a": [run]})),
        ("journal.jsonl", lambda run, home: load_run(run.id, home).curves),
        ("predictions.parquet", lambda run, home: load_run(run.id, home).predictions),
    ],
)
def test_a_flipped_bit_of_a_finished_runs_file_is_refused(
    place: Place, name: str, read: Callable[[RunFolder, Path], object]
) -> None:
    file = place.newer.path / name
    content = bytearray(file.read_bytes())
    read(place.newer, place.home)
    content[len(content) // 2] ^= 4
    before = file.read_bytes()
    file.write_bytes(content)
    try:
        by_line = r"journal\.jsonl, line \d+: a line must be as it was written"
        by_hash = rf"parity-2: .* but {name} differs from its sha"
        with pytest.raises(InputError, match=f"{by_line}|{by_hash}"):
            read(place.newer, place.home)
    finally:
        file.write_bytes(before)


def test_a_damaged_finished_run_is_written_again_from_its_checkpoints(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert place.run.reopen_if_damaged() == []
    manifest = json.loads((place.run.path / "manifest.json").read_text())
    for name in ("model/weights.safetensors", "predictions.parquet", "model/prepared.json"):
        (place.run.path / name).write_bytes(b"rubbish")
    differences = place.run.reopen_if_damaged()
    assert [line.split(" ")[0] for line in differences] == [
        "model/prepared.json",
        "model/weights.safetensors",
        "predictions.parquet",
    ]
    assert place.run.status == "interrupted"
    train_in(place.run.path, place.experiment, place.home)
    again = json.loads((place.run.path / "manifest.json").read_text())
    assert {k for k, v in manifest.items() if again[k] != v} == {"journal.jsonl"}  # times
    (place.run.path / "journal.jsonl").write_bytes(b"rubbish\n")
    with pytest.raises(InputError, match=r"cannot be written again, because journal\.jsonl d"):
        place.run.reopen_if_damaged()


def test_damaged_prepared_data_are_prepared_again_for_an_evaluation(tmp_path: Path) -> None:
    place = Place(tmp_path)
    whole = evaluate_file(place.run, str(place.file), place.home)
    tensors = place.home / "prepared" / place.run.result["prepared"] / "tensors.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-1] + b"\x55")
    with pytest.warns(Note, match="stored data must be as they were written"):
        assert evaluate_file(place.run, str(place.file), place.home) == whole
    tensors.write_bytes(b"")
    with pytest.warns(Note, match="stored data must be as they were written"):
        place.challenge()


# --- models without a manifest


@pytest.fixture
def older(place: Place, tmp_path: Path) -> Path:
    """A model as an earlier version saved it."""
    folder = tmp_path / "older"
    shutil.copytree(place.copy, folder)
    (folder / "manifest.json").unlink()
    return folder


def test_a_model_without_a_manifest_loads_with_a_note(place: Place, older: Path) -> None:
    with pytest.warns(Note, match=r"older: an earlier version saved this model, without manifest"):
        answers = load(older)(["w1 of 3"])
    assert answers == load(place.copy)(["w1 of 3"])


def test_a_run_of_an_earlier_version_is_verified_by_its_own_manifest(tmp_path: Path) -> None:
    place = Place(tmp_path)
    names = json.loads((place.run.path / "manifest.json").read_text())
    (place.model / "manifest.json").unlink()
    files.write_manifest(place.run.path, [name for name in names if name != "model/manifest.json"])
    load(place.run.path)
    (place.model / "tokenizer.json").write_bytes(b"{}")
    with pytest.raises(InputError, match=r"but model/tokenizer\.json differs from its sha256 in "):
        load(place.run.path)


@pytest.mark.filterwarnings("ignore::rnnkit.errors.Note")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(("weights.safetensors", content) for content in RUBBISH.values()),
        ("prepared.json", b"{}"),
        ("prepared.json", b"[]"),
        ("prepared.json", b"3"),
        ("prepared.json", b'{"facts": 3, "vocabulary": 4, "labels": 5}'),
        ("prepared.json", b'{"facts": {}, "vocabulary": ["a"], "labels": ["b"], "letters": null}'),
        ("tokenizer.json", b"{}"),
        ("tokenizer.json", b'{"model": {"type": "WordLevel"}}'),
        ("params.yaml", b"name: x\n"),
        ("params.yaml", b"[1, 2]\n"),
        ("params.yaml", b"\xff\xfe\x00"),
    ],
)
def test_files_that_do_not_belong_together_are_refused_in_one_line(
    older: Path, name: str, content: bytes
) -> None:
    (older / name).write_bytes(content)
    with pytest.raises(InputError) as told:
        load(older)
    assert str(older) in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.filterwarnings("ignore::rnnkit.errors.Note")
def test_weights_of_another_network_are_refused_in_one_line(older: Path) -> None:
    params = (older / "params.yaml").read_text()
    (older / "params.yaml").write_text(params.replace("hidden: 4", "hidden: 5"))
    with pytest.raises(InputError, match="must belong together, but RuntimeError: Err") as caught:
        load(older)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::rnnkit.errors.Note")
def test_rubbish_to_start_from_is_refused(place: Place, older: Path) -> None:
    from rnnkit.tasks import prepare, task_for
    from rnnkit.training.pretrained import start
    from rnnkit.training.trainer import make_network

    prepared = prepare(place.experiment.data, place.experiment.task, place.home)
    fine_tuned = place.experiment.replace({"train.start_from": str(older)})
    network = make_network(place.experiment, task_for(place.experiment.task, prepared))
    assert start(network, fine_tuned, prepared)["start_from"].startswith(str(older))
    for name, content in (("weights.safetensors", RUBBISH["a pickle"]), ("prepared.json", b"[")):
        before = (older / name).read_bytes()
        (older / name).write_bytes(content)
        with pytest.raises(InputError, match=r"train\.start_from: .*older: is no whole model: "):
            start(network, fine_tuned, prepared)
        (older / name).write_bytes(before)


# --- registered models


def test_a_damaged_copy_of_a_registered_model_is_fetched_again(tmp_path: Path) -> None:
    place = Place(tmp_path)
    register(place.run, places.read(place.home))
    fetched = place.registry.fetch("models:/parity/1")
    whole = load(fetched)(["w1 of 3"])
    (fetched / "weights.safetensors").write_bytes(RUBBISH["a pickle"])
    assert place.registry.fetch("models:/parity/1") == fetched
    assert load(fetched)(["w1 of 3"]) == whole
    (artifact,) = (place.home / "artifacts").rglob("weights.safetensors")
    weights = bytearray(artifact.read_bytes())
    weights[-1] ^= 1
    artifact.write_bytes(weights)
    assert load(place.registry.fetch("models:/parity/1"))(["w1 of 3"]) == whole  # the copy is whole
    shutil.rmtree(fetched)
    message = r"models:/parity/1: a model must be as it was registered, but in .* weights\.safetens"
    with pytest.raises(InputError, match=message):
        place.registry.fetch("models:/parity/1")
    with pytest.raises(InputError, match=r"weights\.safetensors differs from its sha256"):
        _load_pyfunc(str(artifact.parent))  # as MLflow's server loads it


def test_the_tables_of_whole_runs_can_be_read(place: Place) -> None:
    assert isinstance(table({"a": [place.run], "b": [place.newer]}), pandas.DataFrame)
