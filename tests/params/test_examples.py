"""The examples that come with the package are the files of `params/`, each described in its first
line."""

from pathlib import Path

import pytest

from rnnkit.errors import InputError
from rnnkit.params import examples as shipped
from rnnkit.params.examples import described, example, examples

PARAMS = Path(__file__).parents[2] / "params"
FILES = sorted(PARAMS.glob("*.yaml"))


def test_the_examples_are_the_params_files() -> None:
    assert list(examples().values()) == FILES
    assert sorted(PARAMS.iterdir()) == FILES  # the wheel takes these, and there is nothing else


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


def test_a_misspelt_example_is_refused() -> None:
    with pytest.raises(InputError, match=r"^dmo: there is no such example \(did you mean demo\?\)"):
        example("dmo")
    with pytest.raises(InputError, match=r"^zzz: there is no such example; rnnkit new"):
        example("zzz")
