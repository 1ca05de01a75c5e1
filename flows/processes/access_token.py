"""The token of an output folder: a request without it is refused by the folder's servers.

It lies in the file `token`, which its user alone can read. Commands read it there; a browser gets
it with the address that `rnnkit up` prints.
"""

import base64
import fcntl
import os
import re
import secrets
from pathlib import Path

FILE = "token"
USER = "rnnkit"  # any name will do: the token is the password
HOME_VARIABLE = "RNNKIT_HOME"
"""Tells a server process its output folder."""
_TOKEN = re.compile(r"[0-9a-f]{64}")


def read_token(home: Path) -> str:
    """The token of an output folder, made at first use, and again where its file is damaged."""
    with (home / FILE).open("a+", encoding="ascii", errors="replace") as file:
        os.fchmod(file.fileno(), 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)  # of two processes one makes it
        file.seek(0)
        token = file.read().strip()
        if not _TOKEN.fullmatch(token):
            token = secrets.token_hex(32)
            file.truncate(0)
            file.write(f"{token}\n")
            file.flush()
            os.fsync(file.fileno())
        return token


def login_of(home: Path) -> str:
    """What a client sends by HTTP's basic authentication, `user:password`."""
    return f"{USER}:{read_token(home)}"


def authorization(login: str) -> str:
    """The header `Authorization` for a login, `user:password`.

    >>> authorization("anna:secret")
    'Basic YW5uYTpzZWNyZXQ='
    """
    return f"Basic {base64.b64encode(login.encode()).decode()}"


def opening_address(home: Path, pages: str) -> str:
    """The address that opens a server's pages in a browser, which then keeps the token."""
    return f"{pages.rstrip('/')}/?token={read_token(home)}"
