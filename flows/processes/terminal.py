"""A command's terminal, after it was closed."""

import os
import stat


def leave_terminal() -> None:
    """Sends what this process still prints to a closed terminal nowhere, for writing there fails.

    Output to a file or a pipe stays as it is.
    """
    for stream in (1, 2):
        if stat.S_ISCHR(os.fstat(stream).st_mode):
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), stream)
