"""`rnnkit data`: which data there are."""

import json

from flows.cli.options import Json


def data_list(as_json: Json = False) -> None:
    """Tell which data sets come built in, and which files can be read."""
    from rnnkit.params.data import Conll, Conllu, LabelledText, Table, Text, Tokens
    from rnnkit.sources.builtin import BUILTINS

    builtin = {name: module.DESCRIPTION for name, module in BUILTINS.items()}
    readers = {
        block.model_fields["kind"].get_default(): " ".join((block.__doc__ or "").split())
        for block in (LabelledText, Tokens, Conll, Conllu, Text, Table)
    }
    if as_json:
        print(json.dumps({"builtin": builtin, "readers": readers}))
        return
    for title, notes in (("Built in, no download", builtin), ("Your own files", readers)):
        print(f"{title}:")
        width = max(map(len, notes))
        for name, note in notes.items():
            print(f"  {name:<{width}}  {note}")
