"""`rnnkit data`: data sets."""

from pathlib import Path
from typing import Annotated, get_args

import typer

from flows.cli.options import Json, print_aligned, print_json, print_line, short


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
