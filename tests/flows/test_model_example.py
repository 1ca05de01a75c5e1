"""A registered model in MLflow: its example and signature, and bad input in one line."""

from pathlib import Path
from typing import Any

import mlflow
import mlflow.models
import pytest
from mlflow.exceptions import MlflowException
from mlflow.utils import environment
from trained_runs import finish_in

from flows import settings as places
from flows.tracking.mirror import register
from flows.tracking.model_example import example_of
from flows.tracking.registry import Registry
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder

TREES: dict[str, dict[str, Any]] = {
    "tagged": {
        "task": {"kind": "tagging"},
        "data": {
            "source": {"kind": "builtin", "name": "python_tokens"},
            "tokenizer": {"kind": "characters"},
            "limit": 40,
        },
    },
    "frames": {
        "task": {"kind": "classification"},
        "data": {"source": {"kind": "builtin", "name": "digits"}, "scaling": "standard"},
        "model": {"representation": {"kind": "raw"}},
    },
    "vectors": {
        "task": {"kind": "vector"},
        "data": {"source": {"kind": "builtin", "name": "digits"}},
        "model": {"representation": {"kind": "raw"}},
    },
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models")
    for kind, tree in {**TREES, "again": TREES["vectors"]}.items():
        model = {"hidden": 4, **tree.get("model", {})}
        whole = {"name": kind, "train": {"epochs": 1}, **tree, "model": model}
        finish_in(place, Experiment.model_validate(whole), f"{kind}-1")
    return place


def loaded(home: Path, kind: str) -> Any:
    """The registered model as MLflow loads it."""
    settings = places.read(home)
    register(RunFolder(settings.runs / f"{kind}-1"), settings)
    mlflow.set_tracking_uri(settings.tracking)
    return mlflow.pyfunc.load_model(f"models:/{kind}/1")


def test_no_installed_package_is_searched_for_the_requirements_of_a_model(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: list[str] = []
    search = "mlflow.utils.requirements_utils._init_packages_to_modules_map"
    monkeypatch.setattr(search, lambda: searches.append(search))
    settings = places.read(home)
    registered = register(RunFolder(settings.runs / "vectors-1"), settings)
    assert searches == []
    mlflow.set_tracking_uri(settings.tracking)
    requirements = mlflow.pyfunc.get_model_dependencies(f"models:/vectors/{registered.version}")
    assert "torch==" in Path(requirements).read_text()
    environment.warn_dependency_requirement_mismatches(["torch"])  # as it was before
    assert searches == [search]


@pytest.mark.parametrize("kind", TREES)
def test_the_example_is_an_item_of_the_test_split_that_the_model_answers(
    home: Path, kind: str
) -> None:
    example = example_of(RunFolder(home / "runs" / f"{kind}-1"), home)
    assert example is not None
    value, answer = example
    model = loaded(home, kind)
    assert model.predict([value]) == answer
    address = f"models:/{kind}/1"
    assert len(mlflow.models.Model.load(address).load_input_example(address)) == 1
    assert model.metadata.get_input_schema() is None  # several forms of inputs
    names = {column.name for column in model.metadata.get_output_schema().inputs}
    assert names == set(answer[0])


def test_what_a_killed_process_left_of_a_model_goes_with_the_next_one(home: Path) -> None:
    settings = places.read(home)
    saved = settings.runs / "again-1" / f".registered.{2**22 + 1}.0123abcd"
    copied = home / "models" / f".again-1-0.{2**22 + 1}.0123abcd"
    for folder in (saved, copied):
        (folder / "model").mkdir(parents=True)
    model = register(RunFolder(settings.runs / "again-1"), settings)
    assert not saved.exists()
    place = Registry(settings).fetch(f"models:/again/{model.version}")
    assert sorted((home / "models").iterdir()) == [place]
    assert not list(settings.runs.rglob(".*"))


def test_without_the_prepared_data_there_is_no_example(home: Path, tmp_path: Path) -> None:
    assert example_of(RunFolder(home / "runs" / "tagged-1"), tmp_path) is None


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("frames", [[[1.0, 2.0]]], "input 1: "),
        ("frames", ["a text"], "input 1: "),
        ("vectors", [[1.0, 2.0]], "numbers per step, got 2"),
        ("tagged", [""], "input 1: must have at least one token or step"),
        ("tagged", [7], "input 1: "),
    ],
)
def test_bad_input_is_told_in_one_line(
    home: Path, kind: str, value: list[Any], message: str
) -> None:
    with pytest.raises(MlflowException) as caught:
        loaded(home, kind).predict(value)
    assert message in caught.value.message
    assert len(caught.value.message.splitlines()) == 1
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"  # status 400
