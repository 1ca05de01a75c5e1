"""Options and exit statuses that the verbs share."""

from pathlib import Path
from typing import Annotated

import typer

from rnnkit.errors import InputError

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
Run = Annotated[
    str,
    typer.Argument(
        help="A run's id or its beginning, `last`, or a run's folder.", show_default=False
    ),
]
Model = Annotated[
    str,
    typer.Argument(
        help="A run's id or its beginning, `last`, a run's folder, or models:/NAME@champion.",
        show_default=False,
        metavar="RUN",
    ),
]
Home = Annotated[
    Path, typer.Option("--mlruns", help="The folder for all output.", callback=_folder)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
MLRUNS = Path("mlruns")


def short(path: Path) -> Path:
    """A path as a person would type it here."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
