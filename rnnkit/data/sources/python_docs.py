"""`python_docs`: Python's language reference, one item per topic of `pydoc_data.topics`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from rnnkit.data.sources import standard_library
from rnnkit.params.source import Builtin
from rnnkit.runtime.files import sha256_named

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTION = (
    "language modelling: the language reference of Python in English, about 0.5 MB; one item is "
    "one topic; its size differs between Python versions"
)
PATH = standard_library.FOLDER / "pydoc_data" / "topics.py"


def fingerprint(params: Builtin) -> str:
    """SHA-256 of the file."""
    return sha256_named(standard_library.contents([PATH]))


def read(params: Builtin) -> pd.DataFrame:
    """The column text, sorted by topic name."""
    import pandas as pd

    [(_, source)] = standard_library.contents([PATH])
    # The module is one assignment of a literal, so its code need not run.
    [assignment] = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    topics = ast.literal_eval(assignment.value)
    return pd.DataFrame({"text": [topics[name].strip("\n") for name in sorted(topics)]})
