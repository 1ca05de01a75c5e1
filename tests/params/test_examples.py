"""The examples that come with the package are the files of `params/`, each described in its first
line."""

import json
import os
from pathlib import Path

import jsonschema
import pytest

from rnnkit.errors import InputError
from rnnkit.params import examples as shipped
from rnnkit.params import schema
from rnnkit.params.examples import described, example, examples
from rnnkit.params.tree import read
from rnnkit.params.written import SCHEMA

PARAMS = Path(__file__).parents[2] / "params"
FILES = sorted(PARAMS.glob("*.yaml"))


def test_the_examples_are_the_params_files() -> None:
    assert list(examples().values()) == FILES
    others = sorted(set(PARAMS.iterdir()) - set(FILES))
    assert others == [PARAMS / "claims"]  # the wheel takes these, and there is nothing else


def test_an_installed_package_has_them_beside_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "PLACES", (tmp_path / "examples", PARAMS))
    assert list(examples()) == [file.stem for file in FILES]
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "own.yaml").write_text("# Mine.\n")
    assert examples() == {"own": tmp_path / "examples" / "own.yaml"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_first_line_of_a_params_file_is_its_whole_description(file: Path) -> None:
    first, second, *_ = file.read_text().splitlines()
    assert first.startswith("# ")
    assert first.endswith((".", "?", "!"))
    assert described(file) == first[2:]
    assert second.startswith(("# ", "name: "))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_params_file_names_the_schema_to_editors(file: Path) -> None:
    assert file.read_text().splitlines()[1] == f"{SCHEMA}../mlruns/{schema.FILE}"


def test_a_copy_names_the_schema_from_its_own_folder() -> None:
    text = f"# A.\n{SCHEMA}../mlruns/schema.json\nname: a\n"
    assert schema.naming_schema(text, "x.json") == f"# A.\n{SCHEMA}x.json\nname: a\n"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_schema_accepts_every_params_file(file: Path) -> None:
    jsonschema.validate(read(file).values, schema.schema())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hiden": 3}, "'hiden' was unexpected"),
        ({"hidden": 0}, "less than the minimum"),
        ({"readout": "lst"}, "is not one of"),
    ],
)
def test_the_schema_refuses_what_the_params_refuse(values: dict[str, object], message: str) -> None:
    tree = read(example("demo")).values
    with pytest.raises(jsonschema.ValidationError, match=message):
        jsonschema.validate({**tree, "model": values}, schema.schema())


def test_a_schema_older_than_the_params_is_written_again(tmp_path: Path) -> None:
    file = tmp_path / "a" / "schema.json"
    assert not schema.is_current(file)
    schema.write_schema(file)
    assert schema.is_current(file)
    assert json.loads(file.read_text()) == schema.schema()
    os.utime(file, (0, 0))
    assert not schema.is_current(file)


def test_the_schema_says_what_keys_are_for() -> None:
    text = json.dumps(schema.schema())
    assert "Units per layer and direction." in text
    assert "the column with the text" in text.lower()


def test_the_schema_takes_numbers_for_columns_without_a_header() -> None:
    tree = read(example("demo")).values
    source = {"kind": "labelled_text", "path": "a.csv", "header": False, "text": 2, "label": 1}
    data = {"source": source}
    task = {"kind": "classification"}
    jsonschema.validate({**tree, "task": task, "data": data}, schema.schema())


def test_a_misspelt_example_is_refused() -> None:
    with pytest.raises(InputError, match=r"^dmo: there is no such example \(did you mean demo\?\)"):
        example("dmo")
    with pytest.raises(InputError, match=r"^zzz: there is no such example; rnnkit new"):
        example("zzz")
