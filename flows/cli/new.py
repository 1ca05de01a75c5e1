"""`rnnkit new`: an example's params file in the current folder, to start from."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Json
from rnnkit.errors import InputError

PUBLIC_SET = re.compile(r"\bpublic:([a-z0-9_]+)")


def new(
    name: Annotated[
        str | None, typer.Argument(help="Of the example, as demo.", show_default=False)
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the examples.")] = False,
    as_json: Json = False,
) -> None:
    """Write an example's params file, NAME.yaml, into the current folder; or list the examples."""
    from rnnkit.params.examples import SUFFIX, described, example, examples

    if list_:
        if name is not None:
            raise InputError(f"--list lists all examples; leave {name} out")
        _list({name: described(file) for name, file in examples().items()}, as_json)
        return
    if name is None:
        raise InputError("give the name of an example; rnnkit new --list names them")
    content = example(name).read_bytes()
    target = Path(name + SUFFIX)
    try:
        with target.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise InputError(f"{target}: is there already; rename it, or change the folder") from None
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror}") from None
    steps = _steps(target)
    if as_json:
        print(json.dumps({"example": name, "file": str(target), "next": steps}))
        return
    print(f"{target}: written\n\nNext: {' && '.join(steps)}")


def _list(notes: dict[str, str], as_json: bool) -> None:
    if as_json:
        print(json.dumps(notes))
        return
    width = max(map(len, notes), default=0)
    for name, note in notes.items():
        print(f"{name:<{width}}  {note}")


def _steps(file: Path) -> list[str]:
    """The commands that bring the file's public data, where they are absent, and run it."""
    from rnnkit.data.public import FOLDERS
    from rnnkit.params import load

    experiment = load(file)
    verb = "compare" if experiment.variants or experiment.seeds else "run"
    sets = dict.fromkeys(PUBLIC_SET.findall(file.read_text(encoding="utf-8")))
    absent = [name for name in sets if not any((folder / name).is_dir() for folder in FOLDERS)]
    return [*(f"rnnkit data fetch {name}" for name in absent), f"rnnkit {verb} {file}"]
