"""The command as a user meets it: exit status, one line on stderr, and nothing left behind."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from bare_files import labelled_csv

from rnnkit import __version__
from rnnkit.params import load
from rnnkit.params.schema import schema

HOUSE = Path(__file__).parents[2]
HEAVY = {"torch", "pandas", "numpy", "prefect", "mlflow", "optuna", "pydantic"}

SCHEMA = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.MULTILINE)

Command = Callable[..., subprocess.CompletedProcess[str]]

TAGGING = "name: a\ntask: {kind: tagging}\ndata:\n  source: {kind: builtin, name: python_tokens}\n"
LABELLED = """\
name: a
task: {kind: classification}
data:
  source: {kind: labelled_text, path: DATA, text: review}
"""


@pytest.fixture
def rnnkit(tmp_path: Path) -> Command:
    """`rnnkit` in a process of its own, in an empty folder, with mlruns/ in it."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flows.cli", *arguments],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(HOUSE)},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def refused(done: subprocess.CompletedProcess[str], mlruns: Path) -> str:
    """What the one line of a refusal says; status 2 and no run left behind."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("rnnkit: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert list(mlruns.glob("runs/*")) == []
    assert list(mlruns.glob("prepared/*")) == []
    return done.stderr.removeprefix("rnnkit: ").strip()


def imported(*arguments: str, folder: Path = HOUSE) -> set[str]:
    """The heavy packages that a verb has imported by its end."""
    program = (
        "import sys\n"
        "from flows.cli import main\n"
        f"sys.argv = ['rnnkit', *{arguments!r}]\n"
        "try:\n    main()\n"
        f"finally:\n    print(*({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(done.stderr.splitlines()[-1].split())


# --------------------------------------------------------------------------------------- bad params


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (None, (), "a.yaml: there is no such file"),
        ("", (), "a.yaml: is empty; begin with: rnnkit new demo"),
        (
            f"{TAGGING}train:\n  clipp: 1.0\n",
            (),
            "a.yaml:6: train.clipp: unknown key; did you mean 'clip'?",
        ),
        (
            f"{TAGGING}model: {{hidden: many}}\n",
            (),
            "a.yaml:5: model.hidden must be a valid integer, got 'many'",
        ),
        (
            TAGGING,
            ("--set", "model.cell.kind=gruu"),
            "--set model.cell.kind=gruu: model.cell.kind must be one of rnn, lstm, gru, custom, "
            "got 'gruu'; did you mean 'gru'?",
        ),
        (
            f'{TAGGING}"two\\nlines": 1\n',
            (),
            "a.yaml:5: two lines: unknown key; there are name, task, seed, data, model, train, "
            "tune, variants, seeds",
        ),
    ],
    ids=["missing", "empty", "misspelt", "wrong type", "set", "a line break in a key"],
)
def test_bad_params_are_refused_in_one_line(
    rnnkit: Command, tmp_path: Path, content: str | None, arguments: tuple[str, ...], message: str
) -> None:
    if content is not None:
        (tmp_path / "a.yaml").write_text(content)
    done = rnnkit("run", "a.yaml", "--mlruns", "mlruns", *arguments)
    assert refused(done, tmp_path / "mlruns") == message
    assert not (tmp_path / "mlruns").exists()


def test_bad_params_are_refused_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{TAGGING}modle: {{}}\n")
    verb = ("run", str(tmp_path / "a.yaml"), "--mlruns", str(tmp_path / "mlruns"))
    assert imported(*verb) == {"pydantic"}


def test_an_option_that_is_not_there_is_bad_input(rnnkit: Command) -> None:
    done = rnnkit("run", "a.yaml", "--sett", "a=1")
    assert done.returncode == 2
    assert done.stderr == (
        "rnnkit: No such option: --sett (Possible options: --set); "
        "rnnkit --help lists verbs and options\n"
    )


# ----------------------------------------------------------------------------------------- bad data


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "data.csv: there is no such file; give the file's path from the folder where"),
        (b"", "data.csv: the file is empty; write the data again or name another file"),
    ],
    ids=["missing", "empty"],
)
def test_a_data_file_that_is_not_there_ends_a_run_before_it_begins(
    rnnkit: Command, tmp_path: Path, content: bytes | None, message: str
) -> None:
    (tmp_path / "a.yaml").write_text(LABELLED.replace("DATA", "data.csv"))
    if content is not None:
        (tmp_path / "data.csv").write_bytes(content)
    done = rnnkit("run", "a.yaml", "--mlruns", "mlruns")
    assert refused(done, tmp_path / "mlruns").startswith(message)


def test_bad_data_is_refused_in_one_line(rnnkit: Command, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(LABELLED.replace("DATA", "data.csv"))
    (tmp_path / "data.csv").write_bytes(b"review,label\ngood,1\ncaf\xe9,0\n")  # Latin-1
    message = refused(rnnkit("check", "a.yaml", "--mlruns", "mlruns"), tmp_path / "mlruns")
    assert message == (
        "data.csv, line 3: the text must be utf-8, but byte 4 of the line is 0xe9; "
        "save the file as utf-8 or set `encoding: latin-1`"
    )


def test_a_run_that_meets_bad_data_leaves_no_run(rnnkit: Command, tmp_path: Path) -> None:
    """The one test here that starts the flow, and with it Prefect's server: about 15 s."""
    (tmp_path / "a.yaml").write_text(LABELLED.replace("DATA", "data.csv"))
    (tmp_path / "data.csv").write_text("text,label\ngood,1\nbad,0\n")
    message = refused(rnnkit("run", "a.yaml", "--mlruns", "mlruns"), tmp_path / "mlruns")
    assert message == (
        "data.csv: there is no column 'review'; the columns are text, label; "
        "set `data.source.text` to one of them, or write `header: false` where "
        "the first line is data"
    )


# -------------------------------------------------------------------------------------- other verbs


def test_help_is_instant(rnnkit: Command) -> None:
    done = rnnkit("--help")
    assert done.returncode == 0
    for verb in (
        "run",
        "check",
        "runs",
        "evaluate",
        "predict",
        "backtest",
        "generate",
        "up",
        "data",
    ):
        assert f"\n  {verb} " in done.stdout
    assert imported("--help") == set()


def test_version_is_printed(rnnkit: Command) -> None:
    done = rnnkit("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == __version__
    assert imported("--version") == set()


def test_new_lists_the_examples_and_writes_one(rnnkit: Command, tmp_path: Path) -> None:
    done = rnnkit("new", "--list")
    assert (done.returncode, done.stderr) == (0, "")
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert names == sorted(file.stem for file in (HOUSE / "params").glob("*.yaml"))
    assert list(json.loads(rnnkit("new", "--list", "--json").stdout)) == names
    done = rnnkit("new", "demo")
    assert (done.returncode, done.stdout) == (
        0,
        "demo.yaml: written\n\nNext: rnnkit run demo.yaml\n",
    )
    assert load(tmp_path / "demo.yaml") == load(HOUSE / "params" / "demo.yaml")
    place = SCHEMA.search((tmp_path / "demo.yaml").read_text())
    assert place is not None
    assert "Experiment" not in json.loads((tmp_path / place[1]).read_text())["title"]
    assert rnnkit("new", "cells").stdout.endswith("Next: rnnkit compare cells.yaml\n")
    steps = "Next: rnnkit data fetch cls_sst2 && rnnkit run sst2.yaml\n"
    assert rnnkit("new", "sst2").stdout.endswith(steps)


def test_new_refuses_in_a_line(rnnkit: Command, tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text("mine\n")
    (tmp_path / "a.yaml").write_text("mine\n")
    (tmp_path / labelled_csv(tmp_path)).rename(tmp_path / "a.csv")
    for arguments, message in (
        (("demo",), "demo.yaml: is there already; give another --name, or rename it"),
        (("demo", "--task", "tagging"), "--task is for data, and demo is an example; leave it out"),
        (("dmo",), "dmo: there is no such example (did you mean demo?); rnnkit new --list names"),
        ((), "give a file or folder of data, or the name of an example; rnnkit new --list names"),
        (("a.csv", "--name", "b/c"), "--name b/c: write letters, digits, `.`, `_` and `-`"),
        (("a.yaml",), "a.yaml: is a params file; begin with: rnnkit check a.yaml"),
        (("zzz.csv",), "zzz.csv: there is no such file (did you mean a.csv?); give the file's pat"),
        (("*.tsv",), "*.tsv: no file has such a name; give the path, with * for any part of a na"),
        (("a.csv", "--task", "music"), "a.csv: is taken for a table of 2 columns with commas betw"),
        (("--list", "demo"), "--list lists all examples; leave demo out"),
    ):
        assert refused(rnnkit("new", *arguments), tmp_path / "mlruns").startswith(message)
    assert (tmp_path / "demo.yaml").read_text() == "mine\n"


def test_new_of_a_file_says_what_it_is_taken_for(rnnkit: Command, tmp_path: Path) -> None:
    """The file that it writes names the schema, and `check` accepts it."""
    labelled_csv(tmp_path)
    done = rnnkit("new", "reviews.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "reviews.csv is taken for a table of 2 columns with commas between the fields.\n"
        "120 texts with one of 2 labels each, for classification.\n"
        "The data also fit captioning: --task captioning\n"
        "reviews.yaml: written\n\n"
        "Next: rnnkit check reviews.yaml && rnnkit run reviews.yaml\n"
    )
    text = (tmp_path / "reviews.yaml").read_text()
    place = SCHEMA.search(text)
    assert place is not None
    assert (tmp_path / place[1]).is_file()
    assert "guess: a size to begin with" in text
    done = rnnkit("check", "reviews.yaml")
    assert done.returncode == 0, done.stderr
    assert "reviews.yaml: valid" in done.stdout
    described = json.loads(
        rnnkit("new", "reviews.csv", "--task", "captioning", "--name", "other", "--json").stdout
    )
    assert (described["file"], described["task"]) == ("other.yaml", "captioning")
    assert load(tmp_path / "other.yaml").task.kind == "captioning"


@pytest.mark.parametrize("verb", ["run", "check", "tune", "compare", "schedule", "backtest"])
def test_a_verb_that_is_given_data_says_to_write_params(
    rnnkit: Command, tmp_path: Path, verb: str
) -> None:
    labelled_csv(tmp_path)
    options = ("--every", "6h") if verb == "schedule" else ()
    message = refused(rnnkit(verb, "reviews.csv", *options), tmp_path / "mlruns")
    assert message == (
        "reviews.csv: is a file of data and no params file; write one for it with: rnnkit new "
        "reviews.csv"
    )


def test_the_schema_is_written_for_editors(rnnkit: Command, tmp_path: Path) -> None:
    done = rnnkit("schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert "mlruns/schema.json: written" in done.stdout
    written = json.loads((tmp_path / "mlruns" / "schema.json").read_text())
    assert written == json.loads(rnnkit("schema", "--json").stdout) == schema()
    assert rnnkit("schema", "other.json").returncode == 0
    assert json.loads((tmp_path / "other.json").read_text()) == written


def test_new_and_runs_import_no_heavy_package(tmp_path: Path) -> None:
    """What keeps them within half a second."""
    labelled_csv(tmp_path)
    home = ("--mlruns", str(tmp_path / "mlruns"))
    slow = HEAVY - {"pydantic"}
    assert imported("new", str(tmp_path / "reviews.csv"), folder=tmp_path) & slow == set()
    assert imported("schema", folder=tmp_path) & slow == set()
    assert imported("runs", *home) & slow == set()


def test_the_shell_completes_verbs_and_runs(tmp_path: Path) -> None:
    (tmp_path / "mlruns" / "runs" / "small-0123456789").mkdir(parents=True)
    for words, completed in (("rnnkit ru", "run\nruns"), ("rnnkit evaluate sm", "small-01234567")):
        program = "import sys; sys.argv = ['rnnkit']; from flows.cli import main; main()"
        count = str(len(words.split()) - 1)
        variables = {"_RNNKIT_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": count}
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HOUSE), **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout.startswith(completed)


def test_params_of_public_data_that_are_absent_name_the_download(
    rnnkit: Command, tmp_path: Path
) -> None:
    rnnkit("new", "sst2")
    message = refused(rnnkit("run", "sst2.yaml"), tmp_path / "mlruns")
    assert message == (
        "public:cls_sst2/stsa.binary.train: the public data set cls_sst2 is not there, in "
        "mlruns/data or ../shared/data; download it with: rnnkit data fetch cls_sst2"
    )


def test_data_list_tells_every_source(rnnkit: Command) -> None:
    from rnnkit.params.source import BUILTINS

    done = rnnkit("data", "list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    listed = json.loads(done.stdout)
    assert list(listed["builtin"]) == list(BUILTINS)
    assert set(listed["readers"]) == {
        "labelled_text",
        "tokens",
        "token_table",
        "conll",
        "conllu",
        "text",
        "table",
        "frames",
        "ts",
        "piano_rolls",
        "vectors",
        "pairs",
        "pronunciations",
        "audio",
        "generated",
    }
    assert "lm_ptb" in listed["public"]
    assert all(len(note) > 20 for notes in listed.values() for note in notes.values())


def test_runs_of_an_empty_folder_are_none(rnnkit: Command) -> None:
    done = rnnkit("runs", "--mlruns", "mlruns")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no runs in" in done.stdout
    assert "begin with: rnnkit new demo && rnnkit run demo.yaml" in done.stdout
    assert json.loads(rnnkit("runs", "--mlruns", "mlruns", "--json").stdout) == []


def test_runs_lists_a_run_whose_params_cannot_be_read(rnnkit: Command, tmp_path: Path) -> None:
    broken = tmp_path / "mlruns" / "runs" / "a-0123456789"
    broken.mkdir(parents=True)
    (broken / "params.yaml").write_text("name: [")
    for name in ("result.json", "manifest.json"):
        (broken / name).write_text("{}")
    (row,) = json.loads(rnnkit("runs", "--mlruns", "mlruns", "--json").stdout)
    assert (row["run"], row["status"]) == ("a-0123456789", "unreadable")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; delete it to get the defaults back"),
        ("study: a\nstudy: b\n", "settings.yaml:2: study stands twice, first at "),
        (
            "\ntracker: a\n",
            "settings.yaml:2: tracker: there are tracking, prefect, study, runner, cluster, an ",
        ),
        (
            "study: 1\n",
            "settings.yaml:1: study: there are tracking, prefect, study, runner, cluster, an ",
        ),
        (
            "runner: slurm\n",
            "settings.yaml:1: runner must be one of process, dask, ray, got 'slurm'",
        ),
        ("cluster: a\n", "settings.yaml:1: cluster: only dask and ray have one; write runner: "),
    ],
)
def test_settings_that_cannot_be_used_are_refused(
    rnnkit: Command, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "settings.yaml").write_text(content)
    assert message in refused(rnnkit("runs", "--mlruns", "mlruns"), tmp_path / "mlruns")


def test_an_output_folder_that_cannot_be_made_is_refused(rnnkit: Command, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    message = refused(rnnkit("runs", "--mlruns", "a/mlruns"), tmp_path / "mlruns")
    assert message == f"--mlruns {tmp_path}/a/mlruns: cannot be written: Not a directory"


def test_a_file_is_no_folder_for_output(rnnkit: Command, tmp_path: Path) -> None:
    (tmp_path / "mlruns").write_text("")
    message = refused(rnnkit("runs", "--mlruns", "mlruns"), tmp_path / "mlruns")
    assert message == "--mlruns mlruns: is a file; name a folder"


def test_check_tells_what_a_run_would_cost(rnnkit: Command) -> None:
    done = rnnkit("check", str(HOUSE / "params" / "demo.yaml"), "--mlruns", "mlruns", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert set(facts["items"]) == {"train", "valid", "test"}
    assert facts["items"]["train"] == 640
    assert facts["steps_per_epoch"] == 640 // 32
    assert 0 <= facts["padding"] < 1
    assert facts["parameters"] > 10_000
    assert facts["seconds_per_epoch"] > 0
    assert facts["sweep"] == {"trials": 8, "epochs": 3}
    assert facts["notes"] == []
