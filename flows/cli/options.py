"""Options, exit statuses and output that the verbs share."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.launcher import Failure
from rnnkit.errors import HIDDEN, InputError, escaped

if TYPE_CHECKING:
    from rnnkit.params import Experiment

BAD_INPUT, INTERRUPTED, TERMINATED = 2, 130, 143


def _folder(path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise InputError(f"--mlruns {path}: is a file; name a folder")
    return path


Params = Annotated[Path, typer.Argument(help="The experiment, a YAML file.", show_default=False)]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="key=value, as model.cell.kind=lstm; may be repeated."),
]
MLRUNS = Path("mlruns")


def run_ids(incomplete: str) -> list[str]:
    """Ids of runs in the default output folder, for the shell's completion."""
    names = (path.name for path in (MLRUNS / "runs").glob("[!.]*"))
    return sorted(name for name in names if name.startswith(incomplete))


Run = Annotated[
    str,
    typer.Argument(
        help="A run's id or its beginning, `last`, or a run's folder.",
        show_default=False,
        autocompletion=run_ids,
    ),
]
Model = Annotated[
    str,
    typer.Argument(
        help="A run's id or its beginning, `last`, a run's folder, or models:/NAME@champion.",
        show_default=False,
        metavar="RUN",
        autocompletion=run_ids,
    ),
]
Again = Annotated[bool, typer.Option("--again", help="Run once more, beside the last.")]
Home = Annotated[
    Path,
    typer.Option("--mlruns", help="The folder for all output.", readable=False, callback=_folder),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def load_params(file: Path, changes: list[str] | None = None) -> "Experiment":
    """The experiment of a params file, with the changes of --set."""
    from rnnkit.params import load

    return load(file, changes or [])


def short(path: Path) -> Path:
    """A path as a person would type it here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def print_line(text: object = "") -> None:
    """A text and a line break; control characters are escaped."""
    print(escaped(str(text)), flush=True)


def print_json(value: object) -> None:
    """A line of JSON; letters are escaped where the output's encoding lacks them, or a terminal
    would act on them."""
    line = json.dumps(value, ensure_ascii=False)
    line = HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", line)
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        line = json.dumps(value)
    print(line, flush=True)


def print_aligned(lines: Mapping[str, object], indent: str = "  ") -> None:
    """Names, and what belongs to each in a second column."""
    width = max(map(len, lines), default=0)
    for name, text in lines.items():
        print_line(f"{indent}{name:<{width}}  {text}")


@contextmanager
def mlflow_failures() -> Iterator[None]:
    """Ends the command with one line where MLflow fails."""
    from flows.tracking.failures import Unreachable, reaching

    try:
        with reaching():
            yield
    except Unreachable as error:
        raise Failure(str(error)) from None
