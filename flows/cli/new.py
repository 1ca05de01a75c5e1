"""`rnnkit new` and `rnnkit schema`: params files for one's own data, examples, and their schema."""

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows import settings as places
from flows.cli.options import (
    MLRUNS,
    Home,
    Json,
    load_params,
    print_aligned,
    print_json,
    print_line,
    short,
)
from rnnkit.errors import InputError, closest
from rnnkit.runtime.files import write_atomic

if TYPE_CHECKING:
    from rnnkit.data.guess import Option, Taken

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
PUBLIC_SET = re.compile(r"\bpublic:([a-z0-9_]+)")


def new(
    what: Annotated[
        str | None,
        typer.Argument(
            help="A file or folder of data, also with * or {a,b}; or an example, as demo.",
            show_default=False,
            metavar="FILE|FOLDER|EXAMPLE",
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="The task, where several fit the data.", show_default=False)
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Of the experiment and its file; by the data's where left out."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the examples.")] = False,
    as_json: Json = False,
) -> None:
    """Look at data and write a params file for them, NAME.yaml; or copy an example's."""
    from rnnkit.params.examples import described, examples

    if list_:
        if what is not None:
            raise InputError(f"--list lists all examples; leave {what} out")
        notes = {name: described(file) for name, file in examples().items()}
        if as_json:
            print_json(notes)
        else:
            print_aligned(notes, indent="")
        return
    if what is None:
        raise InputError(
            "give a file or folder of data, or the name of an example; rnnkit new --list names them"
        )
    if what in examples():
        _example(what, task, name, as_json)
    else:
        _own_data(what, task, name, as_json)


def schema(
    file: Annotated[
        Path | None,
        typer.Argument(help="Where to; mlruns/schema.json where left out.", show_default=False),
    ] = None,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Write the JSON schema of params files, for editors; their first comment names it."""
    from rnnkit.params import schema
    from rnnkit.params.written import SCHEMA

    if as_json:
        print_json(schema.schema())
        return
    place = places.read(mlruns).home / schema.FILE if file is None else file
    schema.write_schema(place)
    print_line(f"{short(place)}: written; a params file names it in a comment,")
    print_line(f"{SCHEMA}{short(place)}")


def _target(name: str) -> Path:
    """The params file to write, which is not there yet."""
    from rnnkit.params.examples import SUFFIX

    if not re.fullmatch(NAME, name):
        raise InputError(f"--name {name}: write letters, digits, `.`, `_` and `-`, as reviews")
    target = Path(name + SUFFIX)
    if target.exists():
        raise InputError(f"{target}: is there already; give another --name, or rename it")
    return target


def _example(example_name: str, task: str | None, name: str | None, as_json: bool) -> None:
    from rnnkit.params.examples import example
    from rnnkit.params.schema import naming_schema

    if task is not None:
        raise InputError(f"--task is for data, and {example_name} is an example; leave it out")
    text = example(example_name).read_text(encoding="utf-8")
    target = _target(name or example_name)
    _write(target, naming_schema(text, _schema_place()))
    steps = _steps(target)
    if as_json:
        print_json({"example": example_name, "file": str(target), "next": steps})
        return
    print_line(f"{target}: written\n\nNext: {' && '.join(steps)}")


def _write(target: Path, text: str) -> None:
    """The params file, and the schema that its comment names; neither without the other."""
    from rnnkit.params import schema

    write_atomic(target, text)
    try:
        file = places.read(MLRUNS).home / schema.FILE
        if not schema.is_current(file):
            schema.write_schema(file)
    except (InputError, OSError):
        target.unlink()
        raise


def _schema_place() -> str:
    """The schema's place, from the current folder."""
    from rnnkit.params import schema

    return (MLRUNS / schema.FILE).as_posix()


def _steps(file: Path) -> list[str]:
    """The commands that bring the file's public data, where they are absent, and run it."""
    from rnnkit.data.public import FOLDERS

    experiment = load_params(file)
    verb = "compare" if experiment.variants or experiment.seeds else "run"
    sets = dict.fromkeys(PUBLIC_SET.findall(file.read_text(encoding="utf-8")))
    absent = [name for name in sets if not any((folder / name).is_dir() for folder in FOLDERS)]
    return [*(f"rnnkit data fetch {name}" for name in absent), f"rnnkit {verb} {file}"]


def _own_data(path: str, task: str | None, name: str | None, as_json: bool) -> None:
    from rnnkit.data.guess import take
    from rnnkit.data.guess.params_file import described, name_of, params_file
    from rnnkit.params.written import SCHEMA

    _refuse_no_data(path)
    taken = take(path)
    option = taken.option(task)
    target = _target(name or name_of(path))
    command = f"rnnkit new {shlex.quote(path)}" + (f" --task {task}" if task else "")
    head = [
        f"{SCHEMA}{_schema_place()}",
        f"Written by `{command}`. What it guessed is marked so; `rnnkit check {target}` reads all.",
        *_also(taken, option),
    ]
    _, text = params_file(taken, option, target.stem, head)
    _write(target, text)
    guesses = {p: r for p, r in option.remarks.items() if r.startswith("guess: ")}
    if as_json:
        tasks = [fitting.kind for fitting in taken.options]
        print_json(
            {
                "file": str(target),
                "form": taken.form,
                "task": option.kind,
                "tasks": tasks,
                "data": option.about,
                "guesses": guesses,
                "notes": list(taken.notes),
                "next": [f"rnnkit check {target}", f"rnnkit run {target}"],
            }
        )
        return
    print_line(f"{path} is taken for {taken.form}.")
    about = described(taken, option).removeprefix(f"{taken.path}: ")
    print_line(about[0].upper() + about[1:])
    for note in taken.notes:
        print_line(note)
    if guesses:
        print_line("Guessed:")
        print_aligned({p: r.removeprefix("guess: ") for p, r in guesses.items()})
    for line in _also(taken, option):
        print_line(line)
    print_line(f"{target}: written\n\nNext: rnnkit check {target} && rnnkit run {target}")


def _also(taken: "Taken", option: "Option") -> list[str]:
    """A line on the other tasks that fit."""
    others = [other.kind for other in taken.options if other is not option]
    if not others:
        return []
    return [f"The data also fit {' and '.join(others)}: --task {others[0]}"]


def _refuse_no_data(path: str) -> None:
    """Raise InputError for a word that is neither an example nor a file."""
    from rnnkit.params.examples import SUFFIX, example, examples
    from rnnkit.runtime.disk import user_path

    if any(sign in path for sign in "*{") or user_path(path).exists():
        if path.endswith((SUFFIX, ".yml")):
            raise InputError(f"{path}: is a params file; begin with: rnnkit check {path}")
        return
    if re.fullmatch(r"[a-z0-9_]+", path) and closest(path, list(examples())):
        example(path)  # refuses it, with the names that are near
