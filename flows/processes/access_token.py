"""The token of an output folder: a request without it is refused by the folder's servers.

It lies in the file `token`, which its user alone can read. Commands read it there; a browser gets
it with the address that `rnnkit up` prints. Where several machines share it, it is in the variable
`RNNKIT_TOKEN`.
"""

import base64
import fcntl
import os
import re
import secrets
from pathlib import Path

from rnnkit.errors import InputError

FILE = "token"
USER = "rnnkit"  # any name will do: the token is the password
HOME_VARIABLE = "RNNKIT_HOME"
"""Tells a server process its output folder."""
TOKEN_VARIABLE = "RNNKIT_TOKEN"
_TOKEN = re.compile(r"[0-9a-f]{64}")
_GIVEN = re.compile(r"[\w.~-]{32,}", re.ASCII)
"""What `TOKEN_VARIABLE` may hold: it stands in addresses as it is."""


def read_token(home: Path) -> str:
    """The token of an output folder, made at first use, and again where its file is damaged; the
    one in `TOKEN_VARIABLE` comes first.

    Raises:
        InputError: that variable holds no token.
    """
    if given := os.environ.get(TOKEN_VARIABLE):
        if not _GIVEN.fullmatch(given):
            raise InputError(
                f"{TOKEN_VARIABLE}: a token has at least 32 letters, digits or signs of -._~; make "
                "one with: python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        return given
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
