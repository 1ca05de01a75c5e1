"""`rnnkit new` and `rnnkit data`: example params files, and data sets."""

import re
from pathlib import Path
from typing import Annotated, get_args

import typer

from flows.cli.options import Json, load_params, print_aligned, print_json, print_line, short
from rnnkit.errors import InputError
from rnnkit.runtime.files import write_atomic

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
        notes = {name: described(file) for name, file in examples().items()}
        if as_json:
            print_json(notes)
        else:
            print_aligned(notes, indent="")
        return
    if name is None:
        raise InputError("give the name of an example; rnnkit new --list names them")
    content = example(name).read_bytes()
    target = Path(name + SUFFIX)
    if target.exists():
        raise InputError(f"{target}: is there already; rename it, or change the folder")
    write_atomic(target, content)
    steps = _steps(target)
    if as_json:
        print_json({"example": name, "file": str(target), "next": steps})
        return
    print_line(f"{target}: written\n\nNext: {' && '.join(steps)}")


def _steps(file: Path) -> list[str]:
    """The commands that bring the file's public data, where they are absent, and run it."""
    from rnnkit.data.public import FOLDERS

    experiment = load_params(file)
    verb = "compare" if experiment.variants or experiment.seeds else "run"
    sets = dict.fromkeys(PUBLIC_SET.findall(file.read_text(encoding="utf-8")))
    absent = [name for name in sets if not any((folder / name).is_dir() for folder in FOLDERS)]
    return [*(f"rnnkit data fetch {name}" for name in absent), f"rnnkit {verb} {file}"]


def data_list(as_json: Json = False) -> None:
    """List data sets that are built in or can be fetched, and files that can be read."""
    from rnnkit.data import public
    from rnnkit.data.sources.builtin import BUILTINS
    from rnnkit.params.source import Source

    builtin = {name: data.description for name, data in BUILTINS.items()}
    _, *sources = get_args(get_args(Source)[0])  # the first is the built-in ones'
    readers = {
        block.model_fields["kind"].get_default(): " ".join((block.__doc__ or "").split())
        for block in sources
    }
    fetched = {name: about for name, (about, _) in public.sets().items()}
    if as_json:
        print_json({"builtin": builtin, "public": fetched, "readers": readers})
        return
    for title, notes in (
        ("Built in, no download", builtin),
        ("Public, by rnnkit data fetch NAME", fetched),
        ("Your own", readers),
    ):
        print_line(f"{title}:")
        print_aligned(notes)


def data_fetch(
    name: str,
    to: Annotated[
        Path | None,
        typer.Option(help="The folder that gets the set's folder; mlruns/data where left out."),
    ] = None,
) -> None:
    """Download a public data set, every file checked against its sha256."""
    from flows.console import Stages
    from rnnkit.data import public

    files = public.files_of(name)
    with Stages() as stages:
        stage = stages.begin(name, total=len(files))
        if to is None:  # a set that is whole in any of them is not downloaded again
            whole = (folder for folder in public.FOLDERS if public.is_whole(name, folder))
            to = next(whole, public.FOLDERS[0])
        place = public.fetch(name, to, lambda done, _: stages.show(stage, done, ""))
        stages.end(stage, f"{len(files):,} files, {sum(f.bytes for f in files) / 1e6:.1f} MB")
    print_line(f"{short(place)}: whole. Licence: {public.sets()[name][1]}.")
