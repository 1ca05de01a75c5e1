"""What files are taken for: each form by itself gives params that `check` accepts and train."""

import re
from pathlib import Path

import pytest
from bare_files import FORMS, Form

from rnnkit.data.guess import take
from rnnkit.data.guess.params_file import params_file
from rnnkit.params import Experiment, load
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import prepare
from rnnkit.training.cost import estimate
from rnnkit.training.train_into import train_into

HOUSE = Path(__file__).parents[2]
IN_README = (
    *("CSV", "TSV", "JSONL", "Parquet", "CoNLL", "CoNLL-U", "plain text", ".ts", "WAV"),
    "JSON piano rolls",
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(path: str, task: str | None = None) -> Experiment:
    """The experiment of the file that `new` would write, as it is read back."""
    taken = take(path)
    experiment, text = params_file(taken, taken.option(task), "guessed", [])
    Path("guessed.yaml").write_text(text)
    assert load("guessed.yaml") == experiment
    return experiment


def test_the_forms_that_the_readme_names_are_tested() -> None:
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    listed = re.search(r"reports what it\s+found\. (.*?) and more", text, re.DOTALL)
    assert listed is not None
    names = [name.strip().strip("`") for name in " ".join(listed[1].split()).split(",")]
    assert set(names) == set(IN_README)
    assert set(IN_README) <= set(FORMS)


@pytest.mark.parametrize(
    ("name", "task"), [(name, task) for name, form in FORMS.items() for task in form.tasks]
)
def test_new_of_every_form_and_task_gives_params_that_train(
    here: Path, name: str, task: str
) -> None:
    form = FORMS[name]
    experiment = written(form.write(here), task)
    assert experiment.task.kind == task
    assert experiment.data.source.kind == form.kind
    prepared = prepare(experiment.data, experiment.task, here / "mlruns")
    assert all(len(prepared.splits[split]) for split in ("train", "valid", "test"))
    assert estimate(experiment, prepared)["parameters"] > 0
    folder = RunFolder(here / "run")
    short = experiment.replace({"train.epochs": 1})
    folder.create(short, {})
    last = list(train_into(folder, short, prepared))[-1]
    assert last.epoch == 1


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_likeliest_task_and_what_the_file_says_of_its_source(here: Path, form: Form) -> None:
    taken = take(form.write(here))
    assert tuple(option.kind for option in taken.options) == form.tasks
    source = taken.options[0].data["source"]
    assert {key: source.get(key) for key in form.has} == form.has
