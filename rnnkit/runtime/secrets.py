"""Passwords of addresses, kept out of messages, logs and files.

Libraries quote addresses in their errors. `remember` notes the passwords of an address when it is
read, and `without_secrets` takes them out of a text, in whatever form the text has them.
"""

import re
from urllib.parse import unquote

HIDDEN = "***"
MIN_CHARACTERS = 4  # a shorter password is hidden within an address only: it may be part of a word
USERINFO = re.compile(r"(?<=://)[^\s/'\"]*@")
PARAMETER = re.compile(
    r"([?&][^\s=&]*(?:password|passwd|pwd|secret|token)[^\s=&]*=)([^\s&'\"]+)", re.IGNORECASE
)
_remembered: set[str] = set()


def remember(address: str) -> None:
    """Notes the passwords of an address, as they stand there and decoded."""
    userinfo = USERINFO.search(address)
    passwords = [value for _, value in PARAMETER.findall(address)]
    if userinfo is not None:
        name, colon, password = userinfo[0].removesuffix("@").partition(":")
        passwords.append(password if colon else name)
    for password in passwords:
        _remembered.update(
            text for text in (password, unquote(password)) if len(text) >= MIN_CHARACTERS
        )


def without_secrets(text: str) -> str:
    """A text without the users and passwords of the addresses in it, and without remembered ones.

    >>> without_secrets("postgresql://anna:secret@host:5432/runs")
    'postgresql://host:5432/runs'
    >>> without_secrets("could not open mysql://host/runs?password=secret&ssl=1")
    'could not open mysql://host/runs?password=***&ssl=1'
    >>> without_secrets("sqlite:///mlruns/mlflow.db")
    'sqlite:///mlruns/mlflow.db'
    """
    text = PARAMETER.sub(rf"\1{HIDDEN}", USERINFO.sub("", text))
    for password in sorted(_remembered, key=len, reverse=True):
        text = text.replace(password, HIDDEN)
    return text
