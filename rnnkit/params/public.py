"""Files of public data sets in params: `public:SET/FILE`, wherever the set lies.

Any other path is the user's own file, from the folder where the command is started. Which files a
set has and where it is looked for is in rnnkit.data.
"""

from collections.abc import Set
from typing import Any

from rnnkit.params.block import Block

PUBLIC = "public:"
OLDER = "../shared/data/"
"""How older params name the folder of all sets. Hashes are taken over this form."""


def hashed_path(path: str) -> str:
    """A path as it enters a hash: both ways to name a public set's file give the same run id.

    >>> hashed_path("public:lm_ptb/ptb.train.txt")
    '../shared/data/lm_ptb/ptb.train.txt'
    >>> hashed_path("my/texts.txt")
    'my/texts.txt'
    """
    return OLDER + path.removeprefix(PUBLIC) if path.startswith(PUBLIC) else path


def hashed_params(block: Block, leave_out: Set[str] = frozenset()) -> dict[str, Any]:
    """A block's values as they enter a hash.

    Args:
        block: resolved.
        leave_out: keys that are no part of it.
    """

    def visit(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: visit(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [visit(inner) for inner in value]
        return hashed_path(value) if isinstance(value, str) else value

    found: dict[str, Any] = visit(block.model_dump(mode="json", exclude=set(leave_out)))
    return found
