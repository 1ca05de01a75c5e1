"""The wheel, built from a copy of the checkout, and the files that repeat its metadata."""

import email
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SOURCES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["repository-code"] == PROJECT["urls"]["Homepage"]
    assert citation["authors"] == PROJECT["authors"]


def test_the_changelog_has_this_version() -> None:
    assert f"\n## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without a network: the build's own requirements are those that are installed."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "checkout"
    copy.mkdir()
    for name in SOURCES:
        shutil.copy(ROOT / name, copy)
    for name in ("rnnkit", "flows", "params"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    done = subprocess.run([*pip, "wheel", *options, str(copy)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_has_every_module_data_file_and_example(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
        params = ROOT / "params"
        examples = {
            f"rnnkit/examples/{file.relative_to(params).as_posix()}": file
            for file in params.rglob("*.yaml")
        }
        for name, file in examples.items():
            assert packed.read(name) == file.read_bytes()
    code = {
        file.relative_to(ROOT).as_posix()
        for package in ("rnnkit", "flows")
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {"rnnkit/py.typed", "flows/py.typed", "rnnkit/data/public/files.tsv"} <= code
    assert names == code | set(examples)


@pytest.mark.slow
def test_the_wheel_says_who_made_it_and_where(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        info = f"rnnkit-{PROJECT['version']}.dist-info"
        told = email.message_from_bytes(packed.read(f"{info}/METADATA"))
        assert "rnnkit = flows.cli:main" in packed.read(f"{info}/entry_points.txt").decode()
        assert packed.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert (told["Version"], told["License-Expression"]) == (PROJECT["version"], "MIT")
    assert "Typing :: Typed" in told.get_all("Classifier", [])
    assert f"Homepage, {PROJECT['urls']['Homepage']}" in told.get_all("Project-URL", [])


@pytest.mark.slow
def test_what_is_unpacked_works_outside_any_checkout(wheel: Path, tmp_path: Path) -> None:
    """The dependencies are those of this environment; the package is the wheel's."""
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    here = tmp_path / "here"
    here.mkdir()

    def python(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=here,
            env={"PATH": "/usr/bin:/bin", "HOME": str(here), "PYTHONPATH": str(tmp_path / "site")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = python("-c", "import rnnkit; print(rnnkit.__file__, rnnkit.__version__)")
    assert where == f"{tmp_path}/site/rnnkit/__init__.py {PROJECT['version']}\n"
    assert "demo.yaml: written" in python("-m", "flows.cli", "new", "demo")
    checked = python("-m", "flows.cli", "check", "demo.yaml", "--set", "data.limit=60")
    assert checked.startswith("demo.yaml: valid")
